package customhandler

import (
	"encoding/json"
	"net/http"
)

// overdueRetryAfter is the Retry-After of an HTTP request that is overdue, in
// seconds.
const overdueRetryAfter = "10"

// writeProblem responds to an HTTP request whose handler panicked or is overdue,
// in the form of RFC 9457. Its cause is in the log only.
func writeProblem(w http.ResponseWriter, status int, invocationID string) error {
	detail := "The request failed unexpectedly. The log of invocation " + invocationID + " has the reason."
	if status == http.StatusServiceUnavailable {
		detail = "The request took too long, and may still take effect. Retry after the time in Retry-After."
		w.Header().Set("Retry-After", overdueRetryAfter)
	}
	body, err := json.Marshal(struct {
		Type   string `json:"type"`
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail"`
	}{"about:blank", http.StatusText(status), status, detail})
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, err = w.Write(body)
	return err
}
