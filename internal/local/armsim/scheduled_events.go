package armsim

import (
	"container/heap"
	"time"
)

// event runs at its time, and receives that time.
type event struct {
	at    time.Time
	order int
	do    func(at time.Time)
}

// events is the queue of future events, earliest first.
type events struct {
	queue eventHeap
	added int
}

// at adds an event.
func (e *events) at(t time.Time, do func(time.Time)) {
	e.added++
	heap.Push(&e.queue, event{at: t, order: e.added, do: do})
}

// advance runs all events that are due.
func (e *events) advance(now time.Time) {
	for len(e.queue) > 0 && !e.queue[0].at.After(now) {
		next, ok := heap.Pop(&e.queue).(event)
		if !ok {
			return
		}
		next.do(next.at)
	}
}

// eventHeap implements heap.Interface.
type eventHeap []event

func (h eventHeap) Len() int { return len(h) }

func (h eventHeap) Less(i, j int) bool {
	if h[i].at.Equal(h[j].at) {
		return h[i].order < h[j].order
	}
	return h[i].at.Before(h[j].at)
}

func (h eventHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

func (h *eventHeap) Push(x any) {
	if e, ok := x.(event); ok {
		*h = append(*h, e)
	}
}

func (h *eventHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}
