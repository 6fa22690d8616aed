package intake

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"azbackupflow/internal/customhandler"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/request"
	"azbackupflow/internal/step"
)

// Binding is the name of the message in function.json.
const Binding = "message"

// Application properties of messages on the queue requests. A copy of a message
// carries what Service Bus does not keep.
const (
	// PropertyTrace is where Azure's clients put the trace context.
	PropertyTrace = "Diagnostic-Id"

	propertyMessageID   = "azbackupflow-message-id"
	propertyReplyTo     = "azbackupflow-reply-to"
	propertyEnqueued    = "azbackupflow-enqueued"
	propertyReschedules = "azbackupflow-reschedules"
	// propertyReplayID is the message id of the last replay. The portions of a
	// replayed bulk get other message ids than those of the first run; otherwise
	// duplicate detection would drop them.
	propertyReplayID = "azbackupflow-replay-id"
	// propertyBulkOffset is the number of a bulk's targets that are done.
	propertyBulkOffset = "azbackupflow-bulk-offset"
	// propertyInternal allows a reserved key; see request.Reserved.
	propertyInternal = "azbackupflow-internal"
	// propertySeal proves that the app wrote the time, the offset and the
	// permission.
	propertySeal = "azbackupflow-seal"
)

// Limits of the fields of a message. The host merges the members of a body into
// the metadata, and properties are the sender's, so each field is bounded where
// it is read.
const (
	// MaxMessageID is the limit of Service Bus, in characters.
	MaxMessageID = 128
	// maxQueueName is the limit of Service Bus for the name of a queue.
	maxQueueName = 260
	// maxTrace is twice the length of a W3C trace context.
	maxTrace = 128
)

// Envelope is a decoded message of the queue requests. For a copy of a message
// it holds the id, time and reply queue of the first message.
type Envelope struct {
	MessageID  string
	EnqueuedAt time.Time
	// Trace is the W3C trace context.
	Trace string
	// ReplyTo is the queue on which the sender wants a reply.
	ReplyTo string
	// Body is the message's body as it arrived, including a CloudEvent around the
	// request.
	Body []byte

	content request.Content
	// err is the error of an unreadable body.
	err         error
	reschedules int
	bulkOffset  int
	replayID    string
	// internal allows a reserved key.
	internal bool
	// cause is the verified propertyCause.
	cause string
	// claimed are properties that count only with a valid seal.
	claimed claims
}

// claims are the properties that a sender must not choose.
type claims struct{ enqueued, offset, internal, cause, seal string }

// properties returns the claims as application properties.
func (c claims) properties() map[string]any {
	properties := map[string]any{}
	for name, value := range map[string]string{
		propertyEnqueued: c.enqueued, propertyBulkOffset: c.offset, propertyInternal: c.internal, propertyCause: c.cause, propertySeal: c.seal,
	} {
		if value != "" {
			properties[name] = value
		}
	}
	return properties
}

// Decode returns the envelope of a message. It does not fail: Accept rejects a
// message with an unreadable body.
//
// The host merges the members of a JSON body over the metadata. Decode ignores
// metadata that the body may have replaced.
func Decode(inv customhandler.Invocation) Envelope {
	body, err := inv.Payload(Binding)
	replaced := replacedMetadata(body)
	m := Envelope{Trace: inv.Trace}
	if !replaced["messageid"] {
		m.MessageID = inv.MessageID()
	}
	if !replaced["enqueuedtimeutc"] {
		m.EnqueuedAt = inv.EnqueuedTime()
	}
	if !replaced["replyto"] {
		m.ReplyTo = inv.ReplyTo()
	}
	property := inv.ApplicationProperty
	if replaced["applicationproperties"] || replaced["userproperties"] {
		property = func(string) (string, bool) { return "", false }
	}
	if err != nil {
		m.err = invalid("request", "has no readable body", "one JSON object")
	}
	return m.with(body, property)
}

// replacedMetadata returns the names of the metadata, in lower case, that the
// members of a body may have replaced. The host compares names without regard to
// case, and it reads more than JSON: comments, single quotes, names without
// quotes.
func replacedMetadata(body []byte) map[string]bool {
	body = bytes.TrimSpace(step.WithoutByteOrderMark(body))
	var members map[string]json.RawMessage
	names := map[string]bool{}
	if json.Unmarshal(body, &members) == nil {
		for name := range members {
			names[strings.ToLower(name)] = true
		}
		return names
	}
	if !bytes.HasPrefix(body, []byte("{")) && !bytes.HasPrefix(body, []byte("/")) {
		return names // the host cannot read an object either
	}
	text := strings.ToLower(string(body))
	for _, name := range []string{"messageid", "enqueuedtimeutc", "replyto", "applicationproperties", "userproperties"} {
		// A name may be written with escapes.
		names[name] = strings.Contains(text, name) || strings.Contains(text, `\`)
	}
	return names
}

// with returns the envelope with its body and application properties, and with
// all fields bounded.
func (m Envelope) with(body []byte, property func(string) (string, bool)) Envelope {
	if id, ok := property(propertyMessageID); ok {
		m.MessageID = id
	}
	if name, ok := property(propertyReplyTo); ok {
		m.ReplyTo = name
	}
	m.claimed.enqueued, _ = property(propertyEnqueued)
	m.claimed.offset, _ = property(propertyBulkOffset)
	m.claimed.internal, _ = property(propertyInternal)
	m.claimed.cause, _ = property(propertyCause)
	m.claimed.seal, _ = property(propertySeal)
	m.replayID, _ = property(propertyReplayID)
	reschedules, _ := property(propertyReschedules)
	m.reschedules = count(reschedules)
	m.Body = body
	if m.err == nil {
		m.content, m.err = request.Unwrap(body)
	}
	if m.Trace == "" {
		m.Trace = m.content.TraceParent
	}
	m.MessageID, m.replayID = BoundID(m.MessageID), BoundID(m.replayID)
	m.ReplyTo = Shorten(m.ReplyTo, maxQueueName)
	if len(m.Trace) > maxTrace {
		m.Trace = ""
	}
	return m
}

// verified returns the envelope with its sealed properties, if the seal is valid.
// It fails if the seal cannot be checked now.
func (m Envelope) verified(ctx context.Context, s *Sealer) (Envelope, error) {
	c := m.claimed
	if c.seal == "" {
		return m, nil
	}
	valid, err := s.Verify(ctx, c.seal, m.sealed(c)...)
	if err != nil || !valid {
		return m, err
	}
	m.bulkOffset, m.internal, m.cause = count(c.offset), c.internal != "", c.cause
	if at, err := time.Parse(time.RFC3339Nano, c.enqueued); err == nil {
		m.EnqueuedAt = at
	}
	return m, nil
}

// sealed returns the parts of the message that its seal covers. A message without
// a cause has the seal that earlier versions of the app computed.
func (m Envelope) sealed(c claims) []string {
	parts := []string{string(m.Body), m.MessageID, m.replayID, c.enqueued, c.offset, c.internal}
	if c.cause != "" {
		parts = append(parts, c.cause)
	}
	return parts
}

// BoundID returns a message id of at most MaxMessageID characters. It replaces a
// longer id, which Service Bus cannot have accepted, by its digest.
func BoundID(id string) string {
	if utf8.RuneCountInString(id) <= MaxMessageID {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// count reads a property that holds a number. A sender may set any property, so
// everything else counts as zero.
func count(text string) int {
	n, err := strconv.Atoi(strings.Trim(text, `"`))
	if err != nil {
		return 0
	}
	return max(n, 0)
}

// key returns the key of a request without one: the event's source and id, or
// the message id. The same message delivered twice then starts one operation.
func (m Envelope) key() string {
	if m.content.Key != "" {
		return m.content.Key
	}
	return m.MessageID
}

// request parses the request.
func (m Envelope) request() (request.Request, error) {
	req, err := request.Read(m.content.Body)
	if err == nil && req.Key == "" {
		req.Key = m.key()
	}
	return req, err
}

// origin returns where the message came from. reason is that of the request.
func (m Envelope) origin(reason string) engine.Origin {
	return engine.Origin{TraceParent: m.Trace, ReplyTo: m.ReplyTo, MessageID: m.MessageID, Cause: m.by(reason)}
}

// carried returns the properties of a copy of the message with the given claims.
func (m Envelope) carried(c claims) map[string]any {
	properties := c.properties()
	properties[propertyMessageID] = m.MessageID
	for name, value := range map[string]string{PropertyTrace: m.Trace, propertyReplayID: m.replayID, propertyReplyTo: m.ReplyTo} {
		if value != "" {
			properties[name] = value
		}
	}
	return properties
}

// claims returns the sealed claims of a copy that has done the given number of
// targets of a bulk. Without the secret of the seals the copy counts as a new
// message: it claims nothing.
func (in *Intake) claims(ctx context.Context, m Envelope, offset int) claims {
	var c claims
	if !m.EnqueuedAt.IsZero() {
		c.enqueued = m.EnqueuedAt.UTC().Format(time.RFC3339Nano)
	}
	if offset > 0 {
		c.offset = strconv.Itoa(offset)
	}
	if m.internal {
		c.internal = "true"
	}
	c.cause = m.cause
	seal, err := in.cfg.Sealer.Sign(ctx, m.sealed(c)...)
	if err != nil {
		in.cfg.Log.WarnContext(ctx, "copy of a request not sealed", "messageId", boundedID(m.MessageID), "error", err)
		return claims{}
	}
	c.seal = seal
	return c
}

// rejection returns the rejection of the message, or of a part of it.
func (m Envelope) rejection(source rejected.Source, body []byte, err error) Rejection {
	return Rejection{
		Source: source, MessageID: m.MessageID, At: m.EnqueuedAt, Body: body, Err: err,
		ReplyTo: m.ReplyTo, Reschedules: m.reschedules,
	}
}
