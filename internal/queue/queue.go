package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"azbackupflow/internal/engine"
)

const contentType = "application/json"

// Config configures a Queue. Observe is optional.
type Config struct {
	// Client connects to the namespace. The caller closes it.
	Client *azservicebus.Client
	// Name is the name of the queue.
	Name    string
	Now     func() time.Time
	Observe Observer
}

// Queue sends wake-ups to one queue. It implements engine.Queue and is safe for
// concurrent use.
type Queue struct {
	sender *sender
	now    func() time.Time
}

// New returns a queue. It does not connect; the first Send opens the link.
func New(cfg Config) (*Queue, error) {
	if cfg.Client == nil || cfg.Name == "" || cfg.Now == nil {
		return nil, errors.New("queue: Config.Client, Name and Now are required")
	}
	return &Queue{sender: &sender{client: cfg.Client, queue: cfg.Name, observe: cfg.Observe}, now: cfg.Now}, nil
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
		// Service Bus counts in milliseconds. Rounding up keeps the message from
		// arriving too early.
		due := m.Due.UTC().Add(time.Millisecond - 1).Truncate(time.Millisecond)
		message.ScheduledEnqueueTime = &due
	}
	return q.sender.send(ctx, message)
}

// Close closes the link. A later Send opens it again.
func (q *Queue) Close(ctx context.Context) error { return q.sender.close(ctx) }
