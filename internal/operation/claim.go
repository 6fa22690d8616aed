package operation

import "fmt"

// Claimed is the operation with a fresh claim on its current step's call. It
// stays at its seq: the call has not been made yet.
func (op Operation) Claimed(attemptID string, at At) (Operation, Event) {
	next := op.clone()
	next.WriteID = at.WriteID
	next.UpdatedAt = at.Now
	next.Claim = &Claim{AttemptID: attemptID, ClaimedAt: at.Now, NotAfter: at.Now.Add(at.Waits.ClaimWindow)}
	return next, next.event(fmt.Sprintf("about to call, as attempt %s", attemptID), at)
}

// ClaimMissed is the operation after the holder of the claim was too late to
// make its call: nothing was called, the claim is given up.
func (op Operation) ClaimMissed(at At) (Operation, Event) {
	next := op.advance(at)
	next.Claim = nil
	next.DueAt = at.Now
	next.move(StepAnswered, at.Now)
	return next, next.event("too late for the claimed call; nothing was called", at)
}

// Trace is what a look found of an unanswered claim.
type Trace string

// The traces.
const (
	// Found: the call took effect; the finding's Outcome is its answer.
	Found Trace = "found"
	// Nothing: the call had no effect; it may be claimed anew.
	Nothing Trace = "nothing"
	// Doubtful: it cannot be told; a person must look.
	Doubtful Trace = "doubtful"
)

// Finding is the answer of a look.
type Finding struct {
	Trace   Trace
	Outcome Outcome
	// Err says why it is doubtful.
	Err *Error
}

// Resolved is the operation after a look at its open claim.
func (op Operation) Resolved(plan Plan, f Finding, at At) (Operation, Event) {
	switch f.Trace {
	case Found:
		f.Outcome.Note = note("the earlier request had taken effect", f.Outcome.Note)
		return op.Answered(plan, f.Outcome, at)
	case Nothing:
		next := op.advance(at)
		next.Claim = nil
		if p, ok := Transient.Patience(); ok && next.Attempts > p.Attempts {
			return next.fail(next.LastError, at)
		}
		next.DueAt = at.Now
		next.move(StepAnswered, at.Now)
		return next, next.event("the earlier request had no effect; asking again", at)
	case Doubtful:
		op.RetryStep = op.Step
	}
	return op.ParkedBecause(reason(f.Err), at)
}

// LookFailed is the operation after a look could not be made. The claim stays
// open; when patience runs out, or the deadline has passed, a person must look, because failing would say
// that nothing happened.
func (op Operation) LookFailed(err *Error, at At) (Operation, Event) {
	next := op.advance(at)
	next.LastError = err
	patience, again := err.Class.Patience()
	if !again || !at.Now.Before(op.Deadline) {
		return next.park(err, at)
	}
	if err.Class != Throttled {
		next.Attempts++
		if patience.Attempts > 0 && next.Attempts > patience.Attempts {
			return next.park(err, at)
		}
	}
	next.DueAt = at.Waits.next(at.Now, err.RetryAfter, at.Waits.afterError(patience, max(next.Attempts, 1)), at.Jitter)
	next.move(StepAnswered, at.Now)
	return next, next.event("looking for an unanswered request, trying again", at)
}
