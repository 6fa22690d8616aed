package ratelimit

import (
	"time"

	"azbackupflow/internal/operation"
)

// Admit reports whether a call of the priority may be sent now. If not, it
// reserves a slot and returns its time. hasSlot marks a call whose slot has
// come.
func (a *Allowance) Admit(now time.Time, p operation.Priority, hasSlot bool, s Assumptions) (ok bool, slot time.Time) {
	remaining := a.remaining(now, s)
	blocked := now.Before(a.BlockedUntil)
	if hasSlot && !blocked {
		if remaining >= 1 {
			return true, now
		}
		if a.Quota && a.ResetGuessed && now.Sub(a.UpdatedAt) >= s.Probe {
			return true, now
		}
		if !a.Quota {
			return false, now.Add(seconds((1 - remaining) / a.rate(s)))
		}
	}
	if !blocked && !a.lastSlot(p).After(now) && (a.Limit == 0 || remaining-1 >= a.reserved(p)) {
		return true, now
	}
	slot = a.nextSlot(now, p, a.reserved(p)+1-remaining, s)
	a.LastSlots[p] = slot
	return false, slot
}

// lastSlot returns the last slot of a priority or a higher one.
func (a *Allowance) lastSlot(p operation.Priority) (last time.Time) {
	return latest(a.LastSlots[:p+1]...)
}

// nextSlot returns the next free slot of a priority. missing is how many calls
// the allowance lacks.
func (a *Allowance) nextSlot(now time.Time, p operation.Priority, missing float64, s Assumptions) time.Time {
	start := latest(now, a.lastSlot(p), a.BlockedUntil)
	if !a.Quota {
		if a.Limit > 0 && missing > 0 {
			start = latest(start, now.Add(seconds(missing/a.rate(s))))
		}
		return start.Add(seconds(1 / a.rate(s)))
	}
	if a.ResetGuessed || a.Limit == 0 {
		return start.Add(s.Probe)
	}
	// The first quarter of each interval has a slot for each call that the
	// priority may use.
	window := a.window(s)
	perCall := seconds(window.Seconds() / 4 / a.Limit)
	usable := seconds((a.Limit - a.reserved(p)) * perCall.Seconds())
	begin := a.ResetAt
	for {
		start = latest(start, begin)
		if slot := start.Add(perCall); !slot.After(begin.Add(usable)) {
			return slot
		}
		begin = begin.Add(window)
	}
}

// maxSlots is how many slots an instance reserves at once.
const maxSlots = 8

// moreSlots reserves the slots after one that was just reserved: as many as a
// bucket refills in half a second, so that a burst of operations does not write
// the shared row for each of them. A quota refills too slowly for that.
func (a *Allowance) moreSlots(now time.Time, p operation.Priority, s Assumptions) (slots []time.Time) {
	if a.Quota {
		return nil
	}
	for range int(min(a.rate(s)/2, maxSlots)) {
		_, slot := a.Admit(now, p, false, s)
		if slot.Equal(now) {
			break
		}
		slots = append(slots, slot)
	}
	return slots
}
