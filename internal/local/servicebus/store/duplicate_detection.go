package store

import "time"

// duplicates stores message ids for duplicate detection.
type duplicates struct {
	window time.Duration
	seen   map[string]struct{}
	order  []sighting // oldest first
}

type sighting struct {
	id string
	at time.Time
}

// repeated stores an id and reports whether it was already stored within the window.
// A repetition does not extend the window.
func (d *duplicates) repeated(now time.Time, id string) bool {
	if d.window <= 0 || id == "" {
		return false
	}
	d.forget(now)
	if _, known := d.seen[id]; known {
		return true
	}
	if d.seen == nil {
		d.seen = make(map[string]struct{})
	}
	d.seen[id] = struct{}{}
	d.order = append(d.order, sighting{id: id, at: now})
	return false
}

func (d *duplicates) forget(now time.Time) {
	n := 0
	for n < len(d.order) && !d.order[n].at.Add(d.window).After(now) {
		delete(d.seen, d.order[n].id)
		n++
	}
	d.order = d.order[n:]
}
