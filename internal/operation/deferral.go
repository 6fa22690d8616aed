package operation

import (
	"fmt"
	"time"
)

// Priority orders operations while Azure's quotas have no room for all of them.
// A smaller one goes first.
type Priority int

// The priorities. PriorityFollow is for reads that follow work that Azure has
// begun, in every flow; see Operation.Following.
const (
	PriorityRestore Priority = iota + 1
	PriorityFollow
	PriorityProtect
	PriorityBackup
	// PriorityOther is for flows that declare none.
	PriorityOther
)

// Following reports whether Azure is working for the operation: the next call
// follows that work and starts nothing new.
func (op Operation) Following() bool { return op.Tracking != nil }

// Deferral is the error of a call that was not made because a rate limit has no
// room for it now. Nothing was sent. It unwraps to an Error of class Throttled.
type Deferral struct {
	// Limit names the rate limit for an operator, such as "write limit".
	Limit string
	// Wait is the time until there is room.
	Wait time.Duration
	// Reservation names the rate limit that keeps a place until then. The
	// operation passes it on with its next attempt.
	Reservation string
}

// CodeRateLimited is the code of the Error that a Deferral unwraps to.
const CodeRateLimited = "RateLimited"

// Error names the rate limit and the wait.
func (d *Deferral) Error() string {
	return fmt.Sprintf("no room in the %s for another %s", d.Limit, d.Wait)
}

// Unwrap returns the deferral as an Error of class Throttled.
func (d *Deferral) Unwrap() error {
	return &Error{Code: CodeRateLimited, Class: Throttled, Message: d.Error(), RetryAfter: d.Wait}
}

// Defer returns the operation after a rate limit had no room for its step's
// call. A deferral is not a failure: attempts, errors and the current step stay
// the same. Nothing was sent, so the claim for the call is dropped. A claim that
// was being reconciled stays.
func (op Operation) Defer(d *Deferral, reconciling bool, in Input) (Operation, Event) {
	next := op.advance(in)
	if !reconciling {
		next.Claim = nil
	}
	next.Reservation = d.Reservation
	next.DueAt = in.next(max(d.Wait, time.Nanosecond), 0)
	if next.Claim == nil {
		next.DueAt = next.byDeadline(next.DueAt, in.Now)
	}
	next.WaitingFor = fmt.Sprintf("%s, about %s", d.Limit, formatMinute(next.DueAt, in.Now))
	next.move(StepAnswered, in.Now)
	ev := next.event("deferred: "+next.WaitingFor, in)
	ev.Err = nil // the earlier error did not happen again
	return next, ev
}

// formatMinute formats a time to the minute, in UTC, with its date if that is
// not today's.
func formatMinute(t, now time.Time) string {
	t, now = t.UTC(), now.UTC()
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format("15:04")
	}
	return t.Format("2006-01-02 15:04")
}
