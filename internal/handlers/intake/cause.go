package intake

import (
	"context"
	"encoding/json"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/settings"
)

// propertyCause names who sent a message over HTTP, and why. It counts only with
// a valid seal.
const propertyCause = "azbackupflow-cause"

// queueCause is the cause of a message that another program has sent.
func queueCause(reason string) operation.Cause {
	return operation.Cause{Actor: operation.Actor{Kind: operation.ActorQueue, ID: settings.RequestsQueue}, Reason: reason}
}

// by returns who sent the message. reason is that of the request.
func (m Envelope) by(reason string) operation.Cause {
	var c operation.Cause
	if m.cause == "" || json.Unmarshal([]byte(m.cause), &c) != nil {
		return queueCause(reason)
	}
	if c.Reason == "" {
		c.Reason = reason
	}
	return c
}

// encodeCause returns the value of propertyCause.
func encodeCause(c operation.Cause) string {
	raw, err := json.Marshal(c)
	if err != nil || c.Actor.Kind == "" {
		return ""
	}
	return string(raw)
}

// BulkProperties returns the properties of the message that carries a bulk from
// HTTP to the queue requests: its trace context, and who sent it.
func BulkProperties(ctx context.Context, s *Sealer, messageID string, body []byte, trace string, by operation.Cause) (map[string]any, error) {
	m := Envelope{MessageID: messageID, Trace: trace, Body: body}
	c := claims{cause: encodeCause(by)}
	seal, err := s.Sign(ctx, m.sealed(c)...)
	if err != nil {
		return nil, err
	}
	c.seal = seal
	return m.carried(c), nil
}
