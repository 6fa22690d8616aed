package azerr

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"azbackupflow/internal/arm/azjson"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/roles"
)

// Response is an answer of Azure Resource Manager that is not 2xx.
type Response struct {
	Request
	Status int
	Header http.Header
	Body   []byte
	// CorrelationID is the answer's x-ms-correlation-request-id.
	CorrelationID string
	// RetryAfter is the wait that the Retry-After header requests.
	RetryAfter time.Duration
}

// Request identifies the call that failed.
type Request struct {
	Method string
	// Path is the URL's path, without the query.
	Path string
}

// Writes reports whether the call may change something.
func (r Request) Writes() bool {
	return r.Method != http.MethodGet && r.Method != http.MethodHead
}

// Classify returns the error that an answer means. The class comes from Azure's
// code, see Catalogue, or from the HTTP status if the code is unknown.
func Classify(r Response) *operation.Error {
	f := pickFault(faults(r.Body))
	if f.code == "" {
		f.code = r.Header.Get("x-ms-error-code")
	}
	if f.code == "" {
		f.code = codeOfStatus(r.Status)
	}
	if f.message == "" {
		f.message = fmt.Sprintf("Azure answered HTTP %d without a readable reason (%s)", r.Status, contentType(r.Header))
	}
	e := newError(f)
	e.HTTPStatus = r.Status
	e.CorrelationID = r.CorrelationID
	entry, ok := entryOf(f)
	if !ok {
		entry.Class = classOfStatus(r.Status)
	}
	e.Class = entry.Class
	if r.Status == http.StatusTooManyRequests {
		e.Class = operation.Throttled
	}
	if e.Class != entry.Class {
		// The entry's remedy is for its own class.
		entry.RecommendedAction = ""
	}
	if len(e.RecommendedAction) == 0 {
		e.RecommendedAction = recommendedAction(entry, e.Class)
		if r.Status == http.StatusForbidden && e.Class == operation.UserAction && (!ok || entry.Permission) {
			e.RecommendedAction = []string{Redact(roles.RecommendedAction(e.Message, r.Method, r.Path))}
		}
	}
	e.RetryAfter = max(r.RetryAfter, entry.RetryAfter)
	if e.RetryAfter == 0 && e.Class == operation.Throttled {
		e.RetryAfter = ThrottlingIn(f.code, f.message).Wait
	}
	// A client error means that the call had no effect. A call that timed out
	// or failed on the server may have had one.
	e.Ambiguous = r.Writes() && (r.Status >= 500 || r.Status == http.StatusRequestTimeout)
	return e
}

// Failure returns the error of an operation or job that Azure accepted and that
// failed later. Unknown codes are Fatal: only an operator can decide whether to
// repeat the work.
func Failure(code, message string, recommended []string) *operation.Error {
	return failure(fault{code: code, message: message, actions: recommended}.named(""))
}

// JobFailure is one of the errors of a Recovery Services job.
type JobFailure struct {
	// Code is a number. Title is the named code, the name of the item, or a text.
	Code, Title, Message string
	Recommended          []string
	// Explanation is a text that is not translated, such as a workload job's
	// dynamicErrorMessage.
	Explanation string
}

// Error returns the error of a failed job, by the same rules as Failure.
func (j JobFailure) Error() *operation.Error {
	return failure(fault{code: j.Code, message: j.Message, actions: j.Recommended, explanation: j.Explanation}.named(j.Title))
}

// FailureIn returns the error that a resource or job holds in a field, such as
// DataProtection's UserFacingError, or the most specific of a list of them. It
// returns nil if the field is empty.
func FailureIn(raw json.RawMessage) *operation.Error {
	f := pickFault(faults(raw))
	if f.code == "" && f.message == "" && f.explanation == "" {
		return nil
	}
	return failure(f)
}

// FailedOperation returns the error that the status of a failed or canceled
// long-running operation holds.
func FailedOperation(status map[string]any, canceled bool) *operation.Error {
	var all []fault
	collect(azjson.Field(status, "error"), 0, &all)
	if properties, ok := azjson.Field(status, "properties").(map[string]any); ok {
		for _, name := range []string{"error", "errorDetails"} {
			collect(azjson.Field(properties, name), 0, &all)
		}
		if jobs, ok := azjson.Field(properties, "failedJobsError").(map[string]any); ok {
			for _, job := range slices.Sorted(maps.Keys(jobs)) {
				all = append(all, fault{message: "job " + job + ": " + azjson.String(jobs[job])})
			}
		}
	}
	if len(all) == 0 && canceled {
		all = []fault{{code: "OperationCanceled", message: "the operation was canceled in Azure"}}
	}
	return failure(pickFault(all))
}

// Malformed returns the error of a call that cannot be built; nothing was sent.
func Malformed(err error) *operation.Error {
	return &operation.Error{Code: CodeMalformedRequest, Class: operation.Fatal, Message: err.Error()}
}

// failure classifies an error that came without an HTTP status.
func failure(f fault) *operation.Error {
	if f.code == "" {
		f.code = "OperationFailed"
	}
	if f.message == "" {
		f.message = "Azure gave no reason"
	}
	e := newError(f)
	entry, ok := entryOf(f)
	if !ok {
		entry.Class = operation.Fatal
	}
	e.Class = entry.Class
	if len(e.RecommendedAction) == 0 {
		e.RecommendedAction = recommendedAction(entry, e.Class)
	}
	e.RetryAfter = entry.RetryAfter
	return e
}

// newError returns an error with the redacted texts of a fault.
func newError(f fault) *operation.Error {
	message, detail := f.text()
	e := &operation.Error{
		Code: Redact(f.code), Message: Redact(message), Detail: Redact(detail),
		Target: Redact(f.target), InfoType: Redact(f.kind), ActivityID: Redact(f.activityID),
	}
	for _, a := range f.actions {
		if a = Redact(a); !slices.Contains(e.RecommendedAction, a) {
			e.RecommendedAction = append(e.RecommendedAction, a)
		}
	}
	return e
}

// classOfStatus returns the class of a status whose code is unknown.
func classOfStatus(status int) operation.Class {
	switch status {
	case http.StatusTooManyRequests:
		return operation.Throttled
	case http.StatusRequestTimeout, http.StatusTooEarly:
		return operation.Transient
	case http.StatusConflict, http.StatusPreconditionFailed, http.StatusLocked:
		return operation.Conflict
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired:
		return operation.UserAction
	}
	if status >= 400 && status < 500 {
		return operation.Fatal
	}
	// 5xx, and redirects, which are not followed: both come from a gateway.
	return operation.Transient
}

// recommendedAction returns the catalogue's recommended action.
func recommendedAction(e Entry, class operation.Class) []string {
	if e.RecommendedAction != "" {
		return []string{e.RecommendedAction}
	}
	if class == operation.UserAction {
		return []string{"Check that the function app's managed identity has the required roles on the vault and on the backed-up resource; docs/roles.md lists them."}
	}
	return nil
}

// codeOfStatus returns a code for a status without one, such as BadGateway.
func codeOfStatus(status int) string {
	name := http.StatusText(status)
	if name == "" {
		return "HTTP" + strconv.Itoa(status)
	}
	return strings.NewReplacer(" ", "", "-", "", "'", "").Replace(name)
}

func contentType(h http.Header) string {
	if t := h.Get("Content-Type"); t != "" {
		return t
	}
	return "no content type"
}
