package intake

import (
	"maps"
	"strconv"
	"strings"
	"time"

	"azbackupflow/internal/customhandler"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/request"
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
	// propertyDeadLettered holds the reason of a dead-lettered request that could
	// not be rejected yet.
	propertyDeadLettered = "azbackupflow-dead-lettered"
	// propertyBulkOffset is the number of a bulk's targets that are done.
	propertyBulkOffset = "azbackupflow-bulk-offset"
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
	err              error
	reschedules      int
	bulkOffset       int
	replayID         string
	deadLettered     bool
	deadLetterReason string
}

// Decode returns the envelope of a message. It does not fail: Accept rejects a
// message with an unreadable body.
func Decode(inv customhandler.Invocation) Envelope {
	m := Envelope{MessageID: inv.MessageID(), EnqueuedAt: inv.EnqueuedTime(), Trace: inv.Trace, ReplyTo: inv.ReplyTo()}
	if id, ok := inv.ApplicationProperty(propertyMessageID); ok {
		m.MessageID = id
	}
	if name, ok := inv.ApplicationProperty(propertyReplyTo); ok {
		m.ReplyTo = name
	}
	if text, ok := inv.ApplicationProperty(propertyEnqueued); ok {
		if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
			m.EnqueuedAt = at
		}
	}
	m.replayID, _ = inv.ApplicationProperty(propertyReplayID)
	m.deadLetterReason, m.deadLettered = inv.ApplicationProperty(propertyDeadLettered)
	m.reschedules = count(inv, propertyReschedules)
	m.bulkOffset = count(inv, propertyBulkOffset)
	body, err := inv.Payload(Binding)
	if err != nil {
		m.err = invalid("request", "is not readable: "+err.Error(), "one JSON object")
		return m
	}
	m.Body = body
	m.content, m.err = request.Unwrap(body)
	if m.Trace == "" {
		m.Trace = m.content.TraceParent
	}
	return m
}

// DecodeDeadLetter returns the envelope of a message from the dead-letter queue
// of requests.
func DecodeDeadLetter(inv customhandler.Invocation) Envelope {
	m := Decode(inv)
	reason, description := inv.DeadLetterReason()
	m.deadLettered, m.deadLetterReason = true, strings.TrimSpace(reason+" "+description)
	return m
}

// count reads a property that holds a number. A sender may set any property, so
// everything else counts as zero.
func count(inv customhandler.Invocation, property string) int {
	text, _ := inv.ApplicationProperty(property)
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

func (m Envelope) origin() engine.Origin {
	return engine.Origin{TraceParent: m.Trace, ReplyTo: m.ReplyTo, MessageID: m.MessageID}
}

// carried returns the properties of a copy of the message, and further ones.
func (m Envelope) carried(further map[string]any) map[string]any {
	properties := map[string]any{propertyMessageID: m.MessageID}
	if m.Trace != "" {
		properties[PropertyTrace] = m.Trace
	}
	if m.replayID != "" {
		properties[propertyReplayID] = m.replayID
	}
	if m.ReplyTo != "" {
		properties[propertyReplyTo] = m.ReplyTo
	}
	if !m.EnqueuedAt.IsZero() {
		properties[propertyEnqueued] = m.EnqueuedAt.UTC().Format(time.RFC3339Nano)
	}
	if m.deadLettered {
		properties[propertyDeadLettered] = m.deadLetterReason
	}
	maps.Copy(properties, further)
	return properties
}

// rejection returns the rejection of the message, or of a part of it.
func (m Envelope) rejection(source rejected.Source, body []byte, err error) Rejection {
	return Rejection{
		Source: source, MessageID: m.MessageID, At: m.EnqueuedAt, Body: body, Err: err,
		ReplyTo: m.ReplyTo, Reschedules: m.reschedules,
	}
}
