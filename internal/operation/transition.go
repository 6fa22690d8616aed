package operation

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// Plan is a flow's steps in order, by name.
type Plan []string

// after gives the step that follows; ok is false after the last one.
func (p Plan) after(step string) (next string, ok bool) {
	i := slices.Index(p, step)
	if i < 0 || i+1 >= len(p) {
		return "", false
	}
	return p[i+1], true
}

// At is what a transition needs to know of the world: the time, how long to
// wait, a random share of jitter in [0,1), and the fresh id of the save.
type Input struct {
	Now     time.Time
	Waits   Waits
	Jitter  float64
	WriteID string
}

// Answered is the operation after a step was answered.
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
			to, ok = plan.after(op.Step)
		}
		if !ok {
			return next.finish(out, in)
		}
		what = "done"
		next.Attempts, next.LastError = 0, nil
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
	case Stop:
		what = "canceled"
		next.move(CancelHonoured, in.Now)
	case Unclear:
		next.RetryStep = out.Next
		return next.park(reason(out.Err), in)
	default:
		return next.park(&Error{Code: "UnknownOutcome", Class: Fatal, Message: fmt.Sprintf("step %s gave an outcome of kind %q", op.Step, out.Kind)}, in)
	}
	return next, next.event(note(what, out.Note), in)
}

// reason is the error that says why. A step that gives none has a bug, which
// must not keep its answer from being saved.
func reason(err *Error) *Error {
	if err == nil {
		return &Error{Code: "NoReason", Class: Fatal, Message: "the step did not say why"}
	}
	return err
}

// finish ends the operation well.
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
// accepted failed, within the bounds of the error's class.
func (op Operation) back(out Outcome, in Input) (Operation, Event) {
	err := reason(out.Err)
	patience, again := err.Class.RetryPolicy()
	// Waiting is not failing: throttling is never counted, but waited for as
	// long as after many failures.
	wait := patience.MaxWait
	if err.Class != Throttled {
		op.Setbacks++
		again = again && op.Setbacks <= patience.MaxSetbacks
		wait = patience.Backoff(op.Setbacks)
	}
	if !again {
		op.RetryStep = out.Next
		return op.fail(err, in)
	}
	op.LastError = err
	op.Attempts, op.Tracking = 0, nil
	op.enter(out.Next, in.Now)
	op.DueAt = op.byDeadline(in.Waits.next(in.Now, err.RetryAfter, time.Duration(float64(wait)/in.Waits.Retry), in.Jitter), in.Now)
	op.move(StepAnswered, in.Now)
	return op, op.event(note("failed, going back to "+out.Next, out.Note), in)
}

// StepFailed is the operation after its step's call failed. A claim outlives
// an ambiguous failure, because the call may have taken effect; anything else
// clears it.
func (op Operation) StepFailed(err *Error, in Input) (Operation, Event) {
	next := op.advance(in)
	next.LastError = err
	patience, again := err.Class.RetryPolicy()
	if next.Claim != nil && err.Ambiguous {
		next.Attempts++
		next.DueAt = later(next.Claim.NotAfter.Add(in.Waits.ClaimGrace), in.Waits.next(in.Now, err.RetryAfter, 0, in.Jitter))
		next.WaitingFor = "what became of an unanswered request"
		next.move(StepAnswered, in.Now)
		return next, next.event("no usable answer; the request may have taken effect, so it is looked for before it is made again", in)
	}
	next.Claim = nil
	if !again {
		return next.fail(err, in)
	}
	otherwise := min(max(patience.InitialWait, in.Now.Sub(op.StepStartedAt)/10), patience.MaxWait)
	if err.Class != Throttled {
		next.Attempts++
		if patience.MaxAttempts > 0 && next.Attempts > patience.MaxAttempts {
			return next.fail(err, in)
		}
		otherwise = patience.Backoff(next.Attempts)
	}
	next.DueAt = next.byDeadline(in.Waits.next(in.Now, err.RetryAfter, time.Duration(float64(otherwise)/in.Waits.Retry), in.Jitter), in.Now)
	next.WaitingFor = "another try after " + err.Code
	next.move(StepAnswered, in.Now)
	return next, next.event("trying again", in)
}

// Overgrown is the operation, as last stored, after what it had come to could
// not be stored because it is too large. It fails: trying again would come to
// the same. bare leaves out all that may be large.
func (op Operation) RowTooLarge(problem string, bare bool, in Input) (Operation, Event) {
	next := op.advance(in)
	if bare {
		next.Learned, next.Warnings = nil, nil
	}
	if op.Tracking != nil || op.Claim != nil {
		next.Warnings = append(next.Warnings, "what Azure has begun, if anything, goes on")
	}
	next.Claim = nil
	return next.fail(&Error{
		Code: "TooLarge", Class: Fatal,
		Message:           fmt.Sprintf("what step %s came to cannot be stored: %s", op.Step, cut(problem, maxNoticeText)),
		RecommendedAction: []string{"Look in Azure at what the step did. Ask for less at once, such as with shorter parameters, and report it: steps should not learn so much."},
	}, in)
}

// fail ends the operation with the error.
func (op Operation) fail(err *Error, in Input) (Operation, Event) {
	op.LastError = err
	op.move(FailedForGood, in.Now)
	return op, op.event("failed", in)
}

// Canceled is the operation after its cancel request was honoured.
func (op Operation) Canceled(in Input) (Operation, Event) {
	next := op.advance(in)
	what := "canceled"
	if op.Tracking != nil {
		what += "; what Azure has begun goes on"
		if op.Tracking.JobID != "" {
			what += ": job " + op.Tracking.JobID
		}
	}
	if op.Claim != nil {
		what += "; a request that was never answered may have taken effect, as attempt " + op.Claim.AttemptID
	}
	if op.Tracking != nil || op.Claim != nil {
		next.Warnings = append(next.Warnings, what)
	} else {
		what += "; nothing that this operation started is running in Azure"
	}
	next.move(CancelHonoured, in.Now)
	return next, next.event(what, in)
}

// Diverted is the operation sent to the step that cancels what Azure has begun.
func (op Operation) Redirected(to string, in Input) (Operation, Event) {
	next := op.advance(in)
	next.Attempts, next.LastError = 0, nil
	next.enter(to, in.Now)
	next.DueAt = in.Now
	next.WaitingFor = "the cancellation"
	next.move(StepAnswered, in.Now)
	return next, next.event("cancel requested", in)
}

// TimedOut is the operation after its deadline passed. All that is known, such
// as a running job, stays on it.
func (op Operation) TimedOut(in Input) (Operation, Event) {
	next := op.advance(in)
	if next.LastError == nil {
		next.LastError = &Error{
			Code: "DeadlinePassed", Class: Fatal,
			Message: fmt.Sprintf("not done by %s; it was at step %s, waiting for: %s",
				op.Deadline.UTC().Format(time.RFC3339), op.Step, op.WaitingFor),
			RecommendedAction: []string{"Look at the step and job above in Azure. If they are still at work, start the operation again with a longer deadline."},
		}
	}
	next.move(DeadlinePassed, in.Now)
	return next, next.event("deadline passed", in)
}

// ParkedBecause is the operation set aside until a person has looked at it.
func (op Operation) Parked(err *Error, in Input) (Operation, Event) {
	return op.advance(in).park(err, in)
}

func (op Operation) park(err *Error, in Input) (Operation, Event) {
	op.LastError = err
	op.WaitingFor = "a person"
	op.DueAt = time.Time{}
	op.move(NeedsAttention, in.Now)
	return op, op.event("parked: a person must look", in)
}

// Retried is a failed, timed-out or parked operation set going again at the
// step where it stopped, or at its RetryStep. Its deadline is rebased: it gets
// as long as it had. A claim that is still open stays open, so that it is
// resolved first, unless it was found that it cannot be: then the person who
// retries has looked.
func (op Operation) Retried(in Input) (Operation, Event, error) {
	if _, err := op.Status.To(Retried); err != nil {
		return op, Event{}, err
	}
	next := op.advance(in)
	next.Round++
	next.Attempts, next.Setbacks = 0, 0
	next.EndedAt = time.Time{}
	next.CancelRequested = false
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
	next.move(Retried, in.Now)
	return next, next.event("retried by a person", in), nil
}

// advance is the start of every transition that moves the operation on: seq
// n+1, a fresh write id, and no rescues counted at the new seq.
func (op Operation) advance(in Input) Operation {
	next := op.clone()
	next.Seq++
	next.WriteID = in.WriteID
	next.UpdatedAt = in.Now
	next.Rescues, next.LastRescue, next.RescuedAt = 0, "", time.Time{}
	next.Reservation = ""
	return next
}

// enter makes step the current one.
func (op *Operation) enter(step string, now time.Time) {
	if op.Step != step {
		op.Step, op.StepStartedAt = step, now
	}
}

// learn takes over what the answer taught.
func (op *Operation) learn(out Outcome) {
	if len(out.Learned) > 0 && op.Learned == nil {
		op.Learned = map[string]string{}
	}
	maps.Copy(op.Learned, out.Learned)
	maps.DeleteFunc(op.Learned, func(_, v string) bool { return v == "" })
	op.Warnings = append(op.Warnings, out.Warnings...)
	if out.Tracking != nil {
		op.Tracking = nil
		if *out.Tracking != (Tracking{}) {
			t := *out.Tracking
			op.Tracking = &t
		}
	}
}

// look is when to look again, never later than the deadline.
func (op *Operation) nextCheck(out Outcome, in Input) time.Time {
	wait := in.Waits.pace(out.Pace, in.Now.Sub(op.StepStartedAt))
	return op.byDeadline(in.Waits.next(in.Now, out.After, wait, in.Jitter), in.Now)
}

// byDeadline is the due time, or the deadline if that comes before it: the
// operation then ends without another call.
func (op *Operation) byDeadline(due, now time.Time) time.Time {
	if op.Deadline.After(now) && due.After(op.Deadline) {
		return op.Deadline
	}
	return due
}

// move changes the status as the table says. A pair that the table does not
// hold is a bug; the operation is parked for a person rather than guessed at.
func (op *Operation) move(trigger Trigger, now time.Time) {
	to, err := op.Status.To(trigger)
	if err != nil {
		op.LastError = &Error{Code: "IllegalTransition", Class: Fatal, Message: err.Error()}
		to = Parked
	}
	op.Status = to
	if to.Terminal() {
		op.EndedAt, op.DueAt, op.WaitingFor = now, time.Time{}, ""
	}
}

// event is the history line of the transition that op is the result of.
func (op *Operation) event(what string, in Input) Event {
	return Event{
		Seq: op.Seq, At: in.Now, Step: op.Step, Status: op.Status, What: what,
		DueAt: op.DueAt, Err: op.LastError, WriteID: in.WriteID,
	}
}

func note(what, more string) string {
	if more == "" {
		return what
	}
	return what + ": " + more
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
