package operation

import (
	"fmt"
	"slices"
	"time"
)

// Canceled returns the operation after its cancel request was honored.
func (op Operation) Canceled(in Input) (Operation, Event) {
	next := op.advance(in)
	if in.OnFailure != "" {
		return next.divert(Canceled, nil, op.Claim, in)
	}
	what := "canceled"
	if op.Tracking != nil {
		what += "; work that Azure has already begun continues"
		if op.Tracking.JobID != "" {
			what += ": job " + op.Tracking.JobID
		}
	}
	if op.Claim != nil {
		what += "; an unanswered request may have taken effect: attempt " + op.Claim.AttemptID
	}
	if op.Tracking != nil || op.Claim != nil {
		next.Warnings = append(next.Warnings, what)
	} else {
		what += "; Azure runs nothing that this operation started"
	}
	next.move(CancelHonored, in.Now)
	return next, next.event(what, in).With(op.CancelCause)
}

// Redirected returns the operation at the step that cancels the work that Azure
// has begun.
func (op Operation) Redirected(to string, in Input) (Operation, Event) {
	next := op.advance(in)
	next.Attempts, next.LastError = 0, nil
	next.enter(to, in.Now)
	next.DueAt = in.Now
	next.WaitingFor = "the cancellation"
	next.move(StepAnswered, in.Now)
	return next, next.event("cancel requested", in)
}

// TimedOut returns the operation after its deadline passed. It keeps everything
// that is known, such as a running job.
func (op Operation) TimedOut(in Input) (Operation, Event) {
	next := op.advance(in)
	if next.LastError == nil {
		next.LastError = &Error{
			Code: "DeadlinePassed", Class: Fatal,
			Message: fmt.Sprintf("not done by %s; it was at step %s, waiting for: %s",
				op.Deadline.UTC().Format(time.RFC3339), op.Step, op.WaitingFor),
			RecommendedAction: []string{"Check the step and the job above in Azure. If they are still running, start the operation again with a longer deadline."},
		}
	}
	if in.OnFailure != "" {
		return next.divert(TimedOut, next.LastError, op.Claim, in)
	}
	next.move(DeadlinePassed, in.Now)
	return next, next.event("deadline passed", in)
}

// Parked returns the operation after it was set aside for an operator.
func (op Operation) Parked(err *Error, in Input) (Operation, Event) {
	return op.advance(in).park(err, in)
}

func (op Operation) park(err *Error, in Input) (Operation, Event) {
	op.LastError = err
	op.WaitingFor = "an operator"
	op.DueAt = time.Time{}
	op.move(NeedsAttention, in.Now)
	return op, op.event("parked: needs an operator", in)
}

// Retried returns a failed, timed-out or parked operation that continues at the
// step where it stopped, or at its RetryStep. The new deadline allows as much
// time as the first one. An open claim stays open and is reconciled first,
// unless its reconciliation was ambiguous: then the person has already checked
// Azure.
func (op Operation) Retried(by Cause, in Input) (Operation, Event, error) {
	if _, err := op.Status.To(Retried); err != nil {
		return op, Event{}, err
	}
	next := op.advance(in)
	next.Round++
	next.Attempts, next.Setbacks = 0, 0
	next.EndedAt = time.Time{}
	next.CancelRequested, next.CancelCause, next.RetryCause = false, Cause{}, by
	next.LockedItem = ""
	next.Deadline = in.Now.Add(op.Deadline.Sub(later(op.CreatedAt, op.RetriedAt)))
	next.RetriedAt = in.Now
	next.DueAt = in.Now
	if next.RetryStep != "" {
		next.enter(next.RetryStep, in.Now)
		next.Tracking, next.Claim, next.RetryStep = nil, nil, ""
	}
	if next.Claim != nil {
		next.DueAt = later(in.Now, next.Claim.NotAfter.Add(in.Waits.ClaimGrace))
	}
	next.WaitingFor = ""
	next.StepStartedAt = in.Now
	next.Failures = slices.DeleteFunc(next.Failures, func(f Failure) bool { return f.Step == next.Step })
	next.move(Retried, in.Now)
	return next, next.event("retried", in).By(by), nil
}

// JustRetried reports whether the last change of the operation was its retry by the
// same actor, for the same reason.
func (op Operation) JustRetried(by Cause) bool {
	return op.Status == Running && op.Round > 0 && op.RetryCause == by && op.UpdatedAt.Equal(op.RetriedAt)
}
