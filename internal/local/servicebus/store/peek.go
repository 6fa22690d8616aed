package store

import "math"

// Counts says how many messages a queue holds.
type Counts struct {
	Active    int // waiting, or locked by a receiver
	Scheduled int
	Deferred  int
	Locked    int // of the active and the deferred ones
}

// Count counts the messages.
func (q *Queue) Count() Counts {
	return Counts{
		Active:    len(q.items) - q.scheduled.Len() - q.deferred,
		Scheduled: q.scheduled.Len(),
		Deferred:  q.deferred,
		Locked:    len(q.byToken),
	}
}

// Peek returns up to n messages in any state, in the order of their sequence
// numbers, from a number on.
func (q *Queue) Peek(from int64, n int) []Message {
	var messages []Message
	for _, number := range q.order.from(from) {
		if len(messages) >= n {
			break
		}
		if it := q.items[number]; it != nil {
			messages = append(messages, it.Message)
		}
	}
	return messages
}

// All returns every message.
func (q *Queue) All() []Message { return q.Peek(math.MinInt64, math.MaxInt) }
