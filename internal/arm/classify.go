package arm

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/roles"
)

// Compiled once.
var (
	waitText = regexp.MustCompile(`(?i)after\s+'?(\d{1,9})'?\s+(second|minute|hour)`)
)

// Classify reads an answer that is not 2xx as the error that it is. It tells
// the class by Azure's code, see Catalogue, and by the HTTP status where the
// code is not known.
func Classify(a *Answer) *operation.Error {
	f := telling(faults(a.Body))
	if f.code == "" {
		f.code = a.Header.Get("x-ms-error-code")
	}
	if f.code == "" {
		f.code = nameOf(a.Status)
	}
	if f.message == "" {
		f.message = fmt.Sprintf("Azure answered HTTP %d without a reason that can be read (%s)",
			a.Status, contentType(a.Header))
	}
	e := build(f)
	e.HTTPStatus = a.Status
	e.CorrelationID = a.CorrelationID
	entry, ok := entryFor(f)
	if !ok {
		entry.Class = classOf(a.Status)
	}
	e.Class = entry.Class
	if a.Status == http.StatusTooManyRequests {
		e.Class = operation.Throttled
	}
	if len(e.RecommendedAction) == 0 {
		e.RecommendedAction = advice(entry, e.Class)
		if a.Status == http.StatusForbidden && e.Class == operation.UserAction && (!ok || entry.Permission) {
			e.RecommendedAction = []string{Clean(roles.Refused(e.Message, a.Method, a.Path))}
		}
	}
	e.RetryAfter = max(a.RetryAfter, entry.RetryAfter)
	if e.RetryAfter == 0 && e.Class == operation.Throttled {
		e.RetryAfter = waitInText(f.message)
	}
	// A client error is an answer: it had no effect. A request that timed out
	// or broke on the server may have had one.
	e.Ambiguous = writes(a.Method) && (a.Status >= 500 || a.Status == http.StatusRequestTimeout)
	return e
}

// Failure is the error of an operation or job that Azure accepted and that
// failed later. A code that the catalogue does not know is Fatal: only a person
// can tell whether to do it all again.
func Failure(code, message string, recommended []string) *operation.Error {
	f := fault{code: code, message: message, actions: recommended}
	if _, numbered := strconv.Atoi(code); numbered == nil || code == "" {
		if named, _, ok := namedIn(message); ok {
			f.code = named
		}
	}
	return failure(f)
}

// FailureIn reads an error that a resource or job carries in a field of its
// own, such as DataProtection's UserFacingError, or a list of them. It is nil
// where the field is missing or says nothing.
func FailureIn(raw json.RawMessage) *operation.Error {
	f := telling(faults(raw))
	if f.code == "" && f.message == "" && f.detail == "" {
		return nil
	}
	return failure(f)
}

func failure(f fault) *operation.Error {
	if f.code == "" {
		f.code = "OperationFailed"
	}
	if f.message == "" {
		f.message = "Azure gave no reason"
	}
	e := build(f)
	entry, ok := entryFor(f)
	if !ok {
		entry.Class = operation.Fatal
	}
	e.Class = entry.Class
	if len(e.RecommendedAction) == 0 {
		e.RecommendedAction = advice(entry, e.Class)
	}
	e.RetryAfter = entry.RetryAfter
	return e
}

func build(f fault) *operation.Error {
	if f.detail != "" && !strings.Contains(f.message, f.detail) {
		f.message += " (" + f.detail + ")"
	}
	e := &operation.Error{Code: Clean(f.code), Message: Clean(f.message)}
	for _, a := range f.actions {
		e.RecommendedAction = append(e.RecommendedAction, Clean(a))
	}
	return e
}

func entryFor(f fault) (Entry, bool) {
	if e, ok := known(f.code); ok {
		return e, true
	}
	return knownByText(f.message)
}

// classOf is the class of a status whose code is not known.
func classOf(status int) operation.Class {
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
	// 5xx, and redirects, which are not followed: some gateway is at work.
	return operation.Transient
}

func advice(e Entry, class operation.Class) []string {
	if e.Advice != "" {
		return []string{e.Advice}
	}
	if class == operation.UserAction {
		return []string{"See that the function app's managed identity may do this on the vault and the item."}
	}
	return nil
}

// waitInText reads the wait that a provider's 429 names in its text only, such
// as "Please try again after '324' seconds".
func waitInText(message string) time.Duration {
	m := waitText.FindStringSubmatch(message)
	if m == nil {
		return 0
	}
	n, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return 0
	}
	switch strings.ToLower(m[2]) {
	case "minute":
		n *= 60
	case "hour":
		n *= 3600
	}
	return seconds2duration(n)
}

// nameOf is a code for a status without one, such as BadGateway.
func nameOf(status int) string {
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
