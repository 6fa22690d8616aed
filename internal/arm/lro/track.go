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
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
)

// Poller is the part of *arm.Client that Track needs.
type Poller interface {
	// Poll sends one GET to a URL that ARM returned.
	Poll(ctx context.Context, rawURL string) (*arm.Answer, error)
	// Trusts reports whether Poll would send a request to the URL.
	Trusts(rawURL string) bool
}

// Track reads the status once, from the Azure-AsyncOperation URL. It falls back
// to the Location if there is no other URL, if ARM no longer knows it, or if its
// answer is fatal or unreadable. An error means that the status could not be
// read, never that the operation failed.
func Track(ctx context.Context, c Poller, t operation.Tracking) (Progress, error) {
	if t.StatusURL == "" {
		return trackResult(ctx, c, t, t)
	}
	p, err := trackStatus(ctx, c, t)
	if err == nil {
		return p, nil
	}
	problem, useResult := unusable(err)
	if !useResult {
		return Progress{}, err
	}
	if t.ResultURL == "" && problem != notFound {
		return Progress{}, err
	}
	// A fatal answer repeats, so later requests use only the Location. An
	// unreadable one may come from a gateway, and pass.
	later := t
	if problem != unreadable {
		later.StatusURL = ""
	}
	p, resultErr := trackResult(ctx, c, t, later)
	if resultErr == nil && p.State == Gone && problem != notFound {
		// Neither URL shows how the operation ended.
		return Progress{}, err
	}
	return p, resultErr
}

// problem is why a status URL cannot be used.
type problem int

const (
	notFound problem = iota
	fatal
	unreadable
)

// unusable returns why the answer of a status URL cannot be used; ok is false if
// the request should only be repeated later.
func unusable(err error) (why problem, ok bool) {
	var e *operation.Error
	switch {
	case azerr.IsNotFound(err):
		return notFound, true
	case !errors.As(err, &e):
		return 0, false
	case e.Class == operation.Fatal:
		return fatal, true
	case e.Code == azerr.CodeUnreadableAnswer:
		return unreadable, true
	}
	return 0, false
}

// trackStatus reads the status from the Azure-AsyncOperation URL.
func trackStatus(ctx context.Context, c Poller, t operation.Tracking) (Progress, error) {
	answer, err := c.Poll(ctx, t.StatusURL)
	if err != nil {
		return Progress{}, err
	}
	return progressOf(c, answer, t, true)
}

// trackResult reads the status from the Location. The progress has the tracking
// for later requests if that differs from t.
func trackResult(ctx context.Context, c Poller, t, later operation.Tracking) (Progress, error) {
	if t.ResultURL == "" {
		return Progress{State: Gone}, nil
	}
	answer, err := c.Poll(ctx, t.ResultURL)
	if err != nil {
		if azerr.IsNotFound(err) {
			return Progress{State: Gone}, nil
		}
		return Progress{}, err
	}
	p, err := progressOf(c, answer, later, false)
	if err == nil && later != t && p.NewTracking == nil {
		p.NewTracking = &later
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

// jobID returns the GUID of the job that the operation started.
// DataProtection's answers hold a full resource ID, whose casing varies.
func jobID(body map[string]any) string { return resourceid.LastName(jobReference(body)) }

// jobReference returns an answer's reference to a job. Recovery Services and
// DataProtection's status hold it in properties, DataProtection's Location holds
// it at the top.
func jobReference(body map[string]any) string {
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
