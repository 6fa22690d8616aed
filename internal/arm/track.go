package arm

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"azbackupflow/internal/operation"
)

// State is how far a long-running operation is.
type State string

// The states.
const (
	Running   State = "Running"
	Succeeded State = "Succeeded"
	Failed    State = "Failed"
	Canceled  State = "Canceled"
	// Gone: ARM does not know the operation any more, or gave no way to
	// follow it. That is no failure: the job or the resource tells.
	Gone State = "Gone"
)

// Progress is what one look at a long-running operation showed.
type Progress struct {
	State State
	// RetryAfter is how long Azure asks to wait; zero if it does not say.
	RetryAfter time.Duration
	// JobID is the backup job's: a bare GUID or a full resource id, in any
	// casing; empty when the answer names none.
	JobID string
	// Err is why the operation Failed, or was Canceled where a reason is given.
	Err *operation.Error
	// Body is the final body of a Location that was read to its end: the
	// resource, or empty.
	Body json.RawMessage
	// NewTracking replaces the tracking when the answer brought newer URLs or
	// a job id; nil when nothing changed.
	NewTracking *operation.Tracking
}

// Submission is the answer of a call that starts a long-running operation.
type Submission struct {
	// Tracking is how to follow it. Its URLs may be missing: then Track says
	// Gone, and the job or the resource tells.
	Tracking   operation.Tracking
	RetryAfter time.Duration
	// Done: the answer was final, there is nothing to wait for.
	Done bool
	// Body is the answer's body.
	Body json.RawMessage
}

// Accepted is how the operation that an answer accepted is followed: by its
// Azure-AsyncOperation and Location headers, as they came.
func Accepted(a *Answer) operation.Tracking {
	return operation.Tracking{
		StatusURL:   a.Header.Get("Azure-AsyncOperation"),
		ResultURL:   a.Header.Get("Location"),
		SubmittedAt: a.Date,
	}
}

// Submitted reads the answer of a call that starts a long-running operation. A
// 200, 201 or 204 without a way to follow it is final already.
func Submitted(a *Answer) Submission {
	s := Submission{Tracking: Accepted(a), RetryAfter: a.RetryAfter, Body: a.Body}
	s.Done = a.Status != http.StatusAccepted && s.Tracking.StatusURL == "" && s.Tracking.ResultURL == ""
	return s
}

// Track looks once at a long-running operation: at its Azure-AsyncOperation
// URL, or at its Location where there is no other, or where ARM does not know
// the other any more. An error is a failure to read the status and never means
// that the operation failed.
func (c *Client) Track(ctx context.Context, t operation.Tracking) (Progress, error) {
	if t.StatusURL != "" {
		answer, err := c.Poll(ctx, t.StatusURL, "")
		if err == nil {
			return c.read(answer, t, true)
		}
		if !notFound(err) {
			return Progress{}, err
		}
		if t.ResultURL == "" {
			return Progress{State: Gone}, nil
		}
	}
	if t.ResultURL == "" {
		return Progress{State: Gone}, nil
	}
	// From here on only the Location counts, also for later looks.
	lost := t.StatusURL != ""
	t.StatusURL = ""
	answer, err := c.Poll(ctx, t.ResultURL, "")
	if err != nil {
		if notFound(err) {
			return Progress{State: Gone}, nil
		}
		return Progress{}, err
	}
	p, err := c.read(answer, t, false)
	if err == nil && lost && p.NewTracking == nil {
		p.NewTracking = &t
	}
	return p, err
}

// read tells the state from an answer of the status URL or of the Location.
func (c *Client) read(a *Answer, t operation.Tracking, status bool) (Progress, error) {
	p := Progress{RetryAfter: a.RetryAfter}
	var body map[string]any
	if len(a.Body) > 0 {
		// A body that is no object says nothing about the state.
		if json.Unmarshal(a.Body, &body) != nil {
			body = nil
		}
	}
	word, stated := field(body, "status").(string)
	switch {
	case a.Status == http.StatusAccepted:
		p.State = Running
	case stated && word != "":
		p.State = stateOf(word)
	case status && a.Status != http.StatusNoContent:
		return Progress{}, a.unreadable("it has no status")
	default:
		p.State = Succeeded
	}
	if !status && p.State == Succeeded {
		p.Body = a.Body
	}
	if p.State == Failed || p.State == Canceled {
		p.Err = operationError(body, a, p.State)
	}
	p.JobID = jobID(body)
	p.NewTracking = c.newer(a, t, p.JobID)
	return p, nil
}

// stateOf reads a status word: whatever is not known to be an end runs.
func stateOf(word string) State {
	switch strings.ToLower(word) {
	case "succeeded":
		return Succeeded
	case "failed":
		return Failed
	case "canceled", "cancelled":
		return Canceled
	}
	return Running
}

// operationError is the error that a failed operation's status carries.
func operationError(body map[string]any, a *Answer, state State) *operation.Error {
	var all []fault
	collect(field(body, "error"), 0, &all)
	if properties, ok := field(body, "properties").(map[string]any); ok {
		for _, name := range []string{"error", "errorDetails"} {
			collect(field(properties, name), 0, &all)
		}
		if jobs, ok := field(properties, "failedJobsError").(map[string]any); ok {
			for job, why := range jobs {
				all = append(all, fault{message: "job " + job + ": " + text(why)})
			}
		}
	}
	if len(all) == 0 && state == Canceled {
		all = []fault{{code: "OperationCanceled", message: "the operation was canceled in Azure"}}
	}
	e := failure(telling(all))
	e.CorrelationID = a.CorrelationID
	return e
}

// jobID finds the job that the operation started: Recovery Services and
// DataProtection's status keep it in properties, DataProtection's Location at
// the top.
func jobID(body map[string]any) string {
	if properties, ok := field(body, "properties").(map[string]any); ok {
		if id := text(field(properties, "jobId")); id != "" {
			return id
		}
		if ids := texts(field(properties, "jobIds")); len(ids) == 1 {
			return ids[0]
		}
	}
	return text(field(body, "jobId"))
}

// newer is the tracking with the URLs and job id that the answer brought, nil
// if they are none or the same. A URL that could not be followed is not taken.
func (c *Client) newer(a *Answer, t operation.Tracking, job string) *operation.Tracking {
	next := t
	if u := a.Header.Get("Azure-AsyncOperation"); u != "" && t.StatusURL != "" && c.follows(u) {
		next.StatusURL = u
	}
	if u := a.Header.Get("Location"); u != "" && c.follows(u) {
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

func (c *Client) follows(rawURL string) bool {
	u, err := exactURL(rawURL)
	return err == nil && c.trust.check(u) == nil
}

// notFound: ARM does not know what the URL points to.
func notFound(err error) bool {
	var e *operation.Error
	return errors.As(err, &e) && (e.HTTPStatus == http.StatusNotFound || e.HTTPStatus == http.StatusGone)
}
