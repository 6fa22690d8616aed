package operation

import (
	"slices"
	"time"
)

// Failure is why an operation will not succeed although it has not ended: a step of
// its flow cleans up first.
type Failure struct {
	// Status is the status in which the operation would have ended at Step: Failed,
	// Canceled or TimedOut.
	Status Status    `json:"status"`
	Step   string    `json:"step"`
	At     time.Time `json:"at"`
	// Err is nil for an operation that was canceled.
	Err *Error `json:"error,omitempty"`
	// Cause holds who canceled the operation, and why.
	Cause Cause `json:"cause,omitzero"`
	// Claim is the claim of a call whose effect is unknown: the clean-up must find
	// out whether it started work in Azure.
	Claim *Claim `json:"claim,omitempty"`
}

// divert continues the operation with the step that cleans up, in place of ending it
// with the status. The cancel and pause flags are dropped: they were for the work
// that ends here.
func (op Operation) divert(status Status, err *Error, claim *Claim, in Input) (Operation, Event) {
	failed := Failure{Status: status, Step: op.Step, At: in.Now, Err: err, Cause: op.CancelCause, Claim: claim}
	if status != Canceled {
		failed.Cause = Cause{}
	}
	// A step that fails again after a retry has one entry.
	op.Failures = append(slices.DeleteFunc(op.Failures, func(f Failure) bool { return f.Step == op.Step }), failed)
	op.Claim, op.RetryStep = nil, ""
	op.Attempts, op.Setbacks, op.LastError = 0, 0, err
	op.CancelRequested, op.CancelCause, op.Paused = false, Cause{}, false
	op.Validation = op.Validation.closed(in.Now)
	op.Deadline = in.Now.Add(in.CleanUpTime)
	op.enter(in.OnFailure, in.Now)
	op.DueAt, op.WaitingFor = in.Now, "the clean-up"
	op.move(CleanUpBegan, in.Now)
	what := map[Status]string{Canceled: "canceled", TimedOut: "deadline passed"}[status]
	if what == "" {
		what = "failed"
	}
	ev := op.event(what+"; cleaning up", in)
	if status == Canceled {
		ev = ev.With(failed.Cause)
	}
	return op, ev
}
