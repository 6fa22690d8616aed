package operation

import "time"

// Kind is what a step's answer means for the flow.
type Kind string

// The kinds of outcome.
const (
	// Advance: the step is done, go on with Next or the following step.
	Advance Kind = "Advance"
	// Wait: Azure is still at it, look again with the same step.
	Wait Kind = "Wait"
	// Finish: the whole operation is done.
	Finish Kind = "Finish"
	// Back: what an earlier step started has failed in a way worth another
	// try; go back to the step named by Next.
	Back Kind = "Back"
	// Stop: what a cancel asked for has been done; the operation is canceled.
	Stop Kind = "Stop"
	// Unclear: what happened cannot be told; a person must look.
	Unclear Kind = "Unclear"
)

// Pace chooses the wait when Azure did not name one.
type Pace string

// The paces.
const (
	// PaceDefault is Waits.Default, about a minute.
	PaceDefault Pace = ""
	// PaceJob grows with the age of what is waited for: a tenth of it, between
	// Waits.JobShortest and Waits.JobLongest.
	PaceJob Pace = "job"
	// PaceNow looks again at once.
	PaceNow Pace = "now"
)

// Outcome is what one step came to: the answer of one ARM call, read.
type Outcome struct {
	Kind Kind
	// Next names the step to go to; empty with Advance means the following
	// one. With Unclear it is where a person's retry begins; empty means with
	// the same step.
	Next string
	// Learned is added to what the operation knows; an empty value removes.
	Learned map[string]string
	// Tracking replaces the operation's tracking when it is not nil.
	Tracking *Tracking
	// After is Azure's Retry-After; zero leaves the wait to Pace.
	After time.Duration
	Pace  Pace
	// Err says what failed, with Back and Unclear.
	Err *Error
	// Warnings end the operation as SucceededWithWarnings.
	Warnings []string
	// Note tells a person what the answer meant.
	Note string
}

// Exchange is one HTTP request and its answer, without its query (poll URLs
// are signed), headers or bodies.
type Exchange struct {
	Method        string `json:"method"`
	Path          string `json:"path"`
	Status        int    `json:"status,omitempty"`
	CorrelationID string `json:"correlationId,omitempty"`
	RequestID     string `json:"requestId,omitempty"`
	// Failure is what went wrong on the wire when there is no status.
	Failure string `json:"failure,omitempty"`
}

// Event is one line of an operation's history; every save writes one.
type Event struct {
	Seq       int64      `json:"seq"`
	At        time.Time  `json:"at"`
	Step      string     `json:"step"`
	Status    Status     `json:"status"`
	What      string     `json:"what"`
	Exchanges []Exchange `json:"exchanges,omitempty"`
	DueAt     time.Time  `json:"dueAt,omitzero"`
	Err       *Error     `json:"error,omitempty"`
	// WriteID is that of the save that wrote the event.
	WriteID string `json:"writeId"`
}
