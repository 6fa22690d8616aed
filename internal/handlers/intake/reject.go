package intake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"azbackupflow/internal/rejected"
	"azbackupflow/internal/request"
	"azbackupflow/internal/settings"
)

// Rejection is a request that can never work as it is.
type Rejection struct {
	// Source names the queue, file or function that the request came from.
	Source    rejected.Source
	MessageID string
	// At is when the request arrived; zero means now.
	At   time.Time
	Body []byte
	// Err is why the request is rejected.
	Err error
	// ReplyTo is the queue on which the sender wants a reply. Reschedules is how
	// often the request was rescheduled.
	ReplyTo     string
	Reschedules int
}

// RejecterConfig holds what a Rejecter needs. All fields but Replies are
// required.
type RejecterConfig struct {
	// Record stores a rejected request.
	Record func(context.Context, rejected.Request) error
	// Publish sends a message to a queue of the app.
	Publish func(ctx context.Context, queue, messageID string, body []byte, properties map[string]any) error
	// Replies sends replies; nil sends none.
	Replies Replies
	Now     func() time.Time
	Log     *slog.Logger
}

// Rejecter records rejected requests and copies them to the queue rejected,
// which an alert watches. A custom handler cannot dead-letter a message, and ten
// failed deliveries would hide the reason.
type Rejecter struct{ cfg RejecterConfig }

// NewRejecter returns a Rejecter. It fails if a required field is missing.
func NewRejecter(c RejecterConfig) (*Rejecter, error) {
	if c.Record == nil || c.Publish == nil || c.Now == nil || c.Log == nil {
		return nil, errors.New("intake: RejecterConfig needs Record, Publish, Now and Log")
	}
	return &Rejecter{cfg: c}, nil
}

// Limits of the copy on the queue rejected, in bytes. The copy is JSON, includes
// the reason, and must fit a message of 256 KB.
const (
	maxCopiedBody = 64 << 10
	maxCopy       = 192 << 10
)

// Reject records the request, publishes a copy and replies to the sender. It is
// safe to repeat: the record and the copy keep their ids.
func (r *Rejecter) Reject(ctx context.Context, rejection Rejection) error {
	record := rejected.Request{
		At: r.cfg.Now(), Source: rejection.Source, MessageID: rejection.MessageID,
		Reason: Shorten(rejection.Err.Error(), MaxReason), Fields: Fields(rejection.Err),
		Body: string(rejection.Body), ReplyTo: Shorten(rejection.ReplyTo, maxName),
	}
	if !rejection.At.IsZero() {
		record.At = rejection.At
	}
	record.ID = rejected.NewID(record.At, record.Source, record.MessageID, rejection.Body)
	var named request.Request
	content, _ := request.Unwrap(rejection.Body) // the request is rejected already
	if json.Unmarshal(content.Body, &named) == nil {
		record.Flow, record.Key = Shorten(named.Flow, maxName), Shorten(named.Key, maxName)
	}
	r.cfg.Log.WarnContext(ctx, "request rejected", "source", record.Source, "messageId", record.MessageID, "flow", record.Flow, "reason", record.Reason)
	if err := r.cfg.Record(ctx, record); err != nil {
		return fmt.Errorf("record a rejected request: %w", err)
	}
	body, err := encodeCopy(record)
	if err != nil {
		return fmt.Errorf("encode a rejected request: %w", err)
	}
	if err := r.cfg.Publish(ctx, settings.RejectedQueue, "rejected:"+record.Fingerprint(), body, map[string]any{"source": string(record.Source)}); err != nil {
		return fmt.Errorf("publish a rejected request: %w", err)
	}
	if err := r.reply(ctx, rejection, record); err != nil {
		return fmt.Errorf("reply to the sender of a rejected request: %w", err)
	}
	return nil
}

// encodeCopy encodes the record with as much of the body as fits a message. JSON
// escapes, such as those of bytes that are not text, take up to six times the
// size.
func encodeCopy(record rejected.Request) ([]byte, error) {
	whole := record.Body
	for limit := maxCopiedBody; ; limit /= 2 {
		record.Body = whole[:min(len(whole), limit)]
		body, err := json.Marshal(record)
		if err != nil || len(body) <= maxCopy {
			return body, err
		}
	}
}
