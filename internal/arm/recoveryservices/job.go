package recoveryservices

import (
	"strings"
	"time"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/azjson"
	"azbackupflow/internal/arm/backupjob"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
)

// Values of a job's operation.
const (
	// OperationBackup is the operation of a backup.
	OperationBackup = "Backup"
	// OperationConfigureBackup is the operation that enables protection.
	OperationConfigureBackup = "ConfigureBackup"
)

// Job is a job of the vault.
type Job struct {
	ID string
	// Name is the GUID by which long-running operations refer to the job.
	Name string
	// Operation is Backup, "Backup (Full)", ConfigureBackup, Restore and so on;
	// see Runs.
	Operation string
	// Status is Azure's status; see State.
	Status    string
	StartTime time.Time
	// EndTime is zero while the job runs.
	EndTime  time.Time
	Duration time.Duration
	// EntityFriendlyName is the name of the file share, virtual machine or
	// database. Jobs hold names, but no item ID.
	EntityFriendlyName string
	// StorageAccountName is the file share's storage account. ContainerName is
	// the container of other items, if Azure names it.
	StorageAccountName   string
	ContainerName        string
	BackupManagementType string
	// ActivityID is, according to recordings, the x-ms-client-request-id of the
	// call that started the job.
	ActivityID string
	// Progress is the share of the work that is done, in percent from 0 to 100; -1 is
	// unknown. Azure names it for jobs of virtual machines, while they run, and
	// not in lists.
	Progress int
	// Cancellable reports whether the job can be cancelled now.
	Cancellable bool
	// Errors are the job's errorDetails, which include warnings.
	Errors []JobError
	// Explanation is a workload job's dynamicErrorMessage, which is not
	// translated.
	Explanation string
	// PropertyBag holds the details that Azure shows, by Azure's labels.
	PropertyBag map[string]string
}

// JobError is one of a job's errorDetails.
type JobError struct {
	// Code is a number in Azure's answers.
	Code string
	// Title is the named code of a workload job's error, such as
	// UserErrorIncompatibleSrcTargetSystemsForRestore. Other jobs have the item's
	// name here, or a text.
	Title           string
	Message         string
	Recommendations []string
}

// Runs reports whether the job runs an operation such as OperationBackup. Jobs of
// workloads add its kind, as in "Backup (Full)" and "Restore (Invalid)". A restore
// from the archive tier is a restore, too.
func (j Job) Runs(operation string) bool {
	name, _, _ := strings.Cut(j.Operation, " (")
	return strings.EqualFold(name, operation) || operation == OperationRestore && strings.EqualFold(name, OperationRehydrate)
}

// State returns the state that the job's status means.
func (j Job) State() backupjob.State { return backupjob.StateOf(j.Status) }

// Failure returns why a job failed or was cancelled; nil for other states.
func (j Job) Failure() *operation.Error {
	state := j.State()
	if state != backupjob.Failed && state != backupjob.Cancelled {
		return nil
	}
	if len(j.Errors) == 0 {
		return azerr.Failure("Job"+string(state), "job "+j.Name+" ended as "+j.Status+"; Azure gave no reason", nil)
	}
	first := j.Errors[0]
	failure := azerr.JobFailure{Code: first.Code, Title: first.Title, Message: strings.Join(j.messages(), "; "), Explanation: j.Explanation}
	for _, e := range j.Errors {
		failure.Recommended = append(failure.Recommended, e.Recommendations...)
	}
	return failure.Error()
}

// Warnings returns the warnings of a job that CompletedWithWarnings.
func (j Job) Warnings() []string {
	if j.State() != backupjob.CompletedWithWarnings {
		return nil
	}
	if m := j.messages(); len(m) > 0 {
		return m
	}
	return []string{"job " + j.Name + " completed with warnings; Azure gave no reason"}
}

func (j Job) messages() []string {
	var all []string
	for _, e := range j.Errors {
		m := e.Message
		if m == "" {
			m = e.Title
		}
		if m != "" {
			all = append(all, m)
		}
	}
	return all
}

type jobBody struct {
	ID         string
	Name       string
	Properties struct {
		Operation            azjson.Text
		Status               azjson.Text
		StartTime            azjson.Time
		EndTime              azjson.Time
		Duration             azjson.Text
		EntityFriendlyName   azjson.Text
		StorageAccountName   azjson.Text
		ContainerName        azjson.Text
		BackupManagementType azjson.Text
		ActivityID           azjson.Text
		ActionsInfo          []azjson.Text
		ErrorDetails         []struct {
			ErrorCode       azjson.Text
			ErrorTitle      azjson.Text
			ErrorString     azjson.Text
			Recommendations []azjson.Text
		}
		ExtendedInfo struct {
			PropertyBag         map[string]azjson.Text
			DynamicErrorMessage azjson.Text
			ProgressPercentage  azjson.Text
		}
	}
}

func (b jobBody) job() Job {
	p := b.Properties
	j := Job{
		ID: b.ID, Name: b.Name,
		Operation: string(p.Operation), Status: string(p.Status),
		StartTime: p.StartTime.Time, EndTime: p.EndTime.Time, Duration: p.Duration.Duration(),
		EntityFriendlyName: string(p.EntityFriendlyName), StorageAccountName: string(p.StorageAccountName),
		ContainerName: string(p.ContainerName), BackupManagementType: string(p.BackupManagementType),
		ActivityID: string(p.ActivityID), Explanation: string(p.ExtendedInfo.DynamicErrorMessage),
		Progress: backupjob.Percent(string(p.ExtendedInfo.ProgressPercentage)),
	}
	if j.Name == "" {
		j.Name = resourceid.NameAfter(b.ID, "backupJobs")
	}
	for _, a := range p.ActionsInfo {
		j.Cancellable = j.Cancellable || strings.EqualFold(string(a), "Cancellable")
	}
	for _, e := range p.ErrorDetails {
		one := JobError{Code: string(e.ErrorCode), Title: string(e.ErrorTitle), Message: string(e.ErrorString)}
		for _, r := range e.Recommendations {
			one.Recommendations = append(one.Recommendations, string(r))
		}
		j.Errors = append(j.Errors, one)
	}
	for k, v := range p.ExtendedInfo.PropertyBag {
		if j.PropertyBag == nil {
			j.PropertyBag = map[string]string{}
		}
		j.PropertyBag[k] = string(v)
	}
	return j
}
