package queue

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
)

// PublisherConfig configures a Publisher. Observe is optional.
type PublisherConfig struct {
	// Client connects to the namespace. The caller closes it.
	Client  *azservicebus.Client
	Observe Observer
}

// Publisher sends messages other than wake-ups to any queue or topic of a
// namespace. It is safe for concurrent use.
type Publisher struct {
	cfg PublisherConfig

	mu      sync.Mutex
	senders map[string]*sender
}

// NewPublisher returns a publisher. It does not connect; the first message opens
// the link of its queue.
func NewPublisher(cfg PublisherConfig) (*Publisher, error) {
	if cfg.Client == nil {
		return nil, errors.New("queue: PublisherConfig.Client is required")
	}
	return &Publisher{cfg: cfg, senders: map[string]*sender{}}, nil
}

// Message is a message to another system.
type Message struct {
	// ID is the message ID: at most 128 characters.
	ID          string
	ContentType string
	// Subject is the kind of message. CorrelationID is the ID of the message
	// that it answers.
	Subject, CorrelationID string
	Body                   []byte
	// Properties may hold strings, numbers, booleans and times.
	Properties map[string]any
}

// Send sends a message to a queue or topic. After an error, the message may
// still have been sent. Send gives up after ten seconds.
func (p *Publisher) Send(ctx context.Context, entity string, m Message) error {
	message := &azservicebus.Message{
		MessageID: &m.ID, ContentType: &m.ContentType, Body: m.Body, ApplicationProperties: m.Properties,
	}
	if m.Subject != "" {
		message.Subject = &m.Subject
	}
	if m.CorrelationID != "" {
		message.CorrelationID = &m.CorrelationID
	}
	return p.sender(entity).send(ctx, message)
}

// Publish sends a JSON body to a queue. The properties may hold strings,
// numbers, booleans and times. After an error, the message may still have been
// sent; sending it again with the same ID is safe if the queue detects
// duplicates. Publish gives up after ten seconds.
func (p *Publisher) Publish(ctx context.Context, queue, messageID string, body []byte, properties map[string]any) error {
	return p.Schedule(ctx, time.Time{}, queue, messageID, body, properties)
}

// Schedule is Publish with the time at which the message becomes visible. The
// zero time makes it visible at once.
func (p *Publisher) Schedule(ctx context.Context, due time.Time, queue, messageID string, body []byte, properties map[string]any) error {
	kind := contentType
	message := &azservicebus.Message{MessageID: &messageID, ContentType: &kind, Body: body, ApplicationProperties: properties}
	if !due.IsZero() {
		message.ScheduledEnqueueTime = &due
	}
	return p.sender(queue).send(ctx, message)
}

func (p *Publisher) sender(queue string) *sender {
	p.mu.Lock()
	defer p.mu.Unlock()
	s, ok := p.senders[queue]
	if !ok {
		s = &sender{client: p.cfg.Client, queue: queue, observe: p.cfg.Observe}
		p.senders[queue] = s
	}
	return s
}

// Close closes all links. A later message opens them again.
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
