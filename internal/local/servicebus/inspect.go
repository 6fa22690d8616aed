package servicebus

import (
	"time"

	"azbackupflow/internal/local/servicebus/store"
	"azbackupflow/internal/local/servicebus/wire"
)

// QueueStats says how many messages a queue holds.
type QueueStats struct {
	Name         string
	Active       int // waiting for a receiver or locked by one
	Scheduled    int // waiting for their time
	Deferred     int // set aside
	DeadLettered int // in the dead-letter queue
	Locked       int // of the active and the deferred ones
}

// MessageInfo is a message as it is now.
type MessageInfo struct {
	SequenceNumber       int64
	MessageID            string
	State                string // "active", "locked", "scheduled" or "deferred"
	EnqueuedTime         time.Time
	ScheduledEnqueueTime time.Time // zero unless it is scheduled
	LockedUntil          time.Time // zero unless it is locked
	DeliveryCount        int       // deliveries that have failed
	DeadLetterReason     string    // of a message in a dead-letter queue
	DeadLetterDetail     string    // its DeadLetterErrorDescription
	Body                 []byte
}

// Queues returns the numbers of every queue, in the order of the
// configuration.
func (b *Broker) Queues() []QueueStats {
	stats := make([]QueueStats, 0, len(b.names))
	for _, name := range b.names {
		n, _, _ := b.find(name)
		n.do(func(_ time.Time, q *store.Queue) {
			live, dead := q.Count(), q.DeadLetter().Count()
			stats = append(stats, QueueStats{
				Name:         name,
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

// Messages returns every message of a queue, or of a dead-letter queue
// ("<queue>/$DeadLetterQueue"), by sequence number. It returns nil when there is
// no such queue.
func (b *Broker) Messages(queue string) []MessageInfo {
	n, management, found := b.find(queue)
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
