package store

import "container/heap"

// The heaps of a queue.
const (
	heapReady     = iota // by sequence number
	heapScheduled        // by the time it becomes active
	heapLocks            // by the end of its lock
	heapExpiry           // by its expiry time
	heaps
)

// itemHeap is a heap that stores the position of each item, so that any item can be
// removed.
type itemHeap struct {
	kind   int
	before func(a, b *item) bool
	items  []*item
}

func (h *itemHeap) Len() int           { return len(h.items) }
func (h *itemHeap) Less(i, j int) bool { return h.before(h.items[i], h.items[j]) }

func (h *itemHeap) Swap(i, j int) {
	h.items[i], h.items[j] = h.items[j], h.items[i]
	h.items[i].position[h.kind] = i
	h.items[j].position[h.kind] = j
}

// Push implements heap.Interface.
func (h *itemHeap) Push(x any) {
	it, ok := x.(*item)
	if !ok {
		return
	}
	it.position[h.kind] = len(h.items)
	h.items = append(h.items, it)
}

// Pop implements heap.Interface.
func (h *itemHeap) Pop() any {
	last := len(h.items) - 1
	it := h.items[last]
	h.items[last] = nil
	h.items = h.items[:last]
	it.position[h.kind] = -1
	return it
}

func (h *itemHeap) add(it *item) {
	if it.position[h.kind] < 0 {
		heap.Push(h, it)
	}
}

func (h *itemHeap) remove(it *item) {
	if i := it.position[h.kind]; i >= 0 {
		heap.Remove(h, i)
	}
}

// moved restores the heap after the key of an item has changed.
func (h *itemHeap) moved(it *item) {
	if i := it.position[h.kind]; i >= 0 {
		heap.Fix(h, i)
	}
}

func (h *itemHeap) first() *item {
	if len(h.items) == 0 {
		return nil
	}
	return h.items[0]
}
