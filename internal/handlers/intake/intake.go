// Package intake accepts requests from the queue requests. Decode reads a
// message once into an Envelope. Accept validates the request, starts its
// operation or the operations of its bulk, and rejects, reschedules or replies
// where it cannot.
//
// The package must not know how steps run, how records are stored, or which
// flows exist: it sees the engine, the store and the queue as the small
// interfaces and functions of its configuration.
package intake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/request"
	"azbackupflow/internal/settings"
	"azbackupflow/internal/step"
)

// Engine starts operations.
type Engine interface {
	// Start creates an operation, or returns the operation that has the
	// request's key already.
	Start(context.Context, request.Request, engine.Origin) (op operation.Operation, created bool, err error)
	// Prepare validates a request and starts nothing.
	Prepare(request.Request) (operation.Operation, error)
	// Validate saves the answer of a validator about what an operation restored.
	Validate(ctx context.Context, id string, a operation.ValidationAnswer, target string) (operation.Operation, error)
}

// Config holds what an Intake needs. All fields are required.
type Config struct {
	Engine Engine
	// Load returns an operation, or engine.ErrNotFound.
	Load func(ctx context.Context, id string) (engine.Row, error)
	// Send sends a message that becomes visible when it is due.
	Send     func(ctx context.Context, due time.Time, queue, messageID string, body []byte, properties map[string]any) error
	Rejecter *Rejecter
	// Sealer signs the copies of messages.
	Sealer *Sealer
	// Bulks keeps the records of bulks.
	Bulks *Bulks
	// Waits bounds the delay of a rescheduled request.
	Waits operation.Waits
	Now   func() time.Time
	// NewID returns a new UUID.
	NewID func() string
	Log   *slog.Logger
}

// Intake accepts requests from the queue requests.
type Intake struct{ cfg Config }

// New returns an Intake. It fails if a field of the configuration is missing.
func New(c Config) (*Intake, error) {
	if c.Engine == nil || c.Load == nil || c.Send == nil || c.Rejecter == nil || c.Sealer == nil || c.Bulks == nil || c.Now == nil || c.NewID == nil || c.Log == nil {
		return nil, errors.New("intake: Config has an empty field; set all of them")
	}
	return &Intake{cfg: c}, nil
}

// Accept starts what a message requests. A request that can never work is
// rejected and not retried. Any other failure reschedules a copy of the message,
// because Service Bus redelivers at once and would use up the maximum delivery
// count within a second. If Accept returns an error, Service Bus must redeliver
// the message.
func (in *Intake) Accept(ctx context.Context, m Envelope) error {
	verified, err := m.verified(ctx, in.cfg.Sealer)
	if err != nil {
		// The copy keeps its claims until its seal can be checked.
		in.cfg.Log.WarnContext(ctx, "request rescheduled", "messageId", boundedID(m.MessageID), "error", err)
		return in.reschedule(ctx, m, m.claimed)
	}
	m = verified
	if m.EnqueuedAt.IsZero() { // a repeated rejection keeps the time of the first
		m.EnqueuedAt = in.cfg.Now()
	}
	err = in.start(ctx, m)
	if IsPermanent(err) {
		// If the rejection cannot be recorded (storage unavailable), the message
		// is retried.
		err = in.cfg.Rejecter.Reject(ctx, m.rejection(rejected.Requests, m.Body, err))
	}
	if err == nil {
		return nil
	}
	var rest *unfinishedBulk
	if errors.As(err, &rest) {
		return in.continueBulk(ctx, m, rest)
	}
	in.cfg.Log.WarnContext(ctx, "request rescheduled", "messageId", boundedID(m.MessageID), "error", err)
	return in.reschedule(ctx, m, in.claims(ctx, m, m.bulkOffset))
}

// start starts the operation of a request, or the next portion of a bulk.
func (in *Intake) start(ctx context.Context, m Envelope) error {
	if m.err != nil {
		return m.err
	}
	if err := in.cfg.Rejecter.checkReplyTo(m.ReplyTo); err != nil {
		return err
	}
	if request.IsBulk(m.content.Body) {
		if err := request.BulkFits(len(m.Body)); err != nil { // Body includes the event around the bulk
			return err
		}
		return in.startBulk(ctx, m)
	}
	if request.IsAnswer(m.content.Body) {
		return in.validate(ctx, m)
	}
	req, err := m.request()
	if err != nil {
		_, further := in.cfg.Engine.Prepare(req)
		return step.JoinInvalid(err, further)
	}
	if err := checkDryRun(req); err != nil {
		return err
	}
	if err := request.Reserved(req.Key); err != nil && !m.internal {
		return err
	}
	op, created, err := in.cfg.Engine.Start(ctx, req, m.origin(req.Reason))
	if err == nil && !created {
		in.cfg.Log.InfoContext(ctx, "nothing started: the key has an operation", "messageId", boundedID(m.MessageID), "op", op.ID, "status", string(op.Status))
	}
	return err
}

// validate saves the answer of a validator. If the drill does not take it, the message
// is rejected.
func (in *Intake) validate(ctx context.Context, m Envelope) error {
	a, err := request.ReadAnswerMessage(m.content.Body)
	if err != nil {
		return err
	}
	_, err = in.cfg.Engine.Validate(ctx, a.Operation, a.Validated(m.by("").Actor), a.Target)
	if errors.Is(err, engine.ErrNotFound) {
		return invalid("validation.operation", fmt.Sprintf("%q is not the ID of an operation", a.Operation), "the ID of a drill that waits for an answer")
	}
	return err
}

// checkDryRun rejects a dry run from a queue, because nothing could return its
// result.
func checkDryRun(r request.Request) error {
	if !r.DryRun {
		return nil
	}
	return invalid("dryRun", "is not supported on a queue, because a message has no response", "a request over HTTP")
}

// maxDoublings keeps the doubled delay from overflowing.
const maxDoublings = 10

// reschedule sends a copy of the message with a delay: 30 s, doubling to 5 min.
func (in *Intake) reschedule(ctx context.Context, m Envelope, c claims) error {
	delay := min(in.cfg.Waits.MinSnooze<<min(m.reschedules, maxDoublings), in.cfg.Waits.MaxSnooze)
	properties := m.carried(c)
	properties[propertyReschedules] = strconv.Itoa(m.reschedules + 1)
	if err := in.cfg.Send(ctx, in.cfg.Now().Add(delay), settings.RequestsQueue, in.cfg.NewID(), m.Body, properties); err != nil {
		return fmt.Errorf("reschedule a request: %w", err)
	}
	return nil
}

func invalid(field, problem, want string) error {
	return &step.Invalid{Fields: []step.FieldError{{Field: field, Problem: problem, Want: want}}}
}
