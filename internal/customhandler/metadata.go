package customhandler

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// Names in the metadata of a Service Bus message.
const (
	metaDeliveryCount = "DeliveryCount"
	metaMessageID     = "MessageId"
	metaEnqueuedTime  = "EnqueuedTimeUtc"
	metaReplyTo       = "ReplyTo"
)

// String returns a metadata value as text, whether the host encoded it once or
// twice. It returns false for a missing value, null, an object or an array.
func (inv Invocation) String(key string) (string, bool) {
	raw, _ := lookup(inv.Metadata, key)
	return scalar(raw)
}

// Int returns a metadata value as an integer. It returns false for other values.
func (inv Invocation) Int(key string) (int64, bool) {
	s, ok := inv.String(key)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// Time returns a metadata value as a time in UTC. It returns false for other
// values. The host writes UTC times without a zone and drops fractions of a
// second.
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

// ApplicationProperty returns an application property of a message as text. It
// returns false if the message does not have the property.
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

// DeliveryCount returns the number of deliveries of the message, including this
// one. It returns 0 if the host sent none.
func (inv Invocation) DeliveryCount() int {
	n, _ := inv.Int(metaDeliveryCount)
	return int(n)
}

// MessageID returns the message's id, or an empty string if the host sent none. A
// field messageId in the message's body replaces it.
func (inv Invocation) MessageID() string { return inv.text(metaMessageID) }

// ReplyTo returns the queue on which the sender wants a reply.
func (inv Invocation) ReplyTo() string { return inv.text(metaReplyTo) }

// EnqueuedTime returns when the broker accepted the message, or zero if the host
// sent no time.
func (inv Invocation) EnqueuedTime() time.Time {
	t, _ := inv.Time(metaEnqueuedTime)
	return t
}

func (inv Invocation) text(key string) string {
	s, _ := inv.String(key)
	return s
}

// lookup finds a key exactly or else ignoring case, as the host's own
// dictionaries do. Of several spellings it returns the alphabetically first.
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

// scalar returns the text of a string with one or two layers of quotes, a number
// or a boolean.
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
