package servicebus

import (
	"fmt"
	"net/http"
	"time"

	"azbackupflow/internal/local/servicebus/store"
	"azbackupflow/internal/local/servicebus/wire"
)

const (
	// maxPeek and maxPeekBytes limit one answer. A client peeks again for more.
	maxPeek      = 1000
	maxPeekBytes = 1 << 20
)

// peek answers with messages in any state without locking them.
func peek(n *node, body wire.Map) (operation, error) {
	from, ok := wire.Integer(body.Get("from-sequence-number"))
	if !ok {
		return operation{}, badRequest("from-sequence-number is not an integer")
	}
	count, ok := wire.Integer(body.Get("message-count"))
	if !ok || count < 1 {
		return operation{}, badRequest("message-count is not a positive integer")
	}
	return operation{apply: func() outcome {
		var found []store.Message
		n.do(func(_ time.Time, q *store.Queue) { found = q.Peek(from, int(min(count, maxPeek))) })
		var list wire.List
		size := 0
		for _, m := range found {
			encoded := encode(m)
			if size += len(encoded); size > maxPeekBytes && len(list) > 0 {
				break
			}
			list = append(list, wire.Map{{Key: wire.String("message"), Value: wire.Binary(encoded)}})
		}
		return messageList(list)
	}}, nil
}

// receiveDeferred receives messages by sequence number, all or none.
func receiveDeferred(n *node, body wire.Map) (operation, error) {
	numbers, err := sequenceNumbers(body)
	if err != nil {
		return operation{}, err
	}
	mode, ok := wire.Integer(body.Get("receiver-settle-mode"))
	if !ok {
		return operation{}, badRequest("receiver-settle-mode is not an integer")
	}
	lock := mode == int64(wire.ReceiveSecond)
	return operation{apply: func() outcome {
		var found []store.Message
		n.do(func(now time.Time, q *store.Queue) { found, err = q.TakeDeferred(now, numbers, lock) })
		if err != nil {
			return failure(fmt.Errorf("receive deferred messages: %w", err))
		}
		list := make(wire.List, len(found))
		for i, m := range found {
			if lock {
				list[i] = wire.Map{
					{Key: wire.String("message"), Value: wire.Binary(encodeLocked(m))},
					{Key: wire.String("lock-token"), Value: m.LockToken},
				}
			} else {
				list[i] = wire.Map{{Key: wire.String("message"), Value: wire.Binary(encode(m))}}
			}
		}
		return messageList(list)
	}}, nil
}

func messageList(list wire.List) outcome {
	if len(list) == 0 {
		return outcome{status: http.StatusNoContent, text: "No messages.", body: wire.Map{}}
	}
	return success(wire.Map{{Key: wire.String("messages"), Value: list}})
}
