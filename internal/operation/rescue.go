package operation

import (
	"fmt"
	"time"
)

// MaxRescues is the number of rescues without progress at one seq that park the
// operation.
const MaxRescues = 5

// Overdue returns the number of the rescue that the sweep should send now,
// counted from 1. Rescues are due w.Overdue, twice, four times and so on after
// the operation's due time. ok is false while nothing is overdue.
func (op Operation) Overdue(now time.Time, w Waits) (rescue int, ok bool) {
	if op.Status.Terminal() || op.Status == Parked && !op.CancelRequested {
		return 0, false
	}
	due := op.DueAt
	if op.Status == Parked {
		// A parked operation has no due time until an operator cancels it.
		due = op.UpdatedAt
	}
	if op.Paused && !op.CancelRequested && op.Claim == nil {
		due = op.Deadline
	}
	for late := w.Overdue; late > 0 && !now.Before(due.Add(late)); late *= 2 {
		rescue++
	}
	return rescue, rescue > 0
}

// RescueName returns the name of a rescue, which distinguishes it from the other
// rescues of the same seq. It is the suffix of the wake-up's message ID.
func RescueName(rescue int) string { return fmt.Sprintf("rescue-%d", rescue) }

// Rescued returns the operation after a rescue was delivered. The rescue is
// counted before the step runs, to detect a step that ends its process each
// time. Seq stays the same. ok is false if the same rescue was counted before,
// or another one so recently that its delivery may still be running: after an
// outage all its rescues are delivered at once.
func (op Operation) Rescued(name string, in Input) (next Operation, ev Event, ok bool) {
	if op.LastRescue == name || !op.RescuedAt.IsZero() && in.Now.Before(op.RescuedAt.Add(in.Waits.Overdue/4)) {
		return op, Event{}, false
	}
	if op.Rescues+1 >= MaxRescues {
		next, ev = op.Parked(&Error{
			Code: "NoProgress", Class: UserAction,
			Message:           fmt.Sprintf("no progress at step %s after %d rescues", op.Step, MaxRescues),
			RecommendedAction: []string{"Read the handler's log for this operation: its step probably ends the process. Then retry the operation."},
		}, in)
		return next, ev, true
	}
	next = op.clone()
	next.Rescues++
	next.LastRescue, next.RescuedAt = name, in.Now
	next.WriteID = in.WriteID
	next.UpdatedAt = in.Now
	return next, next.event("rescued by the sweep: its own message did not arrive", in), true
}
