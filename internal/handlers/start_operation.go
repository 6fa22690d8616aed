package handlers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"time"

	"azbackupflow/internal/customhandler"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/request"
	"azbackupflow/internal/settings"
	"azbackupflow/internal/state"
	"azbackupflow/internal/step"
)

// Starter creates operations.
type Starter interface {
	Start(context.Context, request.Request, engine.Origin) (op operation.Operation, created bool, err error)
	// Prepare checks a request and starts nothing.
	Prepare(request.Request) (operation.Operation, error)
}

// Requests handles what comes over the queue `requests`.
type Requests struct {
	Engine Starter
	Refuse Refuser
	// Load reads an operation; engine.ErrNotFound if there is none.
	Load func(ctx context.Context, id string) (engine.Row, error)
	// Later sends a message that is received when it is due.
	Later func(ctx context.Context, due time.Time, queue, messageID string, body []byte, properties map[string]any) error
	Now   func() time.Time
	NewID func() string
	Waits operation.Waits
}

// Properties of a request that was put off.
const (
	originalID = "azbackupflow-message-id"
	putOff     = "azbackupflow-put-off"
	// replayedID is the id that a request was sent again under: what follows
	// from it is no duplicate of what followed from the first.
	replayedID = "azbackupflow-replayed-id"
	// deadLettered says why the request was dead-lettered: it only waits to be
	// refused.
	deadLettered = "azbackupflow-dead-lettered"
)

// Start handles the queue `requests`: a request or a bulk of them, as it is or
// as the data of a CloudEvent. What has no key has its event's source and id,
// or else its message's id, as key, so that the same message delivered twice
// starts one operation. A request that can never work is refused, in words, and
// not tried again; one that cannot be started now is put off, because redelivery
// comes at once and ten deliveries are gone in a second.
func (r Requests) Start(ctx context.Context, inv customhandler.Invocation) (customhandler.Result, error) {
	messageID := inv.MessageID()
	if id, ok := inv.ApplicationProperty(originalID); ok {
		messageID = id
	}
	var still map[string]any
	raw, err := inv.Payload(binding)
	why, dead := inv.ApplicationProperty(deadLettered)
	switch {
	case dead:
		err = r.refuseDead(ctx, inv, messageID, raw, why)
		still = map[string]any{deadLettered: why}
	case err != nil:
		err = &step.Invalid{Fields: []step.FieldError{{Field: "request", Problem: "cannot be read: " + err.Error(), Want: "one JSON object"}}}
	default:
		err = r.start(ctx, inv, messageID, raw)
	}
	if permanent(err) {
		// Who cannot be refused now, because the table is away, comes again.
		err = r.refuse(ctx, inv, messageID, raw, err)
	}
	if err == nil {
		return customhandler.Result{}, nil
	}
	if rest, ok := asUnfinished(err); ok {
		return customhandler.Result{}, r.goOn(ctx, inv, messageID, raw, rest)
	}
	customhandler.Logger(ctx).WarnContext(ctx, "a request cannot be worked on now, trying later", "messageId", messageID, "error", err)
	return customhandler.Result{}, r.later(ctx, inv, messageID, raw, still)
}

func (r Requests) start(ctx context.Context, inv customhandler.Invocation, messageID string, raw []byte) error {
	content, err := request.Unwrap(raw)
	if err != nil {
		return err
	}
	key, from := keyOf(content, messageID), engine.Origin{TraceParent: inv.Trace, ReplyTo: replyTo(inv), MessageID: messageID}
	if from.TraceParent == "" {
		from.TraceParent = content.TraceParent
	}
	if err := r.checkReplyTo(inv); err != nil {
		return err
	}
	if request.IsBulk(content.Body) {
		if err := request.BulkFits(len(raw)); err != nil { // the event around it is sent on, too
			return err
		}
		return r.bulk(ctx, inv, messageID, key, content.Body, from)
	}
	req, err := read(content.Body, key)
	if err != nil {
		return err
	}
	if req.DryRun {
		return &step.Invalid{Fields: []step.FieldError{{Field: "dryRun", Problem: "is set on a queue, where nobody reads the answer", Want: "a request over HTTP"}}}
	}
	_, _, err = r.Engine.Start(ctx, req, from)
	return err
}

// keyOf is the key of a request that has none of its own.
func keyOf(content request.Content, messageID string) string {
	if content.Key != "" {
		return content.Key
	}
	return messageID
}

// read reads a request, with a key for one that has none.
func read(raw []byte, key string) (request.Request, error) {
	req, err := request.Read(raw)
	if err == nil && req.Key == "" {
		req.Key = key
	}
	return req, err
}

// permanent reports whether an error of Start lies in the request itself.
func permanent(err error) bool {
	var invalid *step.Invalid
	var conflict *engine.KeyConflict
	var large *state.TooLarge
	return errors.As(err, &invalid) || errors.As(err, &conflict) || errors.As(err, &large)
}

func (r Requests) refuse(ctx context.Context, inv customhandler.Invocation, messageID string, raw []byte, err error) error {
	return r.Refuse.Refuse(ctx, Refused{
		Source: rejected.Requests, MessageID: messageID, At: enqueued(inv), Body: raw, Err: err,
		ReplyTo: replyTo(inv), PutOff: timesPutOff(inv),
	})
}

// later sends a copy of the request that is received after a while: 30 s,
// doubling to 5 min. It carries further properties.
func (r Requests) later(ctx context.Context, inv customhandler.Invocation, messageID string, raw []byte, further map[string]any) error {
	n := timesPutOff(inv)
	wait := min(r.Waits.MinSnooze<<min(n, 10), r.Waits.MaxSnooze)
	properties := handedOn(inv, messageID)
	properties[putOff] = strconv.Itoa(n + 1)
	maps.Copy(properties, further)
	err := r.Later(ctx, r.Now().Add(wait), settings.RequestsQueue, r.NewID(), raw, properties)
	if err != nil {
		return fmt.Errorf("put a request off: %w", err)
	}
	return nil
}
