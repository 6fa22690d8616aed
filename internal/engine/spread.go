package engine

import (
	"sync"
	"time"
)

// spreadHorizon limits how far ahead due times are spread. Few operations wait
// longer, and not for the same moment.
const spreadHorizon = 2 * time.Hour

// spread keeps the operations of this program from falling due at the same moment:
// Service Bus throttles messages that do, and Azure throttles their calls. Time is
// divided into slots. The first operation in a slot keeps its due time; the next one
// gets the next free slot. So a lone operation is never late.
//
// It knows the operations of this process only. Each instance of the app has its own.
type spread struct {
	slot time.Duration
	now  func() time.Time

	mu sync.Mutex
	// next maps a taken slot to one after it that may be free, as in a disjoint-set
	// forest, so that a crowd costs about the same as a lone operation.
	next map[int64]int64
	// sweepAt is the number of slots at which past ones are deleted.
	sweepAt int
}

// minSweep is the number of slots below which past ones are kept.
const minSweep = 1024

// newSpread returns a spread with one operation in each slot. A slot of zero or less
// spreads nothing.
func newSpread(slot time.Duration, now func() time.Time) *spread {
	return &spread{slot: slot, now: now, next: map[int64]int64{}, sweepAt: minSweep}
}

// after returns the due time if its slot is free, else the start of the next free one,
// and takes the slot.
func (s *spread) after(due time.Time) time.Time {
	now := s.now()
	if s.slot <= 0 || due.Sub(now) > spreadHorizon {
		return due
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.next) >= s.sweepAt {
		s.sweep(now)
	}
	wanted := due.UnixNano() / int64(s.slot)
	free := s.find(wanted)
	s.next[free] = free + 1
	if free == wanted {
		return due
	}
	return time.Unix(0, free*int64(s.slot)).In(due.Location())
}

// find returns the first free slot from one on, and shortens the path to it.
func (s *spread) find(slot int64) int64 {
	free := slot
	for next, taken := s.next[free]; taken; next, taken = s.next[free] {
		free = next
	}
	for slot != free {
		after := s.next[slot]
		s.next[slot] = free
		slot = after
	}
	return free
}

// sweep deletes the slots that are past.
func (s *spread) sweep(now time.Time) {
	current := now.UnixNano() / int64(s.slot)
	for slot := range s.next {
		if slot < current {
			delete(s.next, slot)
		}
	}
	s.sweepAt = max(minSweep, 2*len(s.next))
}
