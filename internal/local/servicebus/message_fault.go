package servicebus

import (
	"strings"
	"time"

	"azbackupflow/internal/local/servicebus/store"
)

// MessageFault is a fault of a message that is sent or scheduled. The zero value has no
// effect.
type MessageFault struct {
	// Drop accepts the message, stores its id for duplicate detection and does not
	// deliver it.
	Drop bool
	// Duplicate adds the message twice, in spite of duplicate detection.
	Duplicate bool
	// Delay postpones the delivery.
	Delay time.Duration
}

// SetMessageFault makes the broker call f for each message that is sent or scheduled;
// nil ends that. f is called without the broker's locks, from several goroutines at
// once, with the configured name of the queue or topic.
func (b *Broker) SetMessageFault(f func(queue, messageID string) MessageFault) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.messageFault = f
}

// applyMessageFault applies the message faults to messages before they are added.
func (b *Broker) applyMessageFault(e *entity, messages []store.Incoming) {
	b.mu.Lock()
	f := b.messageFault
	b.mu.Unlock()
	if f == nil {
		return
	}
	now := b.clock.Now()
	for i := range messages {
		m := &messages[i]
		hit := f(e.name, m.ID)
		m.Lost = hit.Drop
		m.Duplicated = hit.Duplicate
		if hit.Delay > 0 {
			due := now
			if m.ScheduledFor.After(due) {
				due = m.ScheduledFor
			}
			m.ScheduledFor = due.Add(hit.Delay)
		}
	}
}

// ids joins message ids, for the detail of a fault request.
func ids(messages []store.Incoming) string {
	list := make([]string, len(messages))
	for i, m := range messages {
		list[i] = m.ID
	}
	return strings.Join(list, ",")
}
