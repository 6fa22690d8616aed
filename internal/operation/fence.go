package operation

import (
	"slices"
	"time"
)

// Wakeup is the message that makes the engine check an operation. It carries no
// business data: only the row says what to do.
type Wakeup struct {
	OperationID string `json:"operation"`
	Seq         int64  `json:"seq"`
	// TraceParent is the W3C trace context of the operation.
	TraceParent string `json:"traceParent,omitempty"`
	// Snoozes counts how often the message was rescheduled because storage was
	// unavailable. A rescheduled message counts as redelivered.
	Snoozes int `json:"snoozes,omitempty"`
	// Rescue is the name of the rescue, for wake-ups that the sweep sends.
	Rescue string `json:"rescue,omitempty"`
}

// Delivery is one delivery of a wake-up. Count is 1 for the first.
type Delivery struct {
	Wakeup Wakeup
	Count  int
}

// redelivered reports whether an earlier delivery may have handled the message.
func (d Delivery) redelivered() bool { return d.Count > 1 || d.Wakeup.Snoozes > 0 }

// FenceResult is the fence's decision about a delivery.
type FenceResult string

// The results of the fence.
const (
	// Run: the message is for the row's seq.
	Run FenceResult = "run"
	// Stale: the message is an old copy. Acknowledge it.
	Stale FenceResult = "stale"
	// Resend: the writer of the row's seq may have died before it sent the next
	// message. Send that message and acknowledge this one.
	Resend FenceResult = "resend"
	// Ahead: the message has a seq that the row has not reached. Wake the row's
	// seq.
	Ahead FenceResult = "ahead"
	// Ended: the operation has ended. Send its pending notices and finalize it.
	Ended FenceResult = "ended"
	// Idle: the operation is paused or parked. Nothing runs until an operator acts.
	Idle FenceResult = "idle"
)

// Fence decides whether a delivery may run the operation.
func (op Operation) Fence(d Delivery, now time.Time) FenceResult {
	switch {
	case op.Status.Terminal():
		return Ended
	case d.Wakeup.Seq > op.Seq:
		return Ahead
	case d.Wakeup.Seq == op.Seq-1 && d.redelivered():
		return Resend
	case d.Wakeup.Seq < op.Seq:
		return Stale
	case op.Idle(now):
		return Idle
	}
	return Run
}

// Idle reports whether there is nothing to run: the operation has ended, or
// waits for an operator.
func (op Operation) Idle(now time.Time) bool {
	return op.Status.Terminal() || !op.CancelRequested &&
		(op.Status == Parked || op.Paused && op.Claim == nil && now.Before(op.Deadline))
}

// MergeFlags returns the operation with the changes that other writers made to
// the row at the same seq while this delivery ran: the cancel and pause flags, the
// answer of a validator, the notices about pauses, and the notices that they sent.
// before is the row that this delivery read: a flag that was set there already may
// have been dropped on purpose, as by a clean-up.
//
// The wake-up of an answer has the seq before this save, so it is stale now. The
// operation becomes due at the answer: its own wait ends with the window. A cancel
// waits for the next look at Azure, which is minutes away at most.
func (op Operation) MergeFlags(before, row Operation) Operation {
	if row.CancelRequested && !before.CancelRequested {
		op.CancelRequested, op.CancelCause = true, row.CancelCause
	}
	if row.Paused != before.Paused {
		op.Paused = row.Paused
	}
	if row.Validation != nil && row.Validation.Answer != nil && op.Validation != nil && op.Validation.Answer == nil {
		op.Validation = op.Validation.answered(*row.Validation.Answer)
		if at := row.Validation.Answer.At; at.Before(op.DueAt) {
			op.DueAt = at
		}
	}
	var sent []Notice
	for _, n := range op.PendingNotices {
		if n.Seq <= row.Seq && !slices.ContainsFunc(row.PendingNotices, n.same) {
			sent = append(sent, n)
		}
	}
	op = op.WithoutNotices(sent)
	for _, n := range row.PendingNotices {
		if n.Change != "" && !slices.ContainsFunc(op.PendingNotices, n.same) {
			op.PendingNotices = append(slices.Clone(op.PendingNotices), n)
		}
	}
	return op
}

// SameClaim reports whether two versions of the row have the same open claim.
func (op Operation) SameClaim(row Operation) bool {
	if op.Claim == nil || row.Claim == nil {
		return op.Claim == row.Claim
	}
	return op.Claim.AttemptID == row.Claim.AttemptID
}
