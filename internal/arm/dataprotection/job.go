package dataprotection

import (
	"encoding/json"
	"strings"
	"time"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/azjson"
	"azbackupflow/internal/arm/backupjob"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
)

// Values of a job's operationCategory.
const (
	CategoryBackup  = "Backup"
	CategoryRestore = "Restore"
)

// Job is a job of the vault. The API cannot cancel jobs.
type Job struct {
	// ID is the full resource ID, Name the GUID at its end.
	ID   string
	Name string
	// Operation is Backup, Restore and so on; OperationCategory is Backup,
	// Restore, Tiering or Management.
	Operation         string
	OperationCategory string
	// Status is Azure's status; see State.
	Status    string
	StartTime time.Time
	// EndTime is zero while the job runs.
	EndTime  time.Time
	Duration time.Duration

	// DatasourceID is the resource ID of the server or database.
	DatasourceID   string
	DatasourceName string
	DatasourceType string
	// BackupInstanceID is the instance's resource ID.
	BackupInstanceID           string
	BackupInstanceFriendlyName string
	PolicyID                   string

	// ActivityID is, according to recordings, the x-ms-client-request-id of the
	// call that started the job.
	ActivityID      string
	IsUserTriggered bool
	// SupportedActions are the actions that Azure offers for the job. Recorded
	// jobs have none.
	SupportedActions []string
	// Errors are the job's errorDetails.
	Errors []*operation.Error

	// SourceRecoveryPointID is the recovery point that a restore reads.
	// TargetRecoveryPointID is the recovery point that a backup created.
	// RecoveryDestination is the target of a restore: for a restore as files, the
	// URL of the container. RestoreFilePrefix is the file prefix of that restore.
	SourceRecoveryPointID string
	TargetRecoveryPointID string
	RecoveryDestination   string
	RestoreFilePrefix     string
	SourceDataStore       string
	DestinationDataStore  string
	RehydrationPriority   string
	SubTasks              []SubTask
	// AdditionalDetails holds the details that Azure shows, by Azure's labels.
	AdditionalDetails map[string]string
	// WarningDetails are the warnings of the job.
	WarningDetails []*operation.Error
}

// SubTask is a part of a job.
type SubTask struct {
	ID   string
	Name string
	// Status has the same values as the status of a job.
	Status            string
	Progress          string
	AdditionalDetails map[string]string
}

// State returns the state that the job's status means.
func (j Job) State() backupjob.State { return backupjob.StateOf(j.Status) }

// Progress returns the share of the work that is done, in percent from 0 to 100; -1
// is unknown. Azure names it by task, so it is that of the job if the job has one
// task only.
func (j Job) Progress() int {
	if len(j.SubTasks) != 1 {
		return -1
	}
	return backupjob.Percent(j.SubTasks[0].Progress)
}

// Failure returns why a job failed or was cancelled; nil for other states.
func (j Job) Failure() *operation.Error {
	state := j.State()
	if state != backupjob.Failed && state != backupjob.Cancelled {
		return nil
	}
	if len(j.Errors) == 0 {
		return azerr.Failure("Job"+string(state), "job "+j.Name+" ended as "+j.Status+"; Azure gave no reason", nil)
	}
	e := *j.Errors[0]
	e.Message = strings.Join(messages(j.Errors), "; ")
	e.RecommendedAction, e.Detail = nil, ""
	var details []string
	for _, one := range j.Errors {
		e.RecommendedAction = append(e.RecommendedAction, one.RecommendedAction...)
		if one.Detail != "" {
			details = append(details, one.Detail)
		}
	}
	e.Detail = strings.Join(details, "; ")
	return &e
}

// Warnings returns the warnings of a job that CompletedWithWarnings.
func (j Job) Warnings() []string {
	if j.State() != backupjob.CompletedWithWarnings {
		return nil
	}
	if m := append(messages(j.WarningDetails), messages(j.Errors)...); len(m) > 0 {
		return m
	}
	return []string{"job " + j.Name + " completed with warnings; Azure gave no reason"}
}

func messages(errs []*operation.Error) []string {
	var all []string
	for _, e := range errs {
		all = append(all, e.Message)
	}
	return all
}

type jobBody struct {
	ID         string
	Name       string
	Properties struct {
		ActivityID                 azjson.Text
		BackupInstanceID           azjson.Text
		BackupInstanceFriendlyName azjson.Text
		PolicyID                   azjson.Text
		DataSourceID               azjson.Text
		DataSourceName             azjson.Text
		DataSourceType             azjson.Text
		SourceDataStoreName        azjson.Text
		SourceDataStoreType        azjson.Text
		DestinationDataStoreName   azjson.Text
		StartTime                  azjson.Time
		EndTime                    azjson.Time
		Duration                   azjson.Text
		Operation                  azjson.Text
		OperationCategory          azjson.Text
		Status                     azjson.Text
		IsUserTriggered            azjson.Text
		RehydrationPriority        azjson.Text
		SupportedActions           []azjson.Text
		ErrorDetails               []json.RawMessage
		ExtendedInfo               struct {
			RecoveryDestination azjson.Text
			SourceRecoverPoint  struct{ RecoveryPointID azjson.Text }
			TargetRecoverPoint  struct{ RecoveryPointID azjson.Text }
			AdditionalDetails   map[string]azjson.Text
			SubTasks            []struct {
				TaskID            azjson.Text
				TaskName          azjson.Text
				TaskStatus        azjson.Text
				TaskProgress      azjson.Text
				AdditionalDetails map[string]azjson.Text
			}
			WarningDetails []struct{ Warning json.RawMessage }
		}
	}
}

func (b jobBody) job() Job {
	p, x := b.Properties, b.Properties.ExtendedInfo
	j := Job{
		ID: b.ID, Name: b.Name, Operation: string(p.Operation), OperationCategory: string(p.OperationCategory), Status: string(p.Status),
		StartTime: p.StartTime.Time, EndTime: p.EndTime.Time, Duration: p.Duration.Duration(),
		DatasourceID: string(p.DataSourceID), DatasourceName: string(p.DataSourceName), DatasourceType: string(p.DataSourceType),
		BackupInstanceID: string(p.BackupInstanceID), BackupInstanceFriendlyName: string(p.BackupInstanceFriendlyName),
		PolicyID: string(p.PolicyID), ActivityID: string(p.ActivityID), IsUserTriggered: p.IsUserTriggered.Bool(),
		SourceRecoveryPointID: string(x.SourceRecoverPoint.RecoveryPointID),
		TargetRecoveryPointID: string(x.TargetRecoverPoint.RecoveryPointID),
		RecoveryDestination:   string(x.RecoveryDestination),
		SourceDataStore:       string(p.SourceDataStoreName), DestinationDataStore: string(p.DestinationDataStoreName),
		RehydrationPriority: string(p.RehydrationPriority),
		AdditionalDetails:   details(x.AdditionalDetails),
	}
	if j.Name == "" {
		j.Name = resourceid.LastName(b.ID)
	}
	if j.SourceDataStore == "" {
		j.SourceDataStore = string(p.SourceDataStoreType)
	}
	j.RestoreFilePrefix = j.AdditionalDetails["Restore File Prefix"]
	for _, a := range p.SupportedActions {
		// Recorded jobs have a list with one empty text.
		if a != "" {
			j.SupportedActions = append(j.SupportedActions, string(a))
		}
	}
	for _, raw := range p.ErrorDetails {
		if e := azerr.FailureIn(raw); e != nil {
			j.Errors = append(j.Errors, e)
		}
	}
	for _, w := range x.WarningDetails {
		if e := azerr.FailureIn(w.Warning); e != nil {
			j.WarningDetails = append(j.WarningDetails, e)
		}
	}
	for _, t := range x.SubTasks {
		j.SubTasks = append(j.SubTasks, SubTask{
			ID: string(t.TaskID), Name: string(t.TaskName), Status: string(t.TaskStatus), Progress: string(t.TaskProgress),
			AdditionalDetails: details(t.AdditionalDetails),
		})
	}
	return j
}

func details(bag map[string]azjson.Text) map[string]string {
	if len(bag) == 0 {
		return nil
	}
	all := make(map[string]string, len(bag))
	for k, v := range bag {
		all[k] = string(v)
	}
	return all
}
