package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"azbackupflow/internal/engine"
)

const contentType = "application/json"

// Queue sends wake-ups to one queue. It implements engine.Queue and is safe
// for concurrent use.
type Queue struct {
	sender sender
	now    func() time.Time
}

// New gives the queue of that name. Nothing is called yet: the link is opened
// at the first send. The client stays the caller's to close.
func New(client *azservicebus.Client, name string, now func() time.Time) *Queue {
	return &Queue{sender: sender{client: client, queue: name}, now: now}
}

// Observe tells observer of each message that is sent from now on: the context
// that it gives is used, its function is called with the outcome. Call it
// before the first Send.
func (q *Queue) Observe(observer func(ctx context.Context, queue string) (context.Context, func(error))) {
	q.sender.observe = observer
}

// Send implements engine.Queue. It gives up after ten seconds.
func (q *Queue) Send(ctx context.Context, m engine.Message) error {
	body, err := json.Marshal(m.Wakeup)
	if err != nil {
		return fmt.Errorf("encode wake-up %s: %w", m.ID, err)
	}
	kind := contentType
	message := &azservicebus.Message{MessageID: &m.ID, ContentType: &kind, Body: body}
	if m.Due.After(q.now()) {
		// Service Bus counts in milliseconds: rounding up is not too early.
		due := m.Due.UTC().Add(time.Millisecond - 1).Truncate(time.Millisecond)
		message.ScheduledEnqueueTime = &due
	}
	return q.sender.send(ctx, message)
}

// Close closes the link. A later Send opens another.
func (q *Queue) Close(ctx context.Context) error { return q.sender.close(ctx) }
