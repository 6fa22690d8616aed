package operation

import "time"

// Kind is the meaning of a step's answer for the flow.
type Kind string

// The kinds of outcome.
const (
	// Advance: the step is done. Continue with Next or the following step.
	Advance Kind = "Advance"
	// Wait: Azure is still working. Run the same step again later.
	Wait Kind = "Wait"
	// Finish: the operation is done.
	Finish Kind = "Finish"
	// Back: work that an earlier step started has failed and is worth a retry.
	// Go back to the step named by Next.
	Back Kind = "Back"
	// Fail: work that Azure had accepted has failed, and is not started again. The
	// operation fails with Err, whatever its class.
	Fail Kind = "Fail"
	// Stop: the requested cancellation is done. The operation is canceled.
	Stop Kind = "Stop"
	// Unclear: the result is unknown. An operator must check.
	Unclear Kind = "Unclear"
)

// Pace chooses the wait if Azure sent no Retry-After.
type Pace string

// The paces.
const (
	// PaceDefault is Waits.Default, about a minute.
	PaceDefault Pace = ""
	// PaceJob is a tenth of the step's age, between Waits.MinJob and
	// Waits.MaxJob.
	PaceJob Pace = "job"
	// PaceNow checks again at once.
	PaceNow Pace = "now"
)

// Outcome is the result of one step: the interpreted answer of one ARM call.
type Outcome struct {
	Kind Kind
	// Next names the step to go to. Empty with Advance means the following
	// step. With Fail and Unclear it is the step at which an operator's retry
	// begins; empty means the same step.
	Next string
	// Learned is added to what the operation knows. An empty value removes.
	Learned map[string]string
	// Tracking replaces the operation's tracking if it is not nil. An empty one
	// removes it.
	Tracking *Tracking
	// After is Azure's Retry-After. Zero leaves the wait to Pace.
	After time.Duration
	Pace  Pace
	// Err is the failure, with Back, Fail and Unclear.
	Err *Error
	// Warnings end the operation as SucceededWithWarnings.
	Warnings []string
	// Within, with Advance, moves the deadline to this time from now; zero keeps it.
	Within time.Duration
	// Validation opens the validation of the operation if it is not nil.
	Validation *Validation
	// Uncancel, with Unclear, drops a cancel request that came before: the operator
	// must decide again.
	Uncancel bool
	// Note explains the answer to an operator.
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
	// Failure describes the network error if there is no status.
	Failure string `json:"failure,omitempty"`
}

// Event is one line of an operation's history. Every save writes one.
type Event struct {
	Seq int64     `json:"seq"`
	At  time.Time `json:"at"`
	// Step is the step that ran, or the current one if none ran. Next is the step
	// that follows, if it is another one.
	Step      string     `json:"step"`
	Next      string     `json:"next,omitempty"`
	Status    Status     `json:"status"`
	What      string     `json:"what"`
	Exchanges []Exchange `json:"exchanges,omitempty"`
	DueAt     time.Time  `json:"dueAt,omitzero"`
	Err       *Error     `json:"error,omitempty"`
	// Cause holds who made the change, and why. It is nil for changes of the engine.
	Cause *Cause `json:"cause,omitempty"`
	// WriteID is the ID of the save that wrote the event.
	WriteID string `json:"writeId"`
}

// After returns the event as that of a step: it names the step that ran, and the
// one that follows.
func (ev Event) After(ran string) Event {
	if ran != ev.Step {
		ev.Step, ev.Next = ran, ev.Step
	}
	return ev
}

// With returns the event with its cause, if that is known.
func (ev Event) With(c Cause) Event {
	if c.Actor.Kind != "" {
		ev.Cause = &c
	}
	return ev
}

// By returns the event with its cause, which its text names too.
func (ev Event) By(c Cause) Event {
	if c.Actor.Kind != "" {
		ev.What = note(ev.What+" by "+c.Actor.String(), c.Reason)
	}
	return ev.With(c)
}
