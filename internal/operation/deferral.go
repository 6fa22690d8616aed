package operation

import (
	"fmt"
	"time"
)

// Priority orders operations where Azure's quotas have no room for all of them.
// A smaller one goes first.
type Priority int

// The priorities. PriorityFollow is that of reads that follow what Azure has
// begun, whichever flow they belong to; see Operation.Following.
const (
	PriorityRestore Priority = iota + 1
	PriorityFollow
	PriorityProtect
	PriorityBackup
	// PriorityOther is that of flows that say nothing.
	PriorityOther
)

// Following reports whether Azure is at work for the operation: what is asked
// now is how that goes on, not for something new.
func (op Operation) Following() bool { return op.Tracking != nil }

// PutOff is the error of a call that was not made because a budget has no room
// for it now. Nothing was sent. It unwraps to an Error of class Throttled, for
// whoever knows only that.
type Deferral struct {
	// What is short, for a person, such as "write budget".
	Limit string
	// Wait is how long until there is room.
	Wait time.Duration
	// Booking names the account that keeps the place until then; the
	// operation brings it along with its next try.
	Reservation string
}

// CodeBudgetSpent is the code of the Error that a PutOff unwraps to.
const CodeRateLimited = "BudgetSpent"

// Error says what is short.
func (p *Deferral) Error() string { return fmt.Sprintf("no room in the %s for %s", p.Limit, p.Wait) }

// Unwrap gives the throttling that it amounts to.
func (p *Deferral) Unwrap() error {
	return &Error{Code: CodeRateLimited, Class: Throttled, Message: p.Error(), RetryAfter: p.Wait}
}

// PutOff is the operation after a budget had no room for its step's call. It
// is not a failure: attempts, errors and the flow's position stay as they are.
// Since nothing was sent, the claim that the call was to be made under is given
// up; one that is being looked for stays.
func (op Operation) Defer(p *Deferral, looking bool, in Input) (Operation, Event) {
	next := op.advance(in)
	if !looking {
		next.Claim = nil
	}
	next.Reservation = p.Reservation
	next.DueAt = in.Waits.next(in.Now, max(p.Wait, time.Nanosecond), 0, in.Jitter)
	if next.Claim == nil {
		next.DueAt = next.byDeadline(next.DueAt, in.Now)
	}
	next.WaitingFor = fmt.Sprintf("%s, about %s", p.Limit, clock(next.DueAt, in.Now))
	next.move(StepAnswered, in.Now)
	ev := next.event("put off: "+next.WaitingFor, in)
	ev.Err = nil // an earlier error is not met again
	return next, ev
}

// clock tells a time to the minute, in UTC, with its day where that is another.
func clock(t, now time.Time) string {
	t, now = t.UTC(), now.UTC()
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format("15:04")
	}
	return t.Format("2006-01-02 15:04")
}
