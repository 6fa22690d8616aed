package armsim

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Names of the operations of Backup vaults in Outcome.Operation. A backup or
// restore has a job of the same name.
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
	statusInprogress = "Inprogress" // Azure's spelling

	// Retry-After of the Learn pages, and of the API documents' example for
	// results.
	validateRetryAfter  = 10 * time.Second
	configureRetryAfter = 15 * time.Second
	instanceRetryAfter  = 30 * time.Second
	resultRetryAfter    = 60 * time.Second
)

// instanceOperation is an asynchronous operation of a Backup vault.
type instanceOperation struct {
	// name is two GUIDs in base64; the first GUID is always the same (recorded).
	name           string
	vault          *backupVault
	started, ended time.Time
	status         string
	failure        *userError
	job            *instanceJob
	expired        bool
}

// startInstance starts an operation of the Backup vault of the call and
// schedules its end. finish runs at the end unless the outcome fails the
// operation, and may itself fail it. failed, if not nil, runs if the operation
// fails.
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

// activity returns the activity ID of errors and jobs: the client request ID,
// else a new one.
func (s *Simulator) activity(c *call) string {
	if c.clientID != "" {
		return c.clientID
	}
	return s.random.guid()
}

// end ends the operation. Its job is visible from then on.
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

// userError returns the failure of the operation itself, if the outcome sets
// one.
func (o *Outcome) userError() *userError {
	if o == nil || o.OperationCode == "" {
		return nil
	}
	return newUserError(o.OperationCode, o.OperationMessage, o.Recommendation)
}

// acceptedInstance returns the 202 that starts an operation. The status URL is
// below the vault, the result URL below the location (recorded).
func (s *Simulator) acceptedInstance(c *call, o *instanceOperation, retryAfter time.Duration) answer {
	a := answer{status: http.StatusAccepted, header: http.Header{}}
	a.header.Set("Azure-AsyncOperation", s.instanceStatusURL(c, o))
	a.header.Set("Location", s.pollURL(c, o.locationPath()+"/operationResults/"+o.name, "api-version="+c.apiVersion))
	a.header.Set("Retry-After", s.seconds(retryAfter))
	return a
}

// instanceStatusURL returns the signed status URL of the operation, below the
// vault in the spelling of the client.
func (s *Simulator) instanceStatusURL(c *call, o *instanceOperation) string {
	return s.pollURL(c, c.path.parentID()+"/operationStatus/"+o.name, "api-version="+c.apiVersion)
}

func (o *instanceOperation) locationPath() string {
	return "/subscriptions/" + o.vault.Subscription + "/providers/" + dataProtection + "/locations/" + o.vault.Location
}

// seconds returns a Retry-After divided by the speed factor.
func (s *Simulator) seconds(d time.Duration) string {
	return strconv.Itoa(max(1, int((s.scaled(d)+time.Second-1)/time.Second)))
}

// readInstanceOperation answers the operationStatus of a vault or a location,
// and the operationResults of a location.
func (s *Simulator) readInstanceOperation(c *call) (answer, *armError) {
	name := c.path.names[len(c.path.names)-1]
	o := s.world.instanceOperations[name]
	if o == nil || o.expired || !o.readableAt(c) {
		return answer{}, operationNotFound(name)
	}
	if c.path.last() == "operationStatus" {
		return jsonAnswer(http.StatusOK, o.view(c.path.path(len(c.path.types)-1)+"/operationStatus/"+name)), nil
	}
	// Recorded: even the last answer names the status URL, below the location.
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
		return answer{}, o.failure.rejection(http.StatusBadRequest)
	}
	a := jsonAnswer(http.StatusOK, o.extended())
	a.header.Set("Azure-AsyncOperation", status)
	return a, nil
}

// readableAt reports whether the operation can be read at the path.
func (o *instanceOperation) readableAt(c *call) bool {
	if c.backupVault != nil {
		return c.backupVault == o.vault
	}
	return strings.EqualFold(c.path.subscription, o.vault.Subscription) && strings.EqualFold(c.path.names[0], o.vault.Location)
}

// view returns the status of the operation as recorded. The end of a finished
// operation has whole seconds; the end of a running one has a time zone here.
func (o *instanceOperation) view(id string) map[string]any {
	v := map[string]any{
		"id": id, "name": o.name, "status": o.status,
		"startTime": o.started.UTC().Format(azureTime), "endTime": noEndTime + "Z",
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

// extended returns the properties of a finished operation.
func (o *instanceOperation) extended() map[string]any {
	v := map[string]any{"objectType": "OperationJobExtendedInfo"}
	if o.job != nil {
		v["jobId"] = o.job.longID()
	}
	return v
}
