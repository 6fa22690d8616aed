package simulate

import (
	"azbackupflow/internal/engine"
	"container/heap"
	"context"
	"time"
)

// inbox is a heap of messages by due time. Messages of the same time keep their
// order.
type inbox []delivery

type delivery struct {
	due   time.Time
	order int
	sent  message
}

func (q inbox) Len() int { return len(q) }
func (q inbox) Less(i, j int) bool {
	return q[i].due.Before(q[j].due) || q[i].due.Equal(q[j].due) && q[i].order < q[j].order
}
func (q inbox) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push implements heap.Interface.
func (q *inbox) Push(x any) {
	if l, ok := x.(delivery); ok {
		*q = append(*q, l)
	}
}

// Pop implements heap.Interface.
func (q *inbox) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

var _ heap.Interface = (*inbox)(nil)

// Send implements engine.Queue.
func (w *world) Send(_ context.Context, m engine.Message) error {
	w.report.Sent++
	w.countBus(1)
	copies := 1
	if w.rand.Float64() < w.config.DuplicateRate {
		copies = 2
	}
	for range copies {
		w.order++
		heap.Push(&w.inbox, delivery{due: laterOf(m.Due, w.now), order: w.order, sent: m})
	}
	return nil
}

func (w *world) countBus(n int) {
	at := w.now.Truncate(time.Minute)
	m := w.minute[at]
	m[0] += n
	w.minute[at] = m
}
