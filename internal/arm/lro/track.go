package lro

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/azjson"
	"azbackupflow/internal/operation"
)

// Poller is the part of *arm.Client that Track needs.
type Poller interface {
	// Poll sends one GET to a URL that ARM returned.
	Poll(ctx context.Context, rawURL string) (*arm.Answer, error)
	// Trusts reports whether Poll would send a request to the URL.
	Trusts(rawURL string) bool
}

// Track makes one status request: to the Azure-AsyncOperation URL, or to the
// Location if there is no other URL or ARM no longer knows it. An error means
// that the status could not be read, never that the operation failed.
func Track(ctx context.Context, c Poller, t operation.Tracking) (Progress, error) {
	if t.StatusURL != "" {
		answer, err := c.Poll(ctx, t.StatusURL)
		if err == nil {
			return progressOf(c, answer, t, true)
		}
		if !isNotFound(err) {
			return Progress{}, err
		}
	}
	if t.ResultURL == "" {
		return Progress{State: Gone}, nil
	}
	// From here on, only the Location is used, also by later requests.
	lostStatusURL := t.StatusURL != ""
	t.StatusURL = ""
	answer, err := c.Poll(ctx, t.ResultURL)
	if err != nil {
		if isNotFound(err) {
			return Progress{State: Gone}, nil
		}
		return Progress{}, err
	}
	p, err := progressOf(c, answer, t, false)
	if err == nil && lostStatusURL && p.NewTracking == nil {
		p.NewTracking = &t
	}
	return p, err
}

// progressOf reads an answer of the status URL or of the Location.
func progressOf(c Poller, a *arm.Answer, t operation.Tracking, fromStatusURL bool) (Progress, error) {
	p := Progress{RetryAfter: a.RetryAfter}
	var body map[string]any
	if len(a.Body) > 0 {
		// A body that is not an object has no state.
		if json.Unmarshal(a.Body, &body) != nil {
			body = nil
		}
	}
	status, _ := azjson.Field(body, "status").(string)
	switch {
	case a.Status == http.StatusAccepted:
		p.State = Running
	case status != "":
		p.State = stateOf(status)
	case fromStatusURL && a.Status != http.StatusNoContent:
		return Progress{}, a.Unreadable("it has no status")
	default:
		p.State = Succeeded
	}
	if !fromStatusURL && p.State == Succeeded {
		p.Body = a.Body
	}
	if p.State == Failed || p.State == Canceled {
		p.Err = azerr.FailedOperation(body, p.State == Canceled)
		p.Err.CorrelationID = a.CorrelationID
	}
	p.JobID = jobID(body)
	p.NewTracking = newTracking(c, a, t, p.JobID)
	return p, nil
}

// stateOf returns the state that a status means. Unknown statuses count as
// Running.
func stateOf(status string) State {
	switch strings.ToLower(status) {
	case "succeeded":
		return Succeeded
	case "failed":
		return Failed
	case "canceled", "cancelled":
		return Canceled
	}
	return Running
}

// jobID returns the ID of the job that the operation started. Recovery Services
// and DataProtection's status hold it in properties, DataProtection's Location
// holds it at the top.
func jobID(body map[string]any) string {
	if properties, ok := azjson.Field(body, "properties").(map[string]any); ok {
		if id := azjson.String(azjson.Field(properties, "jobId")); id != "" {
			return id
		}
		if ids := azjson.Strings(azjson.Field(properties, "jobIds")); len(ids) == 1 {
			return ids[0]
		}
	}
	return azjson.String(azjson.Field(body, "jobId"))
}

// newTracking returns the tracking with the URLs and job ID of the answer, or
// nil if they are the same. URLs to hosts that are not trusted are ignored.
func newTracking(c Poller, a *arm.Answer, t operation.Tracking, job string) *operation.Tracking {
	next := t
	if u := a.Header.Get("Azure-AsyncOperation"); u != "" && t.StatusURL != "" && c.Trusts(u) {
		next.StatusURL = u
	}
	if u := a.Header.Get("Location"); u != "" && c.Trusts(u) {
		next.ResultURL = u
	}
	if job != "" {
		next.JobID = job
	}
	if next == t {
		return nil
	}
	return &next
}

// isNotFound reports whether ARM does not know the URL's resource.
func isNotFound(err error) bool {
	var e *operation.Error
	return errors.As(err, &e) && (e.HTTPStatus == http.StatusNotFound || e.HTTPStatus == http.StatusGone)
}
