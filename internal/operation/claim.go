package operation

import "fmt"

// Claimed returns the operation with a fresh claim on its current step's call.
// Seq stays the same, because the call has not been made yet.
func (op Operation) Claimed(attemptID string, in Input) (Operation, Event) {
	next := op.clone()
	next.WriteID = in.WriteID
	next.UpdatedAt = in.Now
	next.OnlyRead = false
	next.Claim = &Claim{AttemptID: attemptID, ClaimedAt: in.Now, NotAfter: in.Now.Add(in.Waits.ClaimWindow)}
	return next, next.event(fmt.Sprintf("claimed the call as attempt %s", attemptID), in)
}

// ClaimExpired returns the operation after the holder of the claim was too late
// to make its call. Nothing was called, so the claim is dropped.
func (op Operation) ClaimExpired(in Input) (Operation, Event) {
	next := op.advance(in)
	next.Claim = nil
	next.DueAt = in.Now
	next.move(StepAnswered, in.Now)
	return next, next.event("claim expired before the call; nothing was called", in)
}

// ReconcileResult is the known effect of an unanswered call.
type ReconcileResult string

// The results of a reconciliation.
const (
	// Found: the call took effect. The reconciliation's Outcome is its answer.
	Found ReconcileResult = "found"
	// NotFound: the call had no effect. It may be claimed again.
	NotFound ReconcileResult = "not found"
	// Ambiguous: the call may have taken effect. An operator must check.
	Ambiguous ReconcileResult = "ambiguous"
)

// Reconciliation is the answer of a step's Reconcile.
type Reconciliation struct {
	Result  ReconcileResult
	Outcome Outcome
	// Err is the reason for an Ambiguous result.
	Err *Error
}

// Reconciled returns the operation after its open claim was reconciled.
func (op Operation) Reconciled(plan Plan, r Reconciliation, in Input) (Operation, Event) {
	switch r.Result {
	case Found:
		r.Outcome.Note = note("the earlier request had taken effect", r.Outcome.Note)
		return op.Answered(plan, r.Outcome, in)
	case NotFound:
		next := op.advance(in)
		next.Claim = nil
		if p, ok := in.Waits.retryPolicy(Transient); ok && next.Attempts > p.MaxAttempts {
			return next.fail(next.LastError, in)
		}
		next.DueAt = in.Now
		next.move(StepAnswered, in.Now)
		return next, next.event("the earlier request had no effect; retrying", in)
	case Ambiguous:
		op.RetryStep = op.Step
	}
	return op.Parked(reason(r.Err), in)
}

// ReconcileFailed returns the operation after a reconciliation failed. The claim
// stays open. When the retries are used up, or the deadline has passed, the
// operation is parked: Failed would say that the call had no effect.
func (op Operation) ReconcileFailed(err *Error, in Input) (Operation, Event) {
	next := op.advance(in)
	next.LastError = err
	policy, retriable := in.Waits.retryPolicy(err.Class)
	if !retriable || !in.Now.Before(op.Deadline) {
		return next.park(err, in)
	}
	if err.Class != Throttled {
		next.Attempts++
		if policy.MaxAttempts > 0 && next.Attempts > policy.MaxAttempts {
			return next.park(err, in)
		}
	}
	next.DueAt = in.next(err.RetryAfter, policy.Backoff(max(next.Attempts, 1)))
	next.move(StepAnswered, in.Now)
	return next, next.event("retrying the reconciliation of an unanswered request", in)
}
