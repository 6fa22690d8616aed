package operation

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// Plan lists the names of a flow's steps in order.
type Plan []string

// After returns the step that follows the given one. ok is false if the given
// step is the last one or is not in the plan.
func (p Plan) After(step string) (next string, ok bool) {
	i := slices.Index(p, step)
	if i < 0 || i+1 >= len(p) {
		return "", false
	}
	return p[i+1], true
}

// Input is everything that a transition needs from outside.
type Input struct {
	Now   time.Time
	Waits Waits
	// Spread returns a due time, or a later one if other operations of this program
	// fall due at the same moment. nil spreads nothing.
	Spread func(due time.Time) time.Time
	// WriteID is the fresh ID of the save.
	WriteID string
	// OnFailure names the step that follows if the operation would end as Failed,
	// Canceled or TimedOut; empty means that it ends. CleanUpTime is the time until
	// its deadline then.
	OnFailure   string
	CleanUpTime time.Duration
}

// advance begins every transition that moves the operation on: it increments
// Seq, sets a fresh write ID and resets the rescue count.
func (op Operation) advance(in Input) Operation {
	next := op.clone()
	next.Seq++
	next.WriteID = in.WriteID
	next.UpdatedAt = in.Now
	next.Rescue = Rescue{}
	next.Reservation = ""
	return next
}

// enter makes step the current one.
func (op *Operation) enter(step string, now time.Time) {
	if op.Step != step {
		op.Step, op.StepStartedAt = step, now
	}
}

// learn stores what the answer says about Azure.
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
	if out.Validation != nil {
		v := *out.Validation
		op.Validation = &v
	}
}

// nextCheck returns when to check again, never later than the deadline.
func (op *Operation) nextCheck(out Outcome, in Input) time.Time {
	wait := in.Waits.pace(out.Pace, in.Now.Sub(op.StepStartedAt))
	return op.byDeadline(in.next(out.After, wait), in.Now)
}

// byDeadline returns the due time, or the deadline if that comes before it: the
// operation then ends without another call.
func (op *Operation) byDeadline(due, now time.Time) time.Time {
	if op.Deadline.After(now) && due.After(op.Deadline) {
		return op.Deadline
	}
	return due
}

// move changes the status as the table of transitions says. A pair that the
// table does not hold is a bug. It parks the operation, because any other
// status would be a guess.
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

// event returns the history line of the transition that produced op.
func (op *Operation) event(what string, in Input) Event {
	return Event{
		Seq: op.Seq, At: in.Now, Step: op.Step, Status: op.Status, What: what,
		DueAt: op.DueAt, Err: op.LastError, WriteID: in.WriteID,
	}
}

// note appends a remark to a text, if there is one.
func note(what, more string) string {
	if more == "" {
		return what
	}
	return what + ": " + more
}

// reason returns err, or a placeholder if it is nil. A step that reports no
// reason has a bug, which must not keep its answer from being saved.
func reason(err *Error) *Error {
	if err == nil {
		return &Error{Code: "NoReason", Class: Fatal, Message: "the step reported no reason"}
	}
	return err
}

// unknownOutcome returns the error for an outcome of a kind that this package does not know.
func unknownOutcome(step string, kind Kind) *Error {
	return &Error{Code: "UnknownOutcome", Class: Fatal, Message: fmt.Sprintf("step %s returned an outcome of unknown kind %q", step, kind)}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
