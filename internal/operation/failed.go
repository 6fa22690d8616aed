package operation

import "fmt"

// StepFailed returns the operation after its step's call failed. An ambiguous
// failure keeps the claim, because the call may have taken effect. Any other
// failure clears it.
func (op Operation) StepFailed(err *Error, in Input) (Operation, Event) {
	next := op.advance(in)
	next.LastError = err
	policy, retriable := in.Waits.retryPolicy(err.Class)
	if next.Claim != nil && err.Ambiguous {
		next.Attempts++
		next.DueAt = later(next.Claim.NotAfter.Add(in.Waits.ClaimGrace), in.next(err.RetryAfter, 0))
		next.WaitingFor = "the reconciliation of an unanswered request"
		next.move(StepAnswered, in.Now)
		return next, next.event("no usable answer; the request may have taken effect, so it is reconciled before a retry", in)
	}
	next.Claim = nil
	if !retriable {
		return next.fail(err, in)
	}
	// A throttled call is retried without counting. Its wait grows with the age
	// of the step.
	wait := min(max(policy.InitialWait, in.Now.Sub(op.StepStartedAt)/10), policy.MaxWait)
	if err.Class != Throttled {
		next.Attempts++
		if policy.MaxAttempts > 0 && next.Attempts > policy.MaxAttempts {
			return next.fail(err, in)
		}
		wait = policy.Backoff(next.Attempts)
	}
	next.DueAt = next.byDeadline(in.next(err.RetryAfter, wait), in.Now)
	next.WaitingFor = "a retry after " + err.Code
	next.move(StepAnswered, in.Now)
	return next, next.event("retrying", in)
}

// RowTooLarge returns the operation, as last stored, after its next version was
// too large to be stored. It fails, because a retry would produce the same
// version. bare drops everything that may be large.
func (op Operation) RowTooLarge(problem string, bare bool, in Input) (Operation, Event) {
	next := op.advance(in)
	if bare {
		next.Learned, next.Warnings = nil, nil
	}
	if op.Tracking != nil || op.Claim != nil {
		next.Warnings = append(next.Warnings, "work that Azure has already begun continues")
	}
	claim := next.Claim
	next.Claim = nil
	return next.failClaimed(claim, &Error{
		Code: "TooLarge", Class: Fatal,
		Message: fmt.Sprintf("the result of step %s is too large to be stored: %s", op.Step, truncate(problem, maxNoticeText)),
		RecommendedAction: []string{
			"Check in Azure what the step did. Send a request with shorter parameters, and report this error: a step should not store this much.",
		},
	}, in)
}

// fail ends the operation with the error.
func (op Operation) fail(err *Error, in Input) (Operation, Event) {
	return op.failClaimed(nil, err, in)
}

// failClaimed is fail for an operation whose call may have taken effect.
func (op Operation) failClaimed(claim *Claim, err *Error, in Input) (Operation, Event) {
	if in.OnFailure != "" {
		return op.divert(Failed, err, claim, in)
	}
	op.LastError = err
	op.move(FailedForGood, in.Now)
	return op, op.event("failed", in)
}
