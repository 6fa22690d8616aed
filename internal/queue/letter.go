package queue

import (
	"context"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
)

// Letter is a message to another system.
type Letter struct {
	// ID is the MessageId: at most 128 characters.
	ID          string
	ContentType string
	// Subject says what it is about, CorrelationID what it answers.
	Subject, CorrelationID string
	Body                   []byte
	// Properties may hold strings, numbers, booleans and times.
	Properties map[string]any
}

// Post sends a letter to a queue or topic. After an error it may or may not
// have been sent. It gives up after ten seconds.
func (p *Publisher) Post(ctx context.Context, entity string, l Letter) error {
	m := &azservicebus.Message{
		MessageID: &l.ID, ContentType: &l.ContentType, Body: l.Body, ApplicationProperties: l.Properties,
	}
	if l.Subject != "" {
		m.Subject = &l.Subject
	}
	if l.CorrelationID != "" {
		m.CorrelationID = &l.CorrelationID
	}
	return p.sender(entity).send(ctx, m)
}
