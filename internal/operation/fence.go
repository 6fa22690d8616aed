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
	Trace string `json:"trace,omitempty"`
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
func (d Delivery) again() bool { return d.Count > 1 || d.Wakeup.Snoozes > 0 }

// Verdict is what the fence decides about a delivery.
type Verdict string

// The verdicts.
const (
	// Run: the message is for the row's seq.
	Run Verdict = "run"
	// Stale: an old copy; acknowledge it.
	Stale Verdict = "stale"
	// Heal: whoever saved the row's seq may have died before it sent the next
	// message; send it, acknowledge.
	Heal Verdict = "heal"
	// Ahead: the message knows a seq that the row does not; wake the row's seq.
	Ahead Verdict = "ahead"
	// Ended: the operation is at its end; see that nothing is still owed.
	Ended Verdict = "ended"
	// Idle: paused or parked; nothing runs until a person says so.
	Idle Verdict = "idle"
)

// Fence decides whether a delivery may run the operation.
func (op Operation) Fence(d Delivery, now time.Time) Verdict {
	switch {
	case op.Status.Terminal():
		return Ended
	case d.Wakeup.Seq > op.Seq:
		return Ahead
	case d.Wakeup.Seq == op.Seq-1 && d.again():
		return Heal
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
	for _, n := range op.Owed {
		if n.Seq <= row.Seq && !slices.ContainsFunc(row.Owed, n.same) {
			sent = append(sent, n)
		}
	}
	op = op.Without(sent)
	return op
}

// SameClaim reports whether two versions of the row agree on the open claim.
func (op Operation) SameClaim(row Operation) bool {
	if op.Claim == nil || row.Claim == nil {
		return op.Claim == row.Claim
	}
	return op.Claim.AttemptID == row.Claim.AttemptID
}
