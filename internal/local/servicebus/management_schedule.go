package servicebus

import (
	"fmt"
	"time"

	"azbackupflow/internal/local/servicebus/store"
	"azbackupflow/internal/local/servicebus/wire"
)

// schedule adds messages, whose annotations contain the delivery time, and answers
// with their sequence numbers. These must be an array of long: clients reject a list.
func (s *session) schedule(n *node, body wire.Map) (operation, error) {
	switch {
	case n == n.entity.dead:
		return operation{}, badRequest("messages cannot be sent to a dead-letter queue")
	case n.entity.rules != nil:
		return operation{}, badRequest("messages cannot be sent to a subscription; send them to its topic")
	}
	entries, ok := wire.Elements(body.Get("messages"))
	if !ok {
		return operation{}, badRequest("messages is not a list")
	}
	sent := make([]store.Incoming, len(entries))
	for i, e := range entries {
		entry, _ := e.(wire.Map)
		encoded, ok := entry.Get("message").(wire.Binary)
		if !ok {
			return operation{}, badRequest("an entry of messages contains no message")
		}
		if len(encoded) > maxMessageSize {
			return operation{}, errOversized
		}
		m, err := wire.DecodeMessage(encoded)
		if err != nil {
			return operation{}, badRequest(err.Error())
		}
		sent[i] = incomingMessage(m)
	}
	return operation{verb: "schedule", detail: ids(sent), apply: func() outcome {
		s.conn.broker.applyMessageFault(n.entity, sent)
		return success(wire.Map{{Key: wire.String("sequence-numbers"), Value: wire.LongArray(n.enqueue(sent))}})
	}}, nil
}

// cancelScheduled removes scheduled messages, all or none.
func cancelScheduled(n *node, body wire.Map) (operation, error) {
	numbers, err := sequenceNumbers(body)
	if err != nil {
		return operation{}, err
	}
	return operation{verb: "cancel", detail: fmt.Sprint(numbers), apply: func() outcome {
		n.do(func(_ time.Time, q *store.Queue) { err = q.Cancel(numbers) })
		if err != nil {
			return failure(fmt.Errorf("cancel scheduled messages: %w", err))
		}
		return success(nil)
	}}, nil
}
