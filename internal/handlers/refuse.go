package handlers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/request"
	"azbackupflow/internal/settings"
	"azbackupflow/internal/state"
	"azbackupflow/internal/step"
)

// Refused is a request that can never work as it is.
type Refused struct {
	Source    rejected.Source
	MessageID string
	// At is when the request came; zero means now.
	At   time.Time
	Body []byte
	Err  error
	// ReplyTo is the queue that the sender wants answers on, PutOff how often
	// the request was put off.
	ReplyTo string
	PutOff  int
}

// Refuser records refused requests and copies them to the queue `rejected`,
// where commands and an alert look: a custom handler cannot dead-letter, and
// failing ten times is no answer.
type Refuser struct {
	Record  func(context.Context, rejected.Request) error
	Publish func(ctx context.Context, queue, messageID string, body []byte, properties map[string]any) error
	// Replies answers the sender; nil means that nobody is answered.
	Replies Replies
	Now     func() time.Time
	Log     *slog.Logger
}

// How much of a refused request goes to `rejected`, in bytes: the copy, written
// as JSON with its reason, must fit a message of 256 KB.
const (
	longestCopy    = 64 << 10
	longestMessage = 192 << 10
)

// Refuse records the request and publishes it. It may be repeated: the copy
// keeps its message id.
func (r Refuser) Refuse(ctx context.Context, refused Refused) error {
	at := r.Now()
	if !refused.At.IsZero() {
		at = refused.At
	}
	refusal := rejected.Request{
		ID: rejected.NewID(at, refused.Source, refused.MessageID, refused.Body), At: at,
		Source: refused.Source, MessageID: refused.MessageID,
		Reason: shorten(refused.Err.Error(), longestReason), Fields: fieldsOf(refused.Err), Body: string(refused.Body), ReplyTo: shorten(refused.ReplyTo, longestName),
	}
	var asked request.Request
	content, _ := request.Unwrap(refused.Body) // it is refused already
	if json.Unmarshal(content.Body, &asked) == nil {
		refusal.Flow, refusal.Key = shorten(asked.Flow, longestName), shorten(asked.Key, longestName)
	}
	r.Log.WarnContext(ctx, "request refused", "source", string(refusal.Source), "messageId", refusal.MessageID, "flow", refusal.Flow, "reason", refusal.Reason)
	if err := r.Record(ctx, refusal); err != nil {
		return fmt.Errorf("record a refused request: %w", err)
	}
	body, err := copyOf(refusal)
	if err != nil {
		return fmt.Errorf("write a refused request: %w", err)
	}
	if err := r.Publish(ctx, settings.RejectedQueue, "rejected:"+refusal.Fingerprint(), body, map[string]any{"source": string(refusal.Source)}); err != nil {
		return fmt.Errorf("publish a refused request: %w", err)
	}
	if err := r.answer(ctx, refused, refusal); err != nil {
		return fmt.Errorf("answer a refused request: %w", err)
	}
	return nil
}

// copyOf is the refusal as a message, with as much of the request as fits.
// What has to be escaped, such as bytes that are no text, takes up to six times
// its place.
func copyOf(refusal rejected.Request) ([]byte, error) {
	whole := refusal.Body
	for most := longestCopy; ; most /= 2 {
		refusal.Body = whole[:min(len(whole), most)]
		body, err := json.Marshal(refusal)
		if err != nil || len(body) <= longestMessage {
			return body, err
		}
	}
}

// fieldsOf names what is wrong with a request, for answers that programs read.
func fieldsOf(err error) []step.FieldError {
	var invalid *step.Invalid
	var conflict *engine.KeyConflict
	var large *state.TooLarge
	var body *http.MaxBytesError
	switch {
	case errors.As(err, &invalid):
		return shortenFields(invalid.Fields)
	case errors.As(err, &conflict):
		return []step.FieldError{{Field: "key", Problem: "belongs to another request", Want: "another key, or the same parameters"}}
	case errors.As(err, &large):
		return []step.FieldError{{Field: large.Field, Problem: fmt.Sprintf("is %d long", large.Size), Want: fmt.Sprintf("at most %d", large.Limit)}}
	case errors.As(err, &body):
		return []step.FieldError{{Field: "request", Problem: "is too long", Want: fmt.Sprintf("at most %d bytes", body.Limit)}}
	}
	return nil
}
