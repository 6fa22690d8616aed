package armsim

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Names of the operations in Outcome.Operation: the operation of the job where
// there is a job.
const (
	operationRefresh    = "Refresh"
	operationRegister   = "Register"
	operationUnregister = "Unregister"
	operationInquire    = "Inquire"
	operationProtect    = "ConfigureBackup"
	operationUnprotect  = "DeleteBackupData"
	operationBackup     = "Backup"
	operationStop       = "DisableBackup"
	operationCancel     = "Cancel"
	operationUndelete   = "Undelete"
)

// Statuses of operations.
const (
	statusInProgress = "InProgress"
	statusSucceeded  = "Succeeded"
	statusFailed     = "Failed"
)

const (
	// previewVersion is the api-version in recorded status URLs of fabrics and
	// containers, for every requested version.
	previewVersion = "2019-05-13-preview"
	retryAfter     = 60 * time.Second
	// noEndTime is the end time of a running operation, without a time zone
	// (recorded).
	noEndTime = "0001-01-01T00:00:00"
	// azureTime has seven fractional digits, like recorded times.
	azureTime = "2006-01-02T15:04:05.9999999Z"
)

// operation is one asynchronous operation.
type operation struct {
	id    string
	vault *vault
	// statusPath and resultPath are the paths of the two URLs, without the ID.
	statusPath, statusQuery string
	resultPath, resultQuery string
	started                 time.Time
	status                  string
	failure                 *armError
	job                     *job
	// result returns the body of the 200 of the result URL at the end; nil means
	// 204.
	result  func() any
	expired bool
}

// start starts an operation that belongs to the first depth types of the path,
// and schedules its end. finish runs at the end unless the outcome fails the
// operation, and may itself fail it.
func (s *Simulator) start(c *call, depth int, takes time.Duration, out *Outcome, finish func(o *operation) *armError) *operation {
	base := c.path.path(depth)
	o := &operation{
		id: s.random.guid(), vault: c.vault, started: c.now, status: statusInProgress,
		statusPath: base + "/operationsStatus", statusQuery: "api-version=" + c.apiVersion,
		resultPath: base + "/operationResults", resultQuery: "api-version=" + c.apiVersion,
		expired: c.effect.kind == effectExpiredStatus,
	}
	s.world.operations[o.id] = o
	if out != nil && out.OperationKeepsRunning {
		return o
	}
	s.world.events.at(c.now.Add(s.scaled(takes)), func(at time.Time) {
		failure := out.operationError()
		if failure == nil {
			failure = finish(o)
		}
		o.end(failure, at)
	})
	return o
}

// end ends the operation. Its job is visible from then on.
func (o *operation) end(failure *armError, at time.Time) {
	if failure != nil {
		o.status, o.failure, o.job = statusFailed, failure, nil
		return
	}
	o.status = statusSucceeded
	if o.job != nil && o.job.visible.After(at) {
		o.job.visible = at
	}
}

// scaled returns a duration of Azure divided by the speed factor.
func (s *Simulator) scaled(d time.Duration) time.Duration {
	return time.Duration(float64(d) / s.config.SpeedFactor)
}

// accepted returns the 202 that starts an operation.
func (s *Simulator) accepted(c *call, o *operation) answer {
	a := answer{status: http.StatusAccepted, header: http.Header{}}
	if c.path.last() == "protectionContainers" && c.r.Method == http.MethodPut {
		a = jsonAnswer(http.StatusAccepted, struct{}{}) // recorded only for register
	}
	a.header.Set("Azure-AsyncOperation", s.pollURL(c, o.statusPath+"/"+o.id, o.statusQuery))
	a.header.Set("Location", s.pollURL(c, o.resultPath+"/"+o.id, o.resultQuery))
	a.header.Set("Retry-After", s.retryAfter())
	return a
}

// pollURL returns a signed URL at the host of the request.
func (s *Simulator) pollURL(c *call, path, query string) string {
	host := s.endpoint
	if c.effect.kind == effectForeignStatus {
		host = "https://" + c.effect.host
	}
	return host + (&url.URL{Path: path}).EscapedPath() + "?" + query + s.signer.sign(path, query, c.now)
}

// readOperation answers operationsStatus and backupOperations with the status,
// and operationResults and backupOperationResults with the result.
func (s *Simulator) readOperation(c *call) (answer, *armError) {
	id := strings.ToLower(c.path.names[len(c.path.names)-1])
	o := s.world.operations[id]
	if o == nil || o.vault != c.vault || o.expired {
		return answer{}, operationNotFound(id)
	}
	switch c.path.last() {
	case "operationsStatus", "backupOperations":
		return jsonAnswer(http.StatusOK, o.view()), nil
	}
	switch {
	case o.status == statusInProgress:
		return s.stillRunning(c, o), nil
	case o.failure != nil:
		return answer{}, o.failure
	case o.result != nil:
		return jsonAnswer(http.StatusOK, o.result()), nil
	}
	return answer{status: http.StatusNoContent, header: http.Header{}}, nil
}

// stillRunning returns the 202 of a result URL. Its own URLs have the path that
// was polled (recorded: the result of an unregistration, polled at its
// container and not at its Location). The answer for a container has a body and
// both URLs, the answer for a fabric only Location (both recorded), and the
// answer for an item both URLs (documented).
func (s *Simulator) stillRunning(c *call, o *operation) answer {
	a := answer{status: http.StatusAccepted, header: http.Header{}}
	depth := len(c.path.types) - 1
	base, statusQuery := c.path.path(depth), "api-version="+c.apiVersion
	switch c.path.types[depth-1] {
	case "protectionContainers":
		a = jsonAnswer(http.StatusAccepted, struct{}{})
		statusQuery = "api-version=" + previewVersion
		fallthrough
	case "protectedItems":
		a.header.Set("Azure-AsyncOperation", s.pollURL(c, base+"/operationsStatus/"+o.id, statusQuery))
	}
	query := "api-version=" + c.apiVersion
	if c.apiVersion == "" { // it is inside another parameter
		query = o.resultQuery
	}
	a.header.Set("Location", s.pollURL(c, base+"/"+c.path.last()+"/"+o.id, query))
	a.header.Set("Retry-After", s.retryAfter())
	return a
}

// view returns the status of the operation as recorded: without a job the
// properties are absent, and the end of a finished operation equals its start.
func (o *operation) view() map[string]any {
	v := map[string]any{
		"id": o.id, "name": o.id, "status": o.status,
		"startTime": o.started.UTC().Format(azureTime), "endTime": noEndTime,
	}
	if o.status == statusInProgress {
		return v
	}
	v["endTime"] = v["startTime"]
	if o.failure != nil {
		v["error"] = map[string]any{"code": o.failure.code, "message": o.failure.message}
	}
	if o.job != nil {
		v["properties"] = map[string]any{"objectType": "OperationStatusJobExtendedInfo", "jobId": o.job.id}
	}
	return v
}
