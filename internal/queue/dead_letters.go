package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
)

// maxReceiveWait limits the wait for the messages of one batch.
const maxReceiveWait = 5 * time.Second

// DeadLetter is a message of a dead-letter queue. Its fields are the sender's, so
// the reader bounds them.
type DeadLetter struct {
	MessageID  string
	EnqueuedAt time.Time
	ReplyTo    string
	// Reason and Description explain why Service Bus dead-lettered the message.
	Reason, Description string
	Properties          map[string]any
	// Body is the body as bytes. BodyType describes a body that is not binary data
	// and not text, such as "AMQP value (map[string]interface {})"; Body then holds
	// a readable form.
	Body     []byte
	BodyType string

	received *azservicebus.ReceivedMessage
}

// Property returns an application property as text.
func (d DeadLetter) Property(name string) (string, bool) {
	switch v := d.Properties[name].(type) {
	case nil:
		return "", false
	case string:
		return v, true
	default:
		return fmt.Sprint(v), true
	}
}

// DeadLettersConfig configures DeadLetters.
type DeadLettersConfig struct {
	// Client connects to the namespace. The caller closes it.
	Client *azservicebus.Client
	// Queue is the queue whose dead-letter queue is read.
	Queue string
}

// DeadLetters reads the dead-letter queue of one queue. It is safe for concurrent
// use.
type DeadLetters struct {
	cfg DeadLettersConfig

	mu       sync.Mutex
	receiver *azservicebus.Receiver
}

// NewDeadLetters returns a reader. It does not connect; the first Receive opens
// the link.
func NewDeadLetters(cfg DeadLettersConfig) (*DeadLetters, error) {
	if cfg.Client == nil || cfg.Queue == "" {
		return nil, errors.New("queue: DeadLettersConfig.Client and Queue are required")
	}
	return &DeadLetters{cfg: cfg}, nil
}

// messageReader is the part of azservicebus.Receiver that reads messages.
type messageReader interface {
	PeekMessages(ctx context.Context, limit int, o *azservicebus.PeekMessagesOptions) ([]*azservicebus.ReceivedMessage, error)
	ReceiveMessages(ctx context.Context, limit int, o *azservicebus.ReceiveMessagesOptions) ([]*azservicebus.ReceivedMessage, error)
}

// errUndecodable reports a message that the Service Bus client cannot decode.
var errUndecodable = errors.New("a message that the Service Bus client cannot decode")

// Receive returns at most limit messages and locks them. It returns none if the
// dead-letter queue is empty or all of its messages are locked. A message that is
// not completed becomes visible again when its lock expires.
//
// Receive may return messages and an error. It then skipped messages that the
// Service Bus client cannot decode; they stay in the dead-letter queue.
func (d *DeadLetters) Receive(ctx context.Context, limit int) ([]DeadLetter, error) {
	receiver, err := d.open()
	if err != nil {
		return nil, err
	}
	batch, err := receiveSome(ctx, receiver, limit)
	if err != nil {
		err = d.failed("receive from", err)
	}
	letters := make([]DeadLetter, len(batch))
	for i, m := range batch {
		letters[i] = deadLetterOf(m)
	}
	return letters, err
}

// receiveSome receives a batch, or message by message if one of the first messages
// cannot be decoded.
func receiveSome(ctx context.Context, r messageReader, limit int) ([]*azservicebus.ReceivedMessage, error) {
	waiting, err := peek(ctx, r, limit)
	switch {
	case errors.Is(err, errUndecodable):
		return receiveEach(ctx, r, limit)
	case err != nil || waiting == 0:
		return nil, err
	}
	batch, err := receive(ctx, r, limit)
	if errors.Is(err, errUndecodable) {
		return receiveEach(ctx, r, limit)
	}
	return batch, err
}

// peek returns the number of the first messages, locked or not, up to the limit.
// Without it, a receive on an empty queue waits until its timeout, and one message
// that cannot be decoded locks all others of its batch.
func peek(ctx context.Context, r messageReader, limit int) (int, error) {
	first := int64(0)
	ctx, cancel := context.WithTimeout(ctx, maxSendTime)
	defer cancel()
	var found []*azservicebus.ReceivedMessage
	err := decoding(func() (err error) {
		found, err = r.PeekMessages(ctx, limit, &azservicebus.PeekMessagesOptions{FromSequenceNumber: &first})
		return err
	})
	return len(found), err
}

// receive returns at most limit messages; none if all of them are locked.
func receive(ctx context.Context, r messageReader, limit int) (batch []*azservicebus.ReceivedMessage, err error) {
	wait, cancel := context.WithTimeout(ctx, maxReceiveWait)
	defer cancel()
	err = decoding(func() (err error) {
		batch, err = r.ReceiveMessages(wait, limit, nil)
		return err
	})
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return nil, nil
	}
	return batch, err
}

// receiveEach receives at most limit messages, each by itself. Its error reports
// a message that it skipped, or why it stopped.
func receiveEach(ctx context.Context, r messageReader, limit int) ([]*azservicebus.ReceivedMessage, error) {
	var all []*azservicebus.ReceivedMessage
	var skipped error
	for range limit {
		one, err := receive(ctx, r, 1)
		switch {
		case errors.Is(err, errUndecodable):
			skipped = err
		case err != nil:
			return all, err
		case len(one) == 0:
			return all, skipped
		}
		all = append(all, one...)
	}
	return all, skipped
}

// decoding calls the Service Bus client. The client panics on a message whose
// application property DeadLetterReason or DeadLetterErrorDescription is not
// text, which any sender can set.
func decoding(call func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = fmt.Errorf("%w (%v); delete it with Service Bus Explorer", errUndecodable, value)
		}
	}()
	return call()
}

// Complete removes a received message from the dead-letter queue.
func (d *DeadLetters) Complete(ctx context.Context, m DeadLetter) error {
	receiver, err := d.open()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, maxSendTime)
	defer cancel()
	if err := receiver.CompleteMessage(ctx, m.received, nil); err != nil {
		return d.failed("complete a message of", err)
	}
	return nil
}

// Close closes the link. A later call opens it again.
func (d *DeadLetters) Close(ctx context.Context) error {
	d.mu.Lock()
	receiver := d.receiver
	d.receiver = nil
	d.mu.Unlock()
	if receiver == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, maxDetachTime)
	defer cancel()
	return receiver.Close(ctx)
}

func (d *DeadLetters) open() (*azservicebus.Receiver, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.receiver != nil {
		return d.receiver, nil
	}
	receiver, err := d.cfg.Client.NewReceiverForQueue(d.cfg.Queue, &azservicebus.ReceiverOptions{SubQueue: azservicebus.SubQueueDeadLetter})
	if err != nil {
		return nil, d.failed("connect to", err)
	}
	d.receiver = receiver
	return receiver, nil
}

func (d *DeadLetters) failed(action string, err error) error {
	return fmt.Errorf("%s the dead-letter queue of %s: %w", action, d.cfg.Queue, err)
}

// textOf returns a text, empty if it is absent.
func textOf(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

func deadLetterOf(m *azservicebus.ReceivedMessage) DeadLetter {
	d := DeadLetter{MessageID: m.MessageID, Properties: m.ApplicationProperties, received: m}
	d.ReplyTo, d.Reason, d.Description = textOf(m.ReplyTo), textOf(m.DeadLetterReason), textOf(m.DeadLetterErrorDescription)
	if m.EnqueuedTime != nil {
		d.EnqueuedAt = m.EnqueuedTime.UTC()
	}
	d.Body, d.BodyType = bodyOf(m)
	return d
}

// bodyOf returns the body of a message whatever its AMQP section is. Only data
// sections and text are the bytes of the sender.
func bodyOf(m *azservicebus.ReceivedMessage) (body []byte, bodyType string) {
	if m.Body != nil || m.RawAMQPMessage == nil {
		return m.Body, ""
	}
	raw := m.RawAMQPMessage.Body
	switch value := raw.Value.(type) {
	case nil:
	case string:
		return []byte(value), ""
	case []byte:
		return value, ""
	default:
		return readable(value), fmt.Sprintf("AMQP value (%T)", value)
	}
	if len(raw.Sequence) > 0 {
		return readable(raw.Sequence), "AMQP sequence"
	}
	for _, part := range raw.Data {
		body = append(body, part...)
	}
	return body, ""
}

// readable returns an AMQP value as JSON, or as Go prints it if JSON cannot hold
// it: a map may have keys of any type.
func readable(value any) []byte {
	if text, err := json.Marshal(value); err == nil {
		return text
	}
	return []byte(strings.ToValidUTF8(fmt.Sprintf("%v", value), "\uFFFD"))
}
