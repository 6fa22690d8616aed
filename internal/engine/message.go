package engine

import (
	"fmt"
	"time"

	"azbackupflow/internal/operation"
)

// FirstMessage is the message that belongs to the operation's seq.
func StepMessage(op operation.Operation, trace string) Message {
	return Message{
		ID:     fmt.Sprintf("%s:%d", op.ID, op.Seq),
		Wakeup: operation.Wakeup{OperationID: op.ID, Seq: op.Seq, TraceParent: trace},
		Due:    op.DueAt,
	}
}

// WakeMessage wakes an operation at its current seq; suffix must never have
// been used for this seq.
func WakeMessage(op operation.Operation, due time.Time, suffix, trace string) Message {
	return Message{
		ID:     fmt.Sprintf("%s:%d:%s", op.ID, op.Seq, suffix),
		Wakeup: operation.Wakeup{OperationID: op.ID, Seq: op.Seq, TraceParent: trace},
		Due:    due,
	}
}

// snoozed is a copy of a wake-up that comes later, longer each time; id must
// never have been used.
func snoozeMessage(w operation.Wakeup, now time.Time, waits operation.Waits, id string) Message {
	w.Snoozes++
	// The copies of two rescues would take turns, each counted as a new one.
	w.Rescue = ""
	wait := waits.MinSnooze
	for n := 1; n < w.Snoozes && wait < waits.MaxSnooze; n++ {
		wait *= 2
	}
	return Message{
		ID:     fmt.Sprintf("%s:%d:snooze:%s", w.OperationID, w.Seq, id),
		Wakeup: w,
		Due:    now.Add(min(wait, waits.MaxSnooze)),
	}
}
