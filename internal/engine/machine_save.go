package engine

import (
	"time"

	"azbackupflow/internal/operation"
)

// saveStep saves an operation that moved on, with the notices for its change.
func (m Machine) saveStep(next operation.Operation, ev operation.Event) (Machine, Command) {
	return m.save(next.QueueNotice(m.Row.Operation.Status, m.Broadcast), ev, reasonStep)
}

func (m Machine) save(next operation.Operation, ev operation.Event, reason saveReason) (Machine, Command) {
	next = next.WithoutNotices(m.Sent)
	if m.LockedItem != "" {
		next.LockedItem = m.LockedItem
	}
	ev = ev.After(m.Row.Operation.Step)
	m.Phase, m.Reason, m.Desired, m.Event = saving, reason, next, ev
	return m, Command{Action: Save, Row: m.Row.With(next), Event: ev, Unchanged: next.WaitsAsBefore(m.Row.Operation)}
}

// verify loads the row after a save that failed or was not answered.
func (m Machine) verify() (Machine, Command) {
	m.Phase = verifying
	m.SaveRounds++
	if m.SaveRounds > maxSaveRounds {
		return m.end(Abandon, "too many concurrent writers")
	}
	return m, Command{Action: Load}
}

// verified decides what follows a save: it happened, or it must be merged with
// flags of other writers and repeated, or another delivery moved the operation
// on.
func (m Machine) verified(env Env, r Result) (Machine, Command) {
	switch r.Storage {
	case NotFound:
		return m.end(Acknowledge, "operation not found")
	case Conflict, Unavailable, TooLarge:
		m.FailedLoads++
		if m.FailedLoads >= maxFailedLoads {
			return m.snooze(env)
		}
		return m, Command{Action: Load, Pause: time.Second << m.FailedLoads}
	case OK:
	}
	m.FailedLoads = 0
	before := m.Row.Operation
	row := r.Row.Operation
	m.Row = r.Row
	switch {
	case row.WriteID == m.Desired.WriteID:
		return m.saved(env)
	case row.Seq == before.Seq && before.SameClaim(row):
		return m.save(m.Desired.MergeFlags(before, row), m.Event, m.Reason)
	}
	m.Item, m.LockedItem = "", ""
	return m.decide(env)
}

// saved continues after a save that happened.
func (m Machine) saved(env Env) (Machine, Command) {
	op := m.Row.Operation
	switch m.Reason {
	case reasonClaim:
		return m.run(op.Claim.AttemptID, op.Claim.NotAfter)
	case reasonRescue:
		return m.proceed(env)
	case reasonNotices:
		return m.sendNotices(env)
	case reasonStep:
	}
	m.Attempted, m.Sent = nil, nil
	if op.Status.Terminal() || op.Status == operation.Parked {
		return m.sendNotices(env)
	}
	m.Phase = sending
	return m, Command{Action: Send, Message: m.stepMessage(env)}
}

// saveTooLarge continues after a save that failed because it is too large. The
// operation as last stored fails, the second time without everything that may
// be large.
func (m Machine) saveTooLarge(env Env, r Result) (Machine, Command) {
	op := m.Row.Operation
	m.TooLargeSaves++
	if m.TooLargeSaves > 2 || op.Status.Terminal() || op.Status == operation.Parked {
		return m.end(Acknowledge, "row too large")
	}
	problem := "it is too large"
	if r.Err != nil {
		problem = r.Err.Message
	}
	return m.saveStep(op.RowTooLarge(problem, m.TooLargeSaves > 1, m.stepInput(env)))
}
