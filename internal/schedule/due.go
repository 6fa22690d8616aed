package schedule

import (
	"azbackupflow/internal/schedule/run"
	"time"
)

// How far a schedule looks back, and from when on a slot counts as missed: the
// timer looks once a minute, and a host may need some to start.
const (
	lookBack = 31 * 24 * time.Hour
	grace    = 10 * time.Minute
)

// watch brings a schedule's row up to date with its file: a schedule that is
// seen for the first time, was changed, or was off, begins now. changed says
// that the row is to be saved.
func (s Schedule) watch(row run.Record, now time.Time) (_ run.Record, changed bool) {
	switch {
	case !s.Enabled && row.ETag != "" && row.Off:
		return row, false
	case !s.Enabled:
		return run.Record{Name: s.Name, Timing: s.Timing.String(), Off: true, Handled: now, LastSlot: row.LastSlot, Behind: row.Behind, ETag: row.ETag}, true
	case row.ETag == "", row.Off, row.Timing != s.Timing.String():
		return run.Record{Name: s.Name, Timing: s.Timing.String(), Handled: now, LastSlot: row.LastSlot, Behind: row.Behind, ETag: row.ETag}, true
	}
	return row, false
}

// due gives the slots to start now, oldest first, and how many that came due
// are left out by the policy for missed runs.
func (s Schedule) due(row run.Record, now time.Time) (run []Slot, left int) {
	after := row.Handled
	if oldest := now.Add(-lookBack); after.Before(oldest) {
		after = oldest
	}
	slots := s.Timing.Slots(after, now)
	if len(slots) == 0 {
		return nil, 0
	}
	newest := len(slots) - 1
	first := newest
	switch s.Missed {
	case MissedSkip:
		// One that is under way is carried to its end.
		if now.Sub(slots[newest].At) > grace && row.Slot != slots[newest].Name {
			first = len(slots)
		}
	case MissedAll:
		first = max(0, len(slots)-s.MissedLimit)
	case MissedOne:
	}
	return slots[first:], first
}
