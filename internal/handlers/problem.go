package handlers

import (
	"encoding/json"
	"errors"
	"net/http"

	"azbackupflow/internal/customhandler"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/state"
	"azbackupflow/internal/step"
)

// Problem is an error answer (RFC 9457, application/problem+json).
type Problem struct {
	// Type is stable: programs may tell problems apart by it.
	Type   string            `json:"type"`
	Title  string            `json:"title"`
	Status int               `json:"status"`
	Detail string            `json:"detail,omitempty"`
	Fields []step.FieldError `json:"fields,omitempty"`
	// Operation is the id of the operation that the problem is about.
	Operation string `json:"operation,omitempty"`
}

// The problem types.
const (
	problemPrefix   = "urn:azbackupflow:problem:"
	invalidRequest  = problemPrefix + "invalid-request"
	keyConflict     = problemPrefix + "key-conflict"
	tooLarge        = problemPrefix + "too-large"
	notFound        = problemPrefix + "operation-not-found"
	noDeadLetter    = problemPrefix + "dead-letter-not-found"
	noSuchRoute     = problemPrefix + "no-such-route"
	notRetriable    = problemPrefix + "not-retriable"
	unavailable     = problemPrefix + "unavailable"
	unauthorized    = problemPrefix + "unauthorized"
	forbidden       = problemPrefix + "forbidden"
	retryAfterAways = "10" // seconds
)

// writeProblem answers an error. What the caller cannot mend is logged, and
// answered with 503: it may simply ask again.
func writeProblem(w http.ResponseWriter, r *http.Request, err error) {
	var invalid *step.Invalid
	var conflict *engine.KeyConflict
	var large *state.TooLarge
	var body *http.MaxBytesError
	var unknown *Unauthorized
	var denied *Forbidden
	p := Problem{Detail: shorten(err.Error(), longestReason), Fields: fieldsOf(err)}
	switch {
	case errors.As(err, &invalid):
		p.Type, p.Title, p.Status = invalidRequest, "The request is not valid", http.StatusBadRequest
	case errors.As(err, &conflict):
		p.Type, p.Title, p.Status, p.Operation = keyConflict, "The key belongs to another request", http.StatusConflict, conflict.ID
	case errors.As(err, &large), errors.As(err, &body):
		p.Type, p.Title, p.Status = tooLarge, "The request is too large", http.StatusRequestEntityTooLarge
	case errors.Is(err, engine.ErrNotFound):
		p.Type, p.Title, p.Status = notFound, "There is no such operation", http.StatusNotFound
	case errors.Is(err, rejected.ErrNotFound):
		p.Type, p.Title, p.Status = noDeadLetter, "There is no such dead letter", http.StatusNotFound
	case errors.Is(err, engine.ErrNotRetriable):
		p.Type, p.Title, p.Status = notRetriable, "The operation cannot be retried", http.StatusConflict
	case errors.Is(err, operation.ErrContinue):
		p.Type, p.Title, p.Status = invalidRequest, "The request is not valid", http.StatusBadRequest
		p.Fields = []step.FieldError{{Field: "continue", Problem: "does not come from an earlier page", Want: "the value of continue of the page before"}}
	case errors.As(err, &unknown):
		p.Type, p.Title, p.Status = unauthorized, "Sign in first", http.StatusUnauthorized
		w.Header().Set("WWW-Authenticate", "Bearer")
	case errors.As(err, &denied):
		p.Type, p.Title, p.Status = forbidden, "The caller may not do this", http.StatusForbidden
	default:
		customhandler.Logger(r.Context()).ErrorContext(r.Context(), "request failed", "method", r.Method, "path", r.URL.Path, "error", err)
		p = Problem{Type: unavailable, Title: "azbackupflow cannot reach its state or queue", Status: http.StatusServiceUnavailable, Detail: "Ask again in a while; the same key gives the same operation."}
		w.Header().Set("Retry-After", retryAfterAways)
	}
	write(w, p.Status, "application/problem+json", p)
}

func writeJSON(w http.ResponseWriter, status int, v any) { write(w, status, "application/json", v) }

func write(w http.ResponseWriter, status int, contentType string, v any) {
	body, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"title":"the answer cannot be written"}`)
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // the caller has hung up: nobody is there to tell
}
