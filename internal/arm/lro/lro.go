// Package lro starts and tracks Azure's long-running operations: by their
// Azure-AsyncOperation URL, or by their Location.
//
// Every function makes one call. The package does not wait, and it does not
// know flows or jobs beyond the job ID in an answer.
package lro

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/operation"
)

// State is the state of a long-running operation.
type State string

// The states.
const (
	Running   State = "Running"
	Succeeded State = "Succeeded"
	Failed    State = "Failed"
	Canceled  State = "Canceled"
	// Gone: ARM no longer knows the operation, or returned no URL to track it.
	// That is not a failure: the job or the resource shows the result.
	Gone State = "Gone"
)

// Progress is the result of one status request.
type Progress struct {
	State State
	// RetryAfter is the wait that Azure requests; zero if it requests none.
	RetryAfter time.Duration
	// JobID is the backup job's GUID. It is empty if the answer names no job.
	JobID string
	// Err is why the operation Failed, or was Canceled.
	Err *operation.Error
	// Body is the final body of a Location: the resource, or empty.
	Body json.RawMessage
	// NewTracking replaces the tracking if the answer has newer URLs or a job
	// ID; nil if nothing changed.
	NewTracking *operation.Tracking
}

// Submission is the answer of a call that starts a long-running operation.
type Submission struct {
	// Tracking is the input of Track. If its URLs are missing, Track returns
	// Gone, and the job or the resource shows the result.
	Tracking   operation.Tracking
	RetryAfter time.Duration
	// Done reports that the answer was final and there is nothing to wait for.
	Done bool
	// Body is the answer's body.
	Body json.RawMessage
}

// Start makes a call that starts a long-running operation.
func Start(ctx context.Context, c *arm.Client, r arm.Request) (Submission, error) {
	answer, err := c.Do(ctx, r)
	if err != nil {
		return Submission{}, err
	}
	return submissionOf(answer), nil
}

// submissionOf reads the answer of a call that starts a long-running operation.
// A 200, 201 or 204 without a tracking URL is final.
func submissionOf(a *arm.Answer) Submission {
	s := Submission{
		Tracking: operation.Tracking{
			StatusURL:   a.Header.Get("Azure-AsyncOperation"),
			ResultURL:   a.Header.Get("Location"),
			SubmittedAt: a.Date,
		},
		RetryAfter: a.RetryAfter,
		Body:       a.Body,
	}
	s.Done = a.Status != http.StatusAccepted && s.Tracking.StatusURL == "" && s.Tracking.ResultURL == ""
	return s
}
