package intake

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

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
	// BodyType describes a body that Service Bus did not deliver as bytes, such as
	// "AMQP value (map)". It is empty for other bodies.
	BodyType string
	// Err is why the request is rejected.
	Err error
	// ReplyTo is the queue on which the sender wants a reply. Reschedules is how
	// often the request was rescheduled.
	ReplyTo     string
	Reschedules int
	// BulkTarget is true for a target of a bulk: a failed reply must not delay the
	// other targets.
	BulkTarget bool
}

// RejecterConfig holds what a Rejecter needs. All fields but Replies and Keep are
// required.
type RejecterConfig struct {
	// Record stores a rejected request.
	Record func(context.Context, rejected.Request) error
	// Publish sends a message to a queue of the app.
	Publish func(ctx context.Context, queue, messageID string, body []byte, properties map[string]any) error
	// Replies sends replies; nil sends none.
	Replies Replies
	// Keep is the age at which records are deleted; zero keeps them.
	Keep time.Duration
	Now  func() time.Time
	Log  *slog.Logger
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

// Limits of a rejected request, in bytes.
const (
	// maxRecordedBody is the maximum size of a Service Bus message in the standard
	// tier.
	maxRecordedBody = 256 << 10
	// maxBinaryBody limits a body that is not text, before its encoding as base64.
	maxBinaryBody = 48 << 10
	// maxCopy and maxCopiedBody limit the copy on the queue rejected. The copy is
	// JSON, includes the reason, and must fit a message of 256 KB.
	maxCopy       = 192 << 10
	maxCopiedBody = 64 << 10
)

// Reject records the request, publishes a copy and replies to the sender. It is
// safe to repeat: the record and the copy keep their ids.
func (r *Rejecter) Reject(ctx context.Context, rejection Rejection) error {
	record := r.record(rejection)
	r.cfg.Log.WarnContext(ctx, "request rejected", "source", record.Source, "messageId", record.MessageID, "flow", record.Flow, "reason", record.Reason)
	if err := r.cfg.Record(ctx, record); err != nil {
		return fmt.Errorf("record a rejected request: %w", err)
	}
	body, err := encodeCopy(record)
	if err != nil {
		return fmt.Errorf("encode a rejected request: %w", err)
	}
	if err := r.cfg.Publish(ctx, settings.RejectedQueue, "rejected:"+record.ID, body, map[string]any{"source": string(record.Source)}); err != nil {
		return fmt.Errorf("publish a rejected request: %w", err)
	}
	if err := r.reply(ctx, rejection, record); err != nil {
		return fmt.Errorf("reply to the sender of a rejected request: %w", err)
	}
	return nil
}

// record returns the record of a rejection. Each of its fields is bounded and
// holds no secret.
func (r *Rejecter) record(rejection Rejection) rejected.Request {
	record := rejected.Request{
		At: r.arrived(rejection.At), Source: rejection.Source, MessageID: boundedID(rejection.MessageID),
		Reason: bounded(rejection.Err.Error(), MaxReason), Fields: Fields(rejection.Err),
		BodyType: Shorten(rejection.BodyType, maxName), BodySize: len(rejection.Body), ReplyTo: bounded(rejection.ReplyTo, maxQueueName),
	}
	record.ID = rejected.NewID(record.At, record.Source, record.MessageID, rejection.Body)
	var redacted bool
	record.Body, record.BodyEncoding, redacted = recordedBody(rejection.Body)
	record.Redacted = redacted || Redact(rejection.MessageID) != rejection.MessageID
	var named struct{ Flow, Key string }
	content, _ := request.Unwrap(rejection.Body) // the request is rejected already
	if json.Unmarshal(content.Body, &named) == nil {
		record.Flow, record.Key = bounded(named.Flow, maxName), bounded(named.Key, maxName)
	}
	return record
}

// maxAhead is how far the clock of a sender may be ahead.
const maxAhead = time.Hour

// arrived returns the time of a record. It is the time at which the request
// arrived, so that a repeated rejection has the same id. A sender may set that
// time: a record must neither be deleted before anyone has seen it, nor stay
// forever. Such a time becomes the current hour, which repetitions share too.
func (r *Rejecter) arrived(at time.Time) time.Time {
	now := r.cfg.Now()
	switch {
	case at.IsZero():
		return now
	case at.After(now.Add(maxAhead)), r.cfg.Keep > 0 && at.Before(now.Add(-r.cfg.Keep/2)):
		return now.Truncate(time.Hour)
	}
	return at
}

// boundedID returns a message id for a record. A target of a bulk adds its index
// to the id of the message.
func boundedID(id string) string {
	id, target, isTarget := strings.Cut(id, targetSeparator)
	if !isTarget {
		return BoundID(Redact(id))
	}
	return BoundID(Redact(id)) + targetSeparator + Shorten(target, maxTargetIndex)
}

// recordedBody returns the body as it is recorded, and whether it lost a secret. A
// body that is not text is cut and encoded as base64.
func recordedBody(body []byte) (text, encoding string, redacted bool) {
	if utf8.Valid(body) && !bytes.ContainsRune(body, 0) {
		whole := rejected.Cut(string(body), maxRecordedBody)
		text = Redact(whole)
		return text, "", text != whole
	}
	binary := string(body[:min(len(body), maxBinaryBody)])
	text = Redact(binary)
	return base64.StdEncoding.EncodeToString([]byte(text)), rejected.Base64, text != binary
}

// encodeCopy encodes the record with as much of the body as fits a message. JSON
// escapes can take up to six times the size of a text. All other fields are
// bounded, so the copy without a body always fits.
func encodeCopy(record rejected.Request) ([]byte, error) {
	whole := record.Body
	for limit := maxCopiedBody; limit > 0; limit /= 2 {
		record.Body = rejected.Cut(whole, limit)
		body, err := json.Marshal(record)
		if err != nil || len(body) <= maxCopy {
			return body, err
		}
	}
	record.Body = ""
	return json.Marshal(record)
}
