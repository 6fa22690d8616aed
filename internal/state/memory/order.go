package memory

import (
	"maps"
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/state"
)

// head holds the fields by which lists and counts select a row without decoding it.
type head struct {
	at        state.Position
	createdAt time.Time
	status    operation.Status
	flow      string
	labels    map[string]string
}

func headOf(op operation.Operation) head {
	return head{at: state.PositionOf(op.CreatedAt, op.ID), createdAt: op.CreatedAt, status: op.Status, flow: op.Flow, labels: maps.Clone(op.Labels)}
}

// mayMatch reports whether the query can select the row, by its head alone.
func (h head) mayMatch(q operation.Query) bool {
	if len(q.Status) > 0 && !slices.Contains(q.Status, h.status) || q.Flow != "" && q.Flow != h.flow {
		return false
	}
	return !slices.ContainsFunc(q.Labels, func(l operation.Label) bool { return h.labels[l.Key] != l.Value })
}

// place is a row in the order of all lists.
type place struct {
	at state.Position
	id string
}

// The order is kept oldest first, so that a new row is appended.
func byPlace(p place, at state.Position) int { return strings.Compare(string(at), string(p.at)) }

// put stores a row and keeps the order. The caller holds the lock.
func (s *Store) put(op operation.Operation, r row) {
	r.head = headOf(op)
	before, exists := s.rows[op.ID]
	s.rows[op.ID] = r
	if exists && before.head.at == r.head.at {
		return
	}
	if exists {
		s.removePlace(before.head.at)
	}
	i, _ := slices.BinarySearchFunc(s.order, r.head.at, byPlace)
	s.order = slices.Insert(s.order, i, place{at: r.head.at, id: op.ID})
}

// remove deletes a row. The caller holds the lock.
func (s *Store) remove(id string) {
	s.removePlace(s.rows[id].head.at)
	delete(s.rows, id)
}

func (s *Store) removePlace(at state.Position) {
	if i, found := slices.BinarySearchFunc(s.order, at, byPlace); found {
		s.order = slices.Delete(s.order, i, i+1)
	}
}

// after returns how many rows of the order come after a position in a list.
func (s *Store) after(at state.Position) int {
	if at == "" {
		return len(s.order)
	}
	i, _ := slices.BinarySearchFunc(s.order, at, byPlace)
	return i
}
