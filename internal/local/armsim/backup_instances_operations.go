package armsim

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// What the operations of Backup vaults are called here (Outcome.Operation);
// backups and restores have a job of that name.
const (
	operationValidateBackup   = "ValidateForBackup"
	operationConfigure        = "ConfigureProtection"
	operationDeleteInstance   = "DeleteBackupInstance"
	operationValidateRestore  = "ValidateRestore"
	operationRestore          = "Restore"
	operationStopProtection   = "StopProtection"
	operationSuspendBackups   = "SuspendBackups"
	operationResumeProtection = "ResumeProtection"
	operationResumeBackups    = "ResumeBackups"
)

const (
	statusInprogress = "Inprogress" // spelt so

	// Retry-After of the Learn pages, and of the API documents' example for
	// results.
	validateRetryAfter  = 10 * time.Second
	configureRetryAfter = 15 * time.Second
	instanceRetryAfter  = 30 * time.Second
	resultRetryAfter    = 60 * time.Second
)

// instanceOperation is an asynchronous operation of a Backup vault.
type instanceOperation struct {
	// name is two GUIDs in base64, the first of which is always the same
	// (recorded).
	name           string
	vault          *backupVault
	started, ended time.Time
	status         string
	failure        *userError
	job            *instanceJob
	expired        bool
}

// startInstance starts an operation of the call's Backup vault and schedules
// its end. finish is called then, unless the outcome makes the operation fail;
// it may fail it too. failed, if not nil, is called if it fails.
func (s *Simulator) startInstance(c *call, takes time.Duration, out *Outcome, finish func(o *instanceOperation, at time.Time) *userError, failed func(*userError)) *instanceOperation {
	o := &instanceOperation{
		name:  base64.StdEncoding.EncodeToString([]byte(tenant + ";" + s.random.guid())),
		vault: c.backupVault, started: c.now, status: statusInprogress, expired: c.effect.kind == effectExpiredStatus,
	}
	s.world.instanceOperations[o.name] = o
	if out != nil && out.OperationKeepsRunning {
		return o
	}
	activity := s.activity(c)
	s.world.events.at(c.now.Add(s.scaled(takes)), func(at time.Time) {
		failure := out.userError()
		if failure == nil {
			failure = finish(o, at)
		}
		if failure != nil {
			failure.activity = activity
		}
		o.end(failure, at)
		if failure != nil && failed != nil {
			failed(failure)
		}
	})
	return o
}

// activity is the id that errors and jobs carry: the client's, else one of the
// service's own.
func (s *Simulator) activity(c *call) string {
	if c.clientID != "" {
		return c.clientID
	}
	return s.random.guid()
}

// end ends the operation. A job that it names can be read from then on.
func (o *instanceOperation) end(failure *userError, at time.Time) {
	o.ended = at
	if failure != nil {
		o.status, o.failure, o.job = statusFailed, failure, nil
		return
	}
	o.status = statusSucceeded
	if o.job != nil && o.job.visible.After(at) {
		o.job.visible = at
	}
}

// userError is the failure of the operation itself, if that is what the
// outcome says.
func (o *Outcome) userError() *userError {
	if o == nil || o.OperationCode == "" {
		return nil
	}
	return newUserError(o.OperationCode, o.OperationMessage, o.Recommendation)
}

// acceptedInstance is the 202 that starts an operation: its status is below
// the vault, its result below the location (recorded).
func (s *Simulator) acceptedInstance(c *call, o *instanceOperation, retryAfter time.Duration) answer {
	a := answer{status: http.StatusAccepted, header: http.Header{}}
	a.header.Set("Azure-AsyncOperation", s.instanceStatusURL(c, o))
	a.header.Set("Location", s.pollURL(c, o.locationPath()+"/operationResults/"+o.name, "api-version="+c.apiVersion))
	a.header.Set("Retry-After", s.seconds(retryAfter))
	return a
}

// instanceStatusURL is the signed URL of the operation's status, below the
// vault as the client wrote it.
func (s *Simulator) instanceStatusURL(c *call, o *instanceOperation) string {
	return s.pollURL(c, c.path.parentID()+"/operationStatus/"+o.name, "api-version="+c.apiVersion)
}

func (o *instanceOperation) locationPath() string {
	return "/subscriptions/" + o.vault.Subscription + "/providers/" + dataProtection + "/locations/" + o.vault.Location
}

// seconds is a Retry-After at the configured speed.
func (s *Simulator) seconds(d time.Duration) string {
	return strconv.Itoa(max(1, int((s.scaled(d)+time.Second-1)/time.Second)))
}

// readInstanceOperation answers a vault's or a location's operationStatus, and
// a location's operationResults.
func (s *Simulator) readInstanceOperation(c *call) (answer, *armError) {
	name := c.path.names[len(c.path.names)-1]
	o := s.world.instanceOperations[name]
	if o == nil || o.expired || !o.readableAt(c) {
		return answer{}, operationNotFound(name)
	}
	if c.path.last() == "operationStatus" {
		return jsonAnswer(http.StatusOK, o.view(c.path.path(len(c.path.types)-1)+"/operationStatus/"+name)), nil
	}
	// Recorded: even the last answer names the status, below the location.
	query := "api-version=" + c.apiVersion
	status := s.pollURL(c, o.locationPath()+"/operationStatus/"+o.name, query)
	if o.status == statusInprogress {
		a := answer{status: http.StatusAccepted, header: http.Header{}}
		a.header.Set("Azure-AsyncOperation", status)
		a.header.Set("Location", s.pollURL(c, o.locationPath()+"/operationResults/"+o.name, query))
		a.header.Set("Retry-After", s.seconds(resultRetryAfter))
		return a, nil
	}
	if o.failure != nil {
		return answer{}, o.failure.refusal(http.StatusBadRequest)
	}
	a := jsonAnswer(http.StatusOK, o.extended())
	a.header.Set("Azure-AsyncOperation", status)
	return a, nil
}

// readableAt tells whether the path is one of the operation's.
func (o *instanceOperation) readableAt(c *call) bool {
	if c.backupVault != nil {
		return c.backupVault == o.vault
	}
	return strings.EqualFold(c.path.subscription, o.vault.Subscription) && strings.EqualFold(c.path.names[0], o.vault.Location)
}

// view is the operation's status as recorded: the end of a finished operation
// has whole seconds, that of a running one has a zone here.
func (o *instanceOperation) view(id string) map[string]any {
	v := map[string]any{
		"id": id, "name": o.name, "status": o.status,
		"startTime": o.started.UTC().Format(azureTime), "endTime": endless + "Z",
	}
	if o.status == statusInprogress {
		return v
	}
	v["endTime"] = o.ended.UTC().Format(time.RFC3339)
	if o.failure != nil {
		v["error"] = o.failure.view()
	}
	if o.job != nil {
		v["properties"] = o.extended()
	}
	return v
}

// extended is what an operation says at its end.
func (o *instanceOperation) extended() map[string]any {
	v := map[string]any{"objectType": "OperationJobExtendedInfo"}
	if o.job != nil {
		v["jobId"] = o.job.longID()
	}
	return v
}
