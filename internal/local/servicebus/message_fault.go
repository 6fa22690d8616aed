package servicebus

import (
	"strings"
	"time"

	"azbackupflow/internal/local/servicebus/store"
)

// MessageFault says what goes wrong with a message that is sent or scheduled.
// Its zero value is: nothing.
type MessageFault struct {
	// Drop accepts the message, remembers its id for duplicate detection and
	// never delivers it.
	Drop bool
	// Duplicate puts the message into the queue twice, past duplicate detection.
	Duplicate bool
	// Delay makes the message available so much later than it should be.
	Delay time.Duration
}

// SetMessageFault makes the broker ask f what goes wrong with each message
// from now on; nil ends that. f is called without any of the broker's locks,
// from several goroutines at once, with the queue's name as it was configured.
func (b *Broker) SetMessageFault(f func(queue, messageID string) MessageFault) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.messageFault = f
}

// afflict applies the message faults to messages on their way into a queue.
func (b *Broker) afflict(e *entity, messages []store.Incoming) {
	b.mu.Lock()
	f := b.messageFault
	b.mu.Unlock()
	if f == nil {
		return
	}
	now := b.clock.Now()
	for i := range messages {
		m := &messages[i]
		wrong := f(e.name, m.ID)
		m.Lost = wrong.Drop
		m.Twice = wrong.Duplicate
		if wrong.Delay > 0 {
			due := now
			if m.ScheduledFor.After(due) {
				due = m.ScheduledFor
			}
			m.ScheduledFor = due.Add(wrong.Delay)
		}
	}
}

// ids joins message ids for the detail of a fault request.
func ids(messages []store.Incoming) string {
	list := make([]string, len(messages))
	for i, m := range messages {
		list[i] = m.ID
	}
	return strings.Join(list, ",")
}
