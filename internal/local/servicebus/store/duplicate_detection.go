package store

import "time"

// history remembers message ids for duplicate detection.
type history struct {
	window time.Duration
	seen   map[string]struct{}
	order  []sighting // oldest first
}

type sighting struct {
	id string
	at time.Time
}

// repeated notes an id and tells whether it was noted before within the
// window. A repetition does not prolong the window.
func (h *history) repeated(now time.Time, id string) bool {
	if h.window <= 0 || id == "" {
		return false
	}
	h.forget(now)
	if _, known := h.seen[id]; known {
		return true
	}
	if h.seen == nil {
		h.seen = make(map[string]struct{})
	}
	h.seen[id] = struct{}{}
	h.order = append(h.order, sighting{id: id, at: now})
	return false
}

func (h *history) forget(now time.Time) {
	n := 0
	for n < len(h.order) && !h.order[n].at.Add(h.window).After(now) {
		delete(h.seen, h.order[n].id)
		n++
	}
	h.order = h.order[n:]
}
