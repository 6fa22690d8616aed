// Package memory is a queue of wake-ups that forgets everything when its
// process ends. Nothing in it waits: a test's clock says what is due.
package memory

import (
	"context"
	"slices"
	"sync"
	"time"

	"azbackupflow/internal/engine"
)

// Queue is safe for concurrent use. Its zero value is an empty queue. Unlike
// Service Bus it neither drops duplicates nor locks what it gives out.
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

// Due takes out the messages that are visible at the time, in the order in
// which they became so.
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

// Next is when the next message becomes visible; ok is false for an empty
// queue.
func (q *Queue) Next() (due time.Time, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.messages) == 0 {
		return time.Time{}, false
	}
	return q.messages[0].Due, true
}

// Waiting lists what is in the queue, the next message first, and takes out
// nothing.
func (q *Queue) Waiting() []engine.Message {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Clone(q.messages)
}
