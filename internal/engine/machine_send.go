package engine

import (
	"time"

	"azbackupflow/internal/operation"
)

// sendWakeup sends a wake-up for a seq that this delivery did not save.
func (m Machine) sendWakeup(msg Message) (Machine, Command) {
	m.Phase = waking
	return m, Command{Action: Send, Message: msg}
}

// snooze sends a copy of this message for later. A redelivery would come at
// once, and all redeliveries would be used up in a second.
func (m Machine) snooze(env Env) (Machine, Command) {
	m.Phase = snoozing
	return m, Command{Action: Send, Message: snoozeMessage(m.Delivery.Wakeup, env.Now(), env.Waits, env.NewID())}
}

// stepMessage returns the message of the row's seq. Only the save that created
// the seq, or a later delivery that resends it, sends this message.
func (m Machine) stepMessage(env Env) Message { return StepMessage(m.Row.Operation, env.TraceParent) }

// wakeup returns a message that wakes the row's seq. Its ID is new, because
// duplicate detection would drop a used one.
func (m Machine) wakeup(env Env, due time.Time, why string) Message {
	return WakeMessage(m.Row.Operation, due, why+":"+env.NewID(), env.TraceParent)
}

// sendNotice sends a notice to other systems.
func (m Machine) sendNotice(n operation.Notice) (Machine, Command) {
	m.Phase = notifying
	m.Attempted = append(m.Attempted[:len(m.Attempted):len(m.Attempted)], n)
	return m, Command{Action: SendNotice, Row: m.Row, Notice: n}
}

// noticeSent continues after an attempt to send a notice.
func (m Machine) noticeSent(env Env, r Result) (Machine, Command) {
	if r.Storage == OK {
		m.Sent = append(m.Sent[:len(m.Sent):len(m.Sent)], m.Attempted[len(m.Attempted)-1])
	}
	return m.decide(env)
}

// sendNotices handles an operation that has nothing to run. It sends the pending
// notices, removes them from the row, and finalizes an ended operation. The next
// wake-up repeats whatever fails now. The sweep sends wake-ups while notices are
// pending.
func (m Machine) sendNotices(env Env) (Machine, Command) {
	op := m.Row.Operation
	if n, pending := op.NextNotice(m.Attempted); pending {
		return m.sendNotice(n)
	}
	if next, ev, changed := op.NoticesSent(m.Sent, m.expiredNotices(env), m.input(env)); changed {
		return m.save(next, ev, reasonNotices)
	}
	switch {
	case len(op.PendingNotices) > 0:
		return m.end(Acknowledge, "notice could not be sent; the sweep retries it")
	case !op.Status.Terminal():
		return m.end(Acknowledge, "paused or parked")
	}
	m.Phase = finalizing
	return m, Command{Action: Finalize, Row: m.Row}
}

// expiredNotices returns the pending notices that are too old to be retried.
func (m Machine) expiredNotices(env Env) []operation.Notice {
	var expired []operation.Notice
	for _, n := range m.Row.Operation.WithoutNotices(m.Sent).PendingNotices {
		if env.Waits.MaxNoticeAge > 0 && env.Now().Sub(n.At) > env.Waits.MaxNoticeAge {
			expired = append(expired, n)
		}
	}
	return expired
}
