package store

import "math"

// Counts is the number of messages of a queue.
type Counts struct {
	Active    int // available, or locked by a receiver
	Scheduled int
	Deferred  int
	Locked    int // active or deferred, with a lock
}

// Count returns the number of messages.
func (q *Queue) Count() Counts {
	return Counts{
		Active:    len(q.items) - q.scheduled.Len() - q.deferred,
		Scheduled: q.scheduled.Len(),
		Deferred:  q.deferred,
		Locked:    len(q.byToken),
	}
}

// Peek returns up to n messages in any state, ordered by sequence number and starting
// with a number.
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
