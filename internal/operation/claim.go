package operation

import "fmt"

// Claimed is the operation with a fresh claim on its current step's call. It
// stays at its seq: the call has not been made yet.
func (op Operation) Claimed(attemptID string, in Input) (Operation, Event) {
	next := op.clone()
	next.WriteID = in.WriteID
	next.UpdatedAt = in.Now
	next.Claim = &Claim{AttemptID: attemptID, ClaimedAt: in.Now, NotAfter: in.Now.Add(in.Waits.ClaimWindow)}
	return next, next.event(fmt.Sprintf("about to call, as attempt %s", attemptID), in)
}

// ClaimMissed is the operation after the holder of the claim was too late to
// make its call: nothing was called, the claim is given up.
func (op Operation) ClaimExpired(in Input) (Operation, Event) {
	next := op.advance(in)
	next.Claim = nil
	next.DueAt = in.Now
	next.move(StepAnswered, in.Now)
	return next, next.event("too late for the claimed call; nothing was called", in)
}

// Trace is what a look found of an unanswered claim.
type ReconcileResult string

// The traces.
const (
	// Found: the call took effect; the finding's Outcome is its answer.
	Found ReconcileResult = "found"
	// Nothing: the call had no effect; it may be claimed anew.
	NotFound ReconcileResult = "nothing"
	// Doubtful: it cannot be told; a person must look.
	Ambiguous ReconcileResult = "doubtful"
)

// Finding is the answer of a look.
type Reconciliation struct {
	Result  ReconcileResult
	Outcome Outcome
	// Err says why it is doubtful.
	Err *Error
}

// Resolved is the operation after a look at its open claim.
func (op Operation) Reconciled(plan Plan, f Reconciliation, in Input) (Operation, Event) {
	switch f.Result {
	case Found:
		f.Outcome.Note = note("the earlier request had taken effect", f.Outcome.Note)
		return op.Answered(plan, f.Outcome, in)
	case NotFound:
		next := op.advance(in)
		next.Claim = nil
		if p, ok := Transient.RetryPolicy(); ok && next.Attempts > p.MaxAttempts {
			return next.fail(next.LastError, in)
		}
		next.DueAt = in.Now
		next.move(StepAnswered, in.Now)
		return next, next.event("the earlier request had no effect; asking again", in)
	case Ambiguous:
		op.RetryStep = op.Step
	}
	return op.Parked(reason(f.Err), in)
}

// LookFailed is the operation after a look could not be made. The claim stays
// open; when patience runs out, or the deadline has passed, a person must look, because failing would say
// that nothing happened.
func (op Operation) ReconcileFailed(err *Error, in Input) (Operation, Event) {
	next := op.advance(in)
	next.LastError = err
	patience, again := err.Class.RetryPolicy()
	if !again || !in.Now.Before(op.Deadline) {
		return next.park(err, in)
	}
	if err.Class != Throttled {
		next.Attempts++
		if patience.MaxAttempts > 0 && next.Attempts > patience.MaxAttempts {
			return next.park(err, in)
		}
	}
	next.DueAt = in.Waits.next(in.Now, err.RetryAfter, in.Waits.afterError(patience, max(next.Attempts, 1)), in.Jitter)
	next.move(StepAnswered, in.Now)
	return next, next.event("looking for an unanswered request, trying again", in)
}
