package engine

import (
	"context"
	"fmt"
	"time"

	"azbackupflow/internal/operation"
)

// Message is a wake-up to send.
type Message struct {
	// ID is the Service Bus MessageId. Duplicate detection drops a second
	// message with the same ID. Correctness never depends on that.
	ID     string
	Wakeup operation.Wakeup
	// Due is when the message becomes visible.
	Due time.Time
}

// Queue sends wake-ups. Its contract suite is queue/queuetest.
type Queue interface {
	// Send schedules the message. After an error it may have been sent.
	Send(ctx context.Context, m Message) error
}

// Notifier sends notices about operations to other systems.
type Notifier interface {
	// Broadcasts reports whether there is a receiver for the notices of all
	// operations.
	Broadcasts() bool
	// Notify sends a notice. After an error it may have been sent. A notice
	// whose receiver is no longer configured is dropped without an error.
	Notify(ctx context.Context, op operation.Operation, n operation.Notice) error
}

// noNotifier drops every notice.
type noNotifier struct{}

func (noNotifier) Broadcasts() bool { return false }

func (noNotifier) Notify(context.Context, operation.Operation, operation.Notice) error { return nil }

// StepMessage returns the message that belongs to the operation's seq.
func StepMessage(op operation.Operation, traceParent string) Message {
	return Message{
		ID:     fmt.Sprintf("%s:%d", op.ID, op.Seq),
		Wakeup: operation.Wakeup{OperationID: op.ID, Seq: op.Seq, TraceParent: traceParent},
		Due:    op.DueAt,
	}
}

// WakeMessage returns a message that wakes an operation at its current seq. The
// suffix must be unique for this seq.
func WakeMessage(op operation.Operation, due time.Time, suffix, traceParent string) Message {
	return Message{
		ID:     fmt.Sprintf("%s:%d:%s", op.ID, op.Seq, suffix),
		Wakeup: operation.Wakeup{OperationID: op.ID, Seq: op.Seq, TraceParent: traceParent},
		Due:    due,
	}
}

// RescueMessage returns the wake-up for the given rescue of the operation's
// current seq. The same rescue always has the same message ID.
func RescueMessage(op operation.Operation, rescue int, due time.Time, traceParent string) Message {
	name := operation.RescueName(rescue)
	m := WakeMessage(op, due, name, traceParent)
	m.Wakeup.Rescue = name
	return m
}

// NoticeMessage returns the wake-up for an operation that has nothing to run but
// has pending notices. The same number always has the same message ID.
func NoticeMessage(op operation.Operation, number int, due time.Time, traceParent string) Message {
	return WakeMessage(op, due, fmt.Sprintf("notice-%d", number), traceParent)
}

// snoozeMessage returns a copy of a wake-up that arrives later. The wait doubles
// with each snooze. id must be unique.
func snoozeMessage(w operation.Wakeup, now time.Time, waits operation.Waits, id string) Message {
	w.Snoozes++
	// The copies of two rescues would alternate, and each would be counted as a
	// new rescue.
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
