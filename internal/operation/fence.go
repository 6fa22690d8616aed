package operation

import (
	"slices"
	"time"
)

// Wakeup is the message that makes the engine look at an operation. It carries
// no business data: the row alone says what to do.
type Wakeup struct {
	OperationID string `json:"operation"`
	Seq         int64  `json:"seq"`
	// Trace is the W3C trace context of the operation.
	TraceParent string `json:"traceParent,omitempty"`
	// Snoozes counts how often the message was put off because the table was
	// away. A message that was put off counts as delivered before.
	Snoozes int `json:"snoozes,omitempty"`
	// Rescue is set on the sweep's wake-ups: which one it is.
	Rescue string `json:"rescue,omitempty"`
}

// Delivery is one delivery of a wake-up. Count is 1 for the first.
type Delivery struct {
	Wakeup Wakeup
	Count  int
}

// again reports whether the message may have been worked on before.
func (d Delivery) redelivered() bool { return d.Count > 1 || d.Wakeup.Snoozes > 0 }

// Verdict is what the fence decides about a delivery.
type FenceResult string

// The verdicts.
const (
	// Run: the message is for the row's seq.
	Run FenceResult = "run"
	// Stale: an old copy; acknowledge it.
	Stale FenceResult = "stale"
	// Heal: whoever saved the row's seq may have died before it sent the next
	// message; send it, acknowledge.
	Resend FenceResult = "heal"
	// Ahead: the message knows a seq that the row does not; wake the row's seq.
	Ahead FenceResult = "ahead"
	// Ended: the operation is at its end; see that nothing is still owed.
	Ended FenceResult = "ended"
	// Idle: paused or parked; nothing runs until a person says so.
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

// Idle reports whether nothing is to be run: the operation has ended, or waits
// for a person.
func (op Operation) Idle(now time.Time) bool {
	return op.Status.Terminal() || !op.CancelRequested &&
		(op.Status == Parked || op.Paused && op.Claim == nil && now.Before(op.Deadline))
}

// MergeFlags takes over what other actors may have set on the row at the same
// seq while this invocation was at work: cancel and pause, and which notices
// they sent.
func (op Operation) MergeFlags(row Operation) Operation {
	op.CancelRequested = op.CancelRequested || row.CancelRequested
	op.Paused = row.Paused
	var sent []Notice
	for _, n := range op.PendingNotices {
		if n.Seq <= row.Seq && !slices.ContainsFunc(row.PendingNotices, n.same) {
			sent = append(sent, n)
		}
	}
	op = op.WithoutNotices(sent)
	return op
}

// SameClaim reports whether two versions of the row agree on the open claim.
func (op Operation) SameClaim(row Operation) bool {
	if op.Claim == nil || row.Claim == nil {
		return op.Claim == row.Claim
	}
	return op.Claim.AttemptID == row.Claim.AttemptID
}
