package intake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/parallel"
	"azbackupflow/internal/queue"
	"azbackupflow/internal/rejected"
)

// DeadLetters reads a dead-letter queue; see queue.DeadLetters.
type DeadLetters interface {
	Receive(ctx context.Context, limit int) ([]queue.DeadLetter, error)
	Complete(ctx context.Context, m queue.DeadLetter) error
	Close(ctx context.Context) error
}

// Waker wakes the operation of a dead-lettered wake-up.
type Waker interface {
	WakeDeadLettered(context.Context, operation.Wakeup) error
}

// CollectorConfig holds what a Collector needs. All fields are required.
type CollectorConfig struct {
	// Requests and Steps read the dead-letter queues of the two queues.
	Requests, Steps DeadLetters
	Intake          *Intake
	Waker           Waker
	Rejecter        *Rejecter
	Now             func() time.Time
	// Sleep waits, or returns the context's error early.
	Sleep func(context.Context, time.Duration) error
	Log   *slog.Logger
}

// Collector empties the dead-letter queues. A trigger would deliver a dead letter
// that it cannot bind, or whose handler fails, again without end.
type Collector struct{ cfg CollectorConfig }

// NewCollector returns a Collector. It fails if a field is missing.
func NewCollector(c CollectorConfig) (*Collector, error) {
	if c.Requests == nil || c.Steps == nil || c.Intake == nil || c.Waker == nil || c.Rejecter == nil || c.Now == nil || c.Sleep == nil || c.Log == nil {
		return nil, errors.New("intake: CollectorConfig has an empty field; set all of them")
	}
	return &Collector{cfg: c}, nil
}

// Limits of one run of the collector: at most 100 messages a second of each queue,
// so that a backlog of 10,000 takes two runs and causes no burst. MaxCollectTime
// leaves room for the last batch in the invocation.
const (
	MaxCollectTime   = 75 * time.Second
	maxBatch         = 50
	batchPace        = 500 * time.Millisecond
	maxConcurrentDLQ = 8
	// maxDeadLetterBody limits a body before it is decoded, in bytes.
	maxDeadLetterBody = 1 << 20
)

// deadLetterQueue is one of the two queues and the handler of its messages.
type deadLetterQueue struct {
	name   string
	reader DeadLetters
	handle func(context.Context, queue.DeadLetter) error
	// done is set when the queue is empty or cannot be read.
	done bool
}

// Collect handles the messages of both dead-letter queues in batches, until they
// are empty or the time is up. A message is completed only after it is handled.
// Collect stops early if a batch fails as a whole, because storage is unavailable
// then. The next run continues.
func (c *Collector) Collect(ctx context.Context) error {
	queues := []*deadLetterQueue{
		{name: "steps", reader: c.cfg.Steps, handle: c.step},
		{name: "requests", reader: c.cfg.Requests, handle: c.request},
	}
	defer c.close(ctx, queues)
	var failures []error
	began := c.cfg.Now()
	for c.cfg.Now().Sub(began) < MaxCollectTime {
		busy := false
		for _, q := range queues {
			if q.done {
				continue
			}
			if err := c.batch(ctx, q); err != nil {
				failures = append(failures, err)
			}
			busy = busy || !q.done
		}
		if !busy {
			break
		}
		if err := c.cfg.Sleep(ctx, batchPace); err != nil {
			failures = append(failures, err)
			break
		}
	}
	return errors.Join(failures...)
}

// close closes the links of the queues, even if the invocation's time is up.
func (c *Collector) close(ctx context.Context, queues []*deadLetterQueue) {
	ctx = context.WithoutCancel(ctx)
	for _, q := range queues {
		if err := q.reader.Close(ctx); err != nil {
			c.cfg.Log.DebugContext(ctx, "dead-letter queue not closed", "queue", q.name, "error", err)
		}
	}
}

// batch handles one batch. It returns an error if a message failed; the queue is
// done if all of them did.
func (c *Collector) batch(ctx context.Context, q *deadLetterQueue) error {
	messages, unreceived := q.reader.Receive(ctx, maxBatch)
	if len(messages) == 0 {
		q.done = true
		return unreceived
	}
	var mu sync.Mutex
	var failures []error
	group := parallel.New()
	group.SetLimit(maxConcurrentDLQ)
	for _, m := range messages {
		group.Go(func() error {
			err := c.one(ctx, q, m)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failures = append(failures, err)
			}
			return nil
		})
	}
	_ = group.Wait() // always nil: errors are collected
	c.cfg.Log.InfoContext(ctx, "dead letters collected", "queue", q.name, "messages", len(messages), "failed", len(failures))
	if len(failures) == 0 {
		return unreceived
	}
	q.done = len(failures) == len(messages)
	return errors.Join(unreceived, fmt.Errorf("collect dead letters of %s: %d of %d failed; the first: %w", q.name, len(failures), len(messages), failures[0]))
}

// one handles and completes one message. A panic fails only this message.
func (c *Collector) one(ctx context.Context, q *deadLetterQueue, m queue.DeadLetter) error {
	err := parallel.Recover(func() error {
		if err := q.handle(ctx, m); err != nil {
			return err
		}
		return q.reader.Complete(ctx, m)
	})
	if err != nil {
		return fmt.Errorf("handle dead letter %s: %w", boundedID(m.MessageID), err)
	}
	return nil
}

// step wakes the operation of a wake-up, and rejects every other message.
func (c *Collector) step(ctx context.Context, m queue.DeadLetter) error {
	w, err := DecodeWakeup(m.Body)
	if err != nil {
		rejection := rejectionOf(m, rejected.StepsDeadLetters)
		rejection.Err = fmt.Errorf("the message is not a wake-up: %w", err)
		return c.cfg.Rejecter.Reject(ctx, rejection)
	}
	c.cfg.Log.WarnContext(ctx, "wake-up dead-lettered", "messageId", boundedID(m.MessageID), "reason", reasonOf(m), "op", w.OperationID, "seq", w.Seq)
	return c.cfg.Waker.WakeDeadLettered(ctx, w)
}

// request restarts a request whose operation exists, and rejects every other
// message.
func (c *Collector) request(ctx context.Context, m queue.DeadLetter) error {
	e := Envelope{MessageID: m.MessageID, EnqueuedAt: m.EnqueuedAt, ReplyTo: m.ReplyTo}
	e.Trace, _ = m.Property(PropertyTrace)
	if m.BodyType != "" || len(m.Body) > maxDeadLetterBody {
		e.err = invalid("request", "is not readable", "one JSON object")
	}
	e = e.with(m.Body, m.Property)
	rejection := rejectionOf(m, rejected.RequestsDeadLetters)
	rejection.MessageID, rejection.ReplyTo = e.MessageID, e.ReplyTo
	return c.cfg.Intake.acceptDeadLetter(ctx, e, reasonOf(m), rejection)
}

func rejectionOf(m queue.DeadLetter, source rejected.Source) Rejection {
	return Rejection{Source: source, MessageID: BoundID(m.MessageID), At: m.EnqueuedAt, Body: m.Body, BodyType: m.BodyType}
}

// reasonOf returns why Service Bus dead-lettered the message.
func reasonOf(m queue.DeadLetter) string {
	return Shorten(Redact(strings.TrimSpace(m.Reason+" "+m.Description)), maxText)
}

// maxOperationID limits the operation id of a wake-up, in bytes. An id of the app
// has 26.
const maxOperationID = 128

// DecodeWakeup decodes a message of the queue steps.
func DecodeWakeup(body []byte) (operation.Wakeup, error) {
	var w operation.Wakeup
	if len(body) > maxDeadLetterBody {
		return w, fmt.Errorf("the message is %d bytes long", len(body))
	}
	if err := json.Unmarshal(body, &w); err != nil {
		return w, fmt.Errorf("decode the message: %w", err)
	}
	if w.OperationID == "" || w.Seq < 1 {
		return w, errors.New("the message has no operation id or seq")
	}
	if len(w.OperationID) > maxOperationID || len(w.Rescue) > maxName || len(w.TraceParent) > maxTrace {
		return w, errors.New("the message has a field that is too long")
	}
	w.Snoozes = max(w.Snoozes, 0)
	return w, nil
}
