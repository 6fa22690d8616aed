package schedule

import (
	"time"

	"azbackupflow/internal/schedule/run"
)

const (
	// maxLookback bounds how old a missed run may be.
	maxLookback = 31 * 24 * time.Hour
	// missedAfter is how late a run may start before it counts as missed. The
	// timer fires once a minute, and a host may need some minutes to start.
	missedAfter = 10 * time.Minute
)

// sync returns the record for the schedule as the file declares it now. A
// schedule that is new, was changed, or was disabled starts at now, without
// missed runs. changed reports whether the record must be saved.
func (s Schedule) sync(record run.Record, now time.Time) (_ run.Record, changed bool) {
	restarted := record
	restarted.Name, restarted.Timing, restarted.Handled, restarted.Off = s.Name, s.Timing.String(), now, false
	restarted.Slot, restarted.Done, restarted.Chosen, restarted.FailingSince, restarted.NotBefore = "", "", nil, time.Time{}, time.Time{}
	switch {
	case !s.Enabled && record.ETag != "" && record.Off:
		return record, false
	case !s.Enabled:
		restarted.Off = true
		return restarted, true
	case record.ETag == "", record.Off, record.Timing != s.Timing.String():
		return restarted, true
	}
	return record, false
}

// due returns the slots to start now, oldest first, and the due slots before them
// that the policy for missed runs skips.
func (s Schedule) due(record run.Record, now time.Time) (start, skipped []Slot) {
	after := record.Handled
	if oldest := now.Add(-maxLookback); after.Before(oldest) {
		after = oldest
	}
	slots := s.Timing.Slots(after, now)
	if len(slots) == 0 {
		return nil, nil
	}
	newest := len(slots) - 1
	first := newest
	switch s.Missed {
	case MissedSkip:
		// A slot in progress is completed, however late it is.
		if now.Sub(slots[newest].At) > missedAfter && record.Slot != slots[newest].Name {
			first = len(slots)
		}
	case MissedAll:
		first = max(0, len(slots)-s.MissedLimit)
	case MissedOne:
	}
	return slots[first:], slots[:first]
}
