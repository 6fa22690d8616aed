package customhandler

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// Metadata names of a Service Bus message that the shortcuts below read.
const (
	metaDeliveryCount = "DeliveryCount"
	metaMessageID     = "MessageId"
	metaEnqueuedTime  = "EnqueuedTimeUtc"
	metaReplyTo       = "ReplyTo"
	metaCorrelationID = "CorrelationId"

	propertyDeadLetterReason      = "DeadLetterReason"
	propertyDeadLetterDescription = "DeadLetterErrorDescription"
)

// String returns a metadata value as text, whether the host encoded it once or
// twice. It is false for a missing value, null, objects and arrays.
func (inv Invocation) String(key string) (string, bool) {
	raw, _ := lookup(inv.Metadata, key)
	return scalar(raw)
}

// Int returns a metadata value as a whole number, false if it is not one.
func (inv Invocation) Int(key string) (int64, bool) {
	s, ok := inv.String(key)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// Time returns a metadata value as a point in time, in UTC, false if it is not
// one. The host writes UTC times without a zone and drops fractions of a second.
func (inv Invocation) Time(key string) (time.Time, bool) {
	s, ok := inv.String(key)
	if !ok {
		return time.Time{}, false
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// ApplicationProperty returns one of a message's application properties as
// text, false if the message does not carry it.
func (inv Invocation) ApplicationProperty(name string) (string, bool) {
	for _, bag := range []string{"ApplicationProperties", "UserProperties"} {
		raw, ok := lookup(inv.Metadata, bag)
		if !ok {
			continue
		}
		if text, quoted := unquote(raw); quoted {
			raw = json.RawMessage(text)
		}
		var properties map[string]json.RawMessage
		if err := json.Unmarshal(raw, &properties); err != nil {
			continue
		}
		if value, ok := lookup(properties, name); ok {
			return scalar(value)
		}
	}
	return "", false
}

// DeliveryCount is how often the message has been delivered, this time
// included, and 0 if the host did not say.
func (inv Invocation) DeliveryCount() int {
	n, _ := inv.Int(metaDeliveryCount)
	return int(n)
}

// MessageID is the message's id, empty if the host did not say. A field
// messageId in the message's body hides it.
func (inv Invocation) MessageID() string { return inv.text(metaMessageID) }

// CorrelationID is the message's correlation id, empty if it has none.
func (inv Invocation) CorrelationID() string { return inv.text(metaCorrelationID) }

// ReplyTo is the address to answer to, empty if the message has none.
func (inv Invocation) ReplyTo() string { return inv.text(metaReplyTo) }

// EnqueuedTime is when the broker took the message, zero if the host did not
// say.
func (inv Invocation) EnqueuedTime() time.Time {
	t, _ := inv.Time(metaEnqueuedTime)
	return t
}

// DeadLetterReason is why the message is in a dead-letter queue: the broker's
// code and its description, both empty for a message that is not in one.
func (inv Invocation) DeadLetterReason() (reason, description string) {
	reason, _ = inv.ApplicationProperty(propertyDeadLetterReason)
	description, _ = inv.ApplicationProperty(propertyDeadLetterDescription)
	return reason, description
}

func (inv Invocation) text(key string) string {
	s, _ := inv.String(key)
	return s
}

// lookup finds a key exactly or else ignoring case, as the host's own
// dictionaries do; of several spellings, the alphabetically first.
func lookup(bag map[string]json.RawMessage, key string) (json.RawMessage, bool) {
	if raw, ok := bag[key]; ok {
		return raw, true
	}
	found, ok := "", false
	for k := range bag {
		if strings.EqualFold(k, key) && (!ok || k < found) {
			found, ok = k, true
		}
	}
	return bag[found], ok
}

// scalar reads a string of one or two layers, a number or a truth value.
func scalar(raw json.RawMessage) (string, bool) {
	raw = bytes.TrimSpace(raw)
	if outer, ok := unquote(raw); ok {
		if inner, ok := unquote([]byte(outer)); ok {
			return inner, true
		}
		return outer, true
	}
	if len(raw) == 0 || !json.Valid(raw) || string(raw) == "null" || raw[0] == '{' || raw[0] == '[' {
		return "", false
	}
	return string(raw), true
}
