package servicebus

import (
	"fmt"
	"time"

	"azbackupflow/internal/local/servicebus/store"
	"azbackupflow/internal/local/servicebus/wire"
)

// renewLocks renews locks and answers with their new expiry times, as an array of
// timestamp.
func renewLocks(n *node, body wire.Map) (operation, error) {
	tokens, err := lockTokens(body)
	if err != nil {
		return operation{}, err
	}
	return operation{apply: func() outcome {
		until := make([]wire.Timestamp, len(tokens))
		n.do(func(now time.Time, q *store.Queue) {
			for i, token := range tokens {
				var end time.Time
				if end, err = q.Renew(now, token); err != nil {
					return
				}
				until[i] = wire.TimestampOf(end)
			}
		})
		if err != nil {
			return failure(err)
		}
		return success(wire.Map{{Key: wire.String("expirations"), Value: wire.TimestampArray(until)}})
	}}, nil
}

// updateDisposition settles messages by lock token, which works after the link that
// received them has ended.
func updateDisposition(n *node, body wire.Map) (operation, error) {
	tokens, err := lockTokens(body)
	if err != nil {
		return operation{}, err
	}
	how, err := dispositionOf(body)
	if err != nil {
		return operation{}, err
	}
	return operation{verb: how.verb, detail: fmt.Sprint(tokens), apply: func() outcome {
		n.do(func(now time.Time, q *store.Queue) {
			for _, token := range tokens {
				if err = how.apply(q, now, token); err != nil {
					return
				}
			}
		})
		if err != nil {
			return failure(err)
		}
		return success(nil)
	}}, nil
}

// dispositionOf returns the settlement of a request. The service spells "defered" so.
func dispositionOf(body wire.Map) (settlement, error) {
	properties, _ := body.Get("properties-to-modify").(wire.Map)
	status, _ := wire.Text(body.Get("disposition-status"))
	switch status {
	case "completed":
		return complete(), nil
	case "abandoned":
		return abandon(properties), nil
	case "defered":
		return deferMessage(properties), nil
	case "suspended":
		properties = append(deadLetterProperties(properties),
			wire.Pair{Key: wire.String("DeadLetterReason"), Value: body.Get("deadletter-reason")},
			wire.Pair{Key: wire.String("DeadLetterErrorDescription"), Value: body.Get("deadletter-description")})
		return deadLetter(deadLetterProperties(properties)), nil
	}
	return settlement{}, badRequest(fmt.Sprintf("the disposition status '%s' is unknown", status))
}
