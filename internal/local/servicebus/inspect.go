package servicebus

import (
	"time"

	"azbackupflow/internal/local/servicebus/store"
	"azbackupflow/internal/local/servicebus/wire"
)

// QueueStats is the number of messages in a queue or a subscription.
type QueueStats struct {
	Name         string
	Active       int // available or locked
	Scheduled    int // not yet due
	Deferred     int // received only by sequence number
	DeadLettered int // in its dead-letter queue
	Locked       int // active or deferred, with a lock
}

// MessageInfo is the current state of a message.
type MessageInfo struct {
	SequenceNumber       int64
	MessageID            string
	State                string // "active", "locked", "scheduled" or "deferred"
	EnqueuedTime         time.Time
	ScheduledEnqueueTime time.Time // zero unless it is scheduled
	LockedUntil          time.Time // zero unless it is locked
	DeliveryCount        int       // failed deliveries
	DeadLetterReason     string    // of a message in a dead-letter queue
	DeadLetterDetail     string    // its DeadLetterErrorDescription
	Body                 []byte
}

// Queues returns the message counts of all queues, in the order of the
// configuration.
func (b *Broker) Queues() []QueueStats {
	return b.stats(func(e *entity) bool { return !e.topic && e.rules == nil })
}

// Subscriptions returns the message counts of all subscriptions, in the order of the
// configuration. Names have the form topic/Subscriptions/subscription.
func (b *Broker) Subscriptions() []QueueStats {
	return b.stats(func(e *entity) bool { return e.rules != nil })
}

func (b *Broker) stats(include func(*entity) bool) []QueueStats {
	stats := make([]QueueStats, 0, len(b.ordered))
	for _, e := range b.ordered {
		if !include(e) {
			continue
		}
		e.live.do(func(_ time.Time, q *store.Queue) {
			live, dead := q.Count(), q.DeadLetterQueue().Count()
			stats = append(stats, QueueStats{
				Name:         e.name,
				Active:       live.Active,
				Scheduled:    live.Scheduled,
				Deferred:     live.Deferred,
				DeadLettered: dead.Active + dead.Deferred,
				Locked:       live.Locked,
			})
		})
	}
	return stats
}

// Messages returns the messages of a queue, a subscription
// (topic/Subscriptions/subscription) or a topic, which holds only scheduled messages.
// With the suffix /$DeadLetterQueue it returns those of the dead-letter queue. They
// are ordered by sequence number. It returns nil if there is no such entity.
func (b *Broker) Messages(path string) []MessageInfo {
	n, management, found := b.find(path)
	if !found || management {
		return nil
	}
	var all []store.Message
	n.do(func(_ time.Time, q *store.Queue) { all = q.All() })
	infos := make([]MessageInfo, len(all))
	for i, m := range all {
		infos[i] = infoOf(m)
	}
	return infos
}

func infoOf(m store.Message) MessageInfo {
	info := MessageInfo{
		SequenceNumber:       m.SequenceNumber,
		MessageID:            m.ID,
		State:                m.State.String(),
		EnqueuedTime:         m.EnqueuedAt,
		ScheduledEnqueueTime: m.ScheduledFor,
		DeliveryCount:        m.DeliveryCount,
		Body:                 m.Content.Body(),
	}
	if m.Locked {
		info.State = "locked"
		info.LockedUntil = m.LockedUntil
	}
	info.DeadLetterReason, _ = wire.Text(m.Content.ApplicationProperties.Get("DeadLetterReason"))
	info.DeadLetterDetail, _ = wire.Text(m.Content.ApplicationProperties.Get("DeadLetterErrorDescription"))
	return info
}
