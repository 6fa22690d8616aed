package operation

// Answered returns the operation after Azure answered the call of its step.
func (op Operation) Answered(plan Plan, out Outcome, in Input) (Operation, Event) {
	next := op.advance(in)
	next.Claim = nil
	next.learn(out)
	next.WaitingFor = out.Note
	var what string
	switch out.Kind {
	case Advance:
		to, ok := out.Next, true
		if to == "" {
			to, ok = plan.After(op.Step)
		}
		if !ok {
			return next.finish(out, in)
		}
		what = "done"
		next.Attempts, next.LastError = 0, nil
		if out.Within > 0 {
			next.Deadline = in.Now.Add(out.Within)
		}
		next.enter(to, in.Now)
		next.DueAt = next.nextCheck(out, in)
		next.move(StepAnswered, in.Now)
	case Wait:
		what = "waiting"
		next.Attempts, next.LastError = 0, nil
		next.DueAt = next.nextCheck(out, in)
		next.move(StepAnswered, in.Now)
	case Finish:
		return next.finish(out, in)
	case Back:
		return next.back(out, in)
	case Fail:
		next.RetryStep = out.Next
		return next.fail(reason(out.Err), in)
	case Stop:
		if in.OnFailure != "" {
			return next.divert(Canceled, nil, nil, in)
		}
		what = "canceled"
		next.move(CancelHonored, in.Now)
	case Unclear:
		next.RetryStep = out.Next
		if out.Uncancel {
			next.CancelRequested, next.CancelCause = false, Cause{}
		}
		return next.park(reason(out.Err), in)
	default:
		return next.park(unknownOutcome(op.Step, out.Kind), in)
	}
	return next, next.event(note(what, out.Note), in)
}

// finish ends the operation successfully.
func (op Operation) finish(out Outcome, in Input) (Operation, Event) {
	trigger := LastStepDone
	if len(op.Warnings) > 0 {
		trigger = DoneWithWarnings
	}
	op.LastError, op.Attempts = nil, 0
	op.move(trigger, in.Now)
	return op, op.event(note("done", out.Note), in)
}

// back sends the flow to an earlier step after something that Azure had
// accepted failed, within the limits of the error's class.
func (op Operation) back(out Outcome, in Input) (Operation, Event) {
	err := reason(out.Err)
	policy, retriable := in.Waits.retryPolicy(err.Class)
	// Waiting is not failing: throttling is never counted. Its wait is the
	// longest one of its class.
	wait := policy.MaxWait
	if err.Class != Throttled {
		op.Setbacks++
		retriable = retriable && op.Setbacks <= policy.MaxSetbacks
		wait = policy.Backoff(op.Setbacks)
	}
	if !retriable {
		op.RetryStep = out.Next
		return op.fail(err, in)
	}
	op.LastError = err
	op.Attempts, op.Tracking = 0, nil
	op.enter(out.Next, in.Now)
	op.DueAt = op.byDeadline(in.next(err.RetryAfter, wait), in.Now)
	op.move(StepAnswered, in.Now)
	return op, op.event(note("failed, going back to step "+out.Next, out.Note), in)
}

// WaitsAsBefore reports whether the operation waits for the same as the previous
// version of its row did, without an error in either: a re-check found nothing new.
func (op Operation) WaitsAsBefore(previous Operation) bool {
	return op.Status == previous.Status && !op.Status.Terminal() && op.Status != Parked &&
		op.Step == previous.Step && op.WaitingFor != "" && op.WaitingFor == previous.WaitingFor &&
		op.Claim == nil && previous.Claim == nil && op.LastError == nil && previous.LastError == nil &&
		op.CancelRequested == previous.CancelRequested && len(op.Warnings) == len(previous.Warnings)
}
