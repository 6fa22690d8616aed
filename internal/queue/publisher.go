package queue

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
)

// Publisher sends what is not a wake-up: copies of refused requests, notices
// and answers. It is safe for concurrent use.
type Publisher struct {
	client  *azservicebus.Client
	observe func(ctx context.Context, queue string) (context.Context, func(error))

	mu      sync.Mutex
	senders map[string]*sender
}

// NewPublisher gives a publisher for all queues of the client's namespace. The
// client stays the caller's to close.
func NewPublisher(client *azservicebus.Client) *Publisher {
	return &Publisher{client: client, senders: map[string]*sender{}}
}

// Observe tells observer of each message that is sent from now on, as
// Queue.Observe does. Call it before the first message.
func (p *Publisher) Observe(observer func(ctx context.Context, queue string) (context.Context, func(error))) {
	p.observe = observer
}

// Publish sends a JSON body to a queue. The properties may hold strings,
// numbers, booleans and times. After an error the message may or may not have
// been sent; sending it again under the same id does no harm where the queue
// detects duplicates. It gives up after ten seconds.
func (p *Publisher) Publish(ctx context.Context, queue, messageID string, body []byte, properties map[string]any) error {
	return p.Schedule(ctx, time.Time{}, queue, messageID, body, properties)
}

// Schedule is Publish with a time before which nobody receives the message;
// the zero time means at once.
func (p *Publisher) Schedule(ctx context.Context, due time.Time, queue, messageID string, body []byte, properties map[string]any) error {
	kind := contentType
	m := &azservicebus.Message{MessageID: &messageID, ContentType: &kind, Body: body, ApplicationProperties: properties}
	if !due.IsZero() {
		m.ScheduledEnqueueTime = &due
	}
	return p.sender(queue).send(ctx, m)
}

func (p *Publisher) sender(queue string) *sender {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, ok := p.senders[queue]
	if !ok {
		s = &sender{client: p.client, queue: queue, observe: p.observe}
		p.senders[queue] = s
	}
	return s
}

// Close closes all links. A later Publish opens them again.
func (p *Publisher) Close(ctx context.Context) error {
	p.mu.Lock()
	senders := p.senders
	p.senders = map[string]*sender{}
	p.mu.Unlock()
	var failures []error
	for _, s := range senders {
		failures = append(failures, s.close(ctx))
	}
	return errors.Join(failures...)
}
