package operation

import (
	"fmt"
	"time"
)

// MostRescues is how many of the sweep's wake-ups may be delivered at one seq
// without progress before the operation is parked.
const MaxRescues = 5

// Overdue gives the number of the rescue that the sweep should send now, from
// 1: they come w.Overdue, twice, four times … that long after the operation
// should have been looked at. ok is false while nothing is overdue.
func (op Operation) Overdue(now time.Time, w Waits) (rescue int, ok bool) {
	if op.Status.Terminal() || op.Status == Parked && !op.CancelRequested {
		return 0, false
	}
	due := op.DueAt
	if op.Status == Parked {
		// It had no due time until a person canceled it.
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

// RescueName tells one rescue of a seq from the others; it is the suffix of
// the wake-up's message id.
func RescueName(rescue int) string { return fmt.Sprintf("rescue-%d", rescue) }

// Rescued is the operation after a rescue was delivered, counted before its
// step runs: a step that kills its process each time is found out by it. It
// stays at its seq. ok is false when the same rescue was counted before, or
// another one so shortly before that its invocation may still be at work: the
// rescues of an outage are all delivered at once when it is over.
func (op Operation) Rescued(name string, in Input) (next Operation, ev Event, ok bool) {
	if op.LastRescue == name || !op.RescuedAt.IsZero() && in.Now.Before(op.RescuedAt.Add(in.Waits.Overdue/4)) {
		return op, Event{}, false
	}
	if op.Rescues+1 >= MaxRescues {
		next, ev = op.Parked(&Error{
			Code: "NoProgress", Class: UserAction,
			Message:           fmt.Sprintf("woken by the sweep %d times at step %s without progress", MaxRescues, op.Step),
			RecommendedAction: []string{"Look at the handler's log for this operation: its step most likely ends the process. Then retry it."},
		}, in)
		return next, ev, true
	}
	next = op.clone()
	next.Rescues++
	next.LastRescue, next.RescuedAt = name, in.Now
	next.WriteID = in.WriteID
	next.UpdatedAt = in.Now
	return next, next.event("woken by the sweep: its own message did not come", in), true
}
