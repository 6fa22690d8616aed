// Package memory holds a queue of wake-ups in memory, for tests and benchmarks.
// It never waits: the test's clock decides which messages are due.
//
// The package must not know who sends or handles the wake-ups.
package memory

import (
	"context"
	"slices"
	"sync"
	"time"

	"azbackupflow/internal/engine"
)

// Queue is safe for concurrent use. Its zero value is an empty queue. Unlike
// Service Bus, it does not detect duplicates or lock messages.
type Queue struct {
	mu       sync.Mutex
	messages []engine.Message
}

// Send implements engine.Queue.
func (q *Queue) Send(ctx context.Context, m engine.Message) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	at, _ := slices.BinarySearchFunc(q.messages, m.Due, func(have engine.Message, due time.Time) int {
		if have.Due.After(due) {
			return 1
		}
		return -1
	})
	q.messages = slices.Insert(q.messages, at, m)
	return nil
}

// Due removes and returns the messages that are visible at the given time, in
// the order of their due times.
func (q *Queue) Due(now time.Time) []engine.Message {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for n < len(q.messages) && !q.messages[n].Due.After(now) {
		n++
	}
	due := slices.Clone(q.messages[:n])
	q.messages = slices.Delete(q.messages, 0, n)
	return due
}

// Next returns the time at which the next message becomes visible; ok is false
// if the queue is empty.
func (q *Queue) Next() (due time.Time, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.messages) == 0 {
		return time.Time{}, false
	}
	return q.messages[0].Due, true
}

// Waiting returns all messages, the next one first, and removes none.
func (q *Queue) Waiting() []engine.Message {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Clone(q.messages)
}
