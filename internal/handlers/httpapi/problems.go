package httpapi

import (
	"encoding/json"
	"errors"
	"net/http"

	"azbackupflow/internal/api"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/handlers/intake"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/schedule"
	"azbackupflow/internal/step"
)

// unavailableRetryAfter is the Retry-After of a 503, in seconds.
const unavailableRetryAfter = "10"

// rateLimitedRetryAfter is the Retry-After of a call of Azure that the rate
// limits postpone, in seconds.
const rateLimitedRetryAfter = "60"

// writeProblem responds with the problem of an error. An error that the caller
// cannot correct is logged and becomes a 503, so that the caller retries.
func (a *API) writeProblem(w http.ResponseWriter, r *http.Request, err error) {
	p, known := problemOf(err)
	switch {
	case !known:
		a.cfg.Log.ErrorContext(r.Context(), "request failed", "method", r.Method, "path", r.URL.Path, "error", err)
		w.Header().Set("Retry-After", unavailableRetryAfter)
	case p.Type == api.ProblemUnavailable:
		w.Header().Set("Retry-After", rateLimitedRetryAfter)
	case p.Status == http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	write(w, p.Status, api.ContentTypeProblem, p)
}

// problemOf returns the problem of an error. It returns false for an error that
// the caller cannot correct.
func problemOf(err error) (p api.Problem, known bool) {
	var invalid *step.Invalid
	var conflict *engine.KeyConflict
	var body *http.MaxBytesError
	var unauthorized *Unauthorized
	var forbidden *Forbidden
	var unchecked *SignInUnchecked
	var azure *operation.Error
	var deferred *operation.Deferral
	p = api.Problem{Detail: intake.Shorten(err.Error(), intake.MaxReason), Fields: fieldErrors(intake.Fields(err))}
	if drill, known := drillProblem(err, p); known {
		return drill, true
	}
	switch {
	case errors.As(err, &invalid):
		p.Type, p.Title, p.Status = api.ProblemInvalidRequest, "The request is not valid", http.StatusBadRequest
	case errors.As(err, &conflict):
		p.Type, p.Title, p.Status, p.Operation = api.ProblemKeyConflict, "The key belongs to another request", http.StatusConflict, conflict.ID
	case errors.Is(err, engine.ErrTooLarge), errors.As(err, &body):
		p.Type, p.Title, p.Status = api.ProblemTooLarge, "The request is too large", http.StatusRequestEntityTooLarge
	case errors.Is(err, engine.ErrNotFound):
		p.Type, p.Title, p.Status = api.ProblemNotFound, "Operation not found", http.StatusNotFound
	case errors.Is(err, rejected.ErrNotFound):
		p.Type, p.Title, p.Status = api.ProblemRejectedNotFound, "Rejected request not found", http.StatusNotFound
	case errors.Is(err, errBulkNotFound):
		p.Type, p.Title, p.Status = api.ProblemBulkNotFound, "Bulk not found", http.StatusNotFound
	case errors.Is(err, schedule.ErrNotFound):
		p.Type, p.Title, p.Status = api.ProblemScheduleNotFound, "Schedule not found", http.StatusNotFound
	case errors.Is(err, schedule.ErrRunInProgress):
		p.Type, p.Title, p.Status = api.ProblemRunInProgress, "Another requested run is in progress", http.StatusConflict
	case errors.Is(err, engine.ErrEnded):
		p.Type, p.Title, p.Status = api.ProblemEnded, "The operation has ended", http.StatusConflict
	case errors.Is(err, engine.ErrNotRetriable):
		p.Type, p.Title, p.Status = api.ProblemNotRetriable, "The operation cannot be retried", http.StatusConflict
	case refusedAnswer(err) != "":
		p.Type, p.Title, p.Status = refusedAnswer(err), "The drill does not take this answer", http.StatusConflict
	case errors.Is(err, operation.ErrContinue):
		p.Type, p.Title, p.Status = api.ProblemInvalidRequest, "The request is not valid", http.StatusBadRequest
		p.Fields = []api.FieldError{{Field: "continue", Problem: "is not from an earlier page of this list", Want: "the value of continue on the page before"}}
	case operation.IsUnreadable(err):
		p.Type, p.Title, p.Status = api.ProblemUnreadable, "The stored record cannot be read", http.StatusInternalServerError
	case errors.As(err, &unchecked):
		p.Type, p.Title, p.Status = api.ProblemSignInUnchecked, "App Service authentication is not known to be on", http.StatusServiceUnavailable
	case errors.As(err, &unauthorized):
		p.Type, p.Title, p.Status = api.ProblemUnauthorized, "Authentication required", http.StatusUnauthorized
	case errors.As(err, &forbidden):
		p.Type, p.Title, p.Status = api.ProblemForbidden, "Access denied", http.StatusForbidden
	case errors.As(err, &deferred), errors.As(err, &azure) && azure.Class == operation.Throttled:
		p.Type, p.Title, p.Status = api.ProblemUnavailable, "Azure's rate limit is used up", http.StatusServiceUnavailable
	case errors.As(err, &azure) && azure.HTTPStatus == http.StatusNotFound:
		p.Type, p.Title, p.Status = api.ProblemNotInAzure, "Not found in Azure", http.StatusNotFound
	case errors.As(err, &azure):
		p.Type, p.Title, p.Status = api.ProblemAzure, "Azure did not answer the call", http.StatusBadGateway
	default:
		return api.Problem{
			Type: api.ProblemUnavailable, Title: "Storage or queue unavailable", Status: http.StatusServiceUnavailable,
			Detail: "Retry after the time in Retry-After. A request with a key is safe to repeat.",
		}, false
	}
	return p, true
}

// refusedAnswer returns the problem type of an answer that a drill does not take; empty
// for other errors.
func refusedAnswer(err error) string {
	for reason, problem := range map[error]string{
		operation.ErrNoValidation: api.ProblemNoValidation, operation.ErrOtherTarget: api.ProblemOtherTarget,
		operation.ErrWindowClosed: api.ProblemWindowClosed, operation.ErrAnswered: api.ProblemAnswered,
	} {
		if errors.Is(err, reason) {
			return problem
		}
	}
	return ""
}

func writeJSON(w http.ResponseWriter, status int, v any) error {
	write(w, status, "application/json", v)
	return nil
}

func write(w http.ResponseWriter, status int, contentType string, v any) {
	body, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"title":"The response could not be encoded"}`)
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // fails only if the caller has closed the connection
}
