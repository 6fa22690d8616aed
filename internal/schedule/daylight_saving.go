package schedule

import "time"

// maxShift is more than any zone's clocks ever shift at once, and more than the
// offset of any zone from UTC.
const maxShift = 26 * time.Hour

// wallSpan returns a span of wall-clock times that contains every wall-clock
// time whose instant lies between two instants.
func wallSpan(after, until time.Time, zone *time.Location) (first, last time.Time) {
	first, last = wallOf(after, zone), wallOf(until, zone)
	// A wall-clock time that the clocks have just skipped runs later than times
	// after it.
	if first.Sub(wallOf(after.Add(-maxShift), zone)) > maxShift {
		first = first.Add(-maxShift)
	}
	// A wall-clock time that the clocks repeat has run earlier.
	if last.Sub(wallOf(until.Add(-maxShift), zone)) < maxShift {
		last = last.Add(maxShift)
	}
	return first, last
}

// wallOf returns what the zone's clocks show at an instant, as a time in UTC.
func wallOf(at time.Time, zone *time.Location) time.Time {
	_, offset := at.In(zone).Zone()
	return at.UTC().Add(time.Duration(offset) * time.Second)
}

// instantOf returns when the zone's clocks first show a wall-clock time. If the
// clocks skip that time, the instant is later by the skipped amount.
func instantOf(wall time.Time, zone *time.Location) time.Time {
	_, before := wall.Add(-maxShift).In(zone).Zone()
	_, after := wall.Add(maxShift).In(zone).Zone()
	first := wall.Add(-time.Duration(max(before, after)) * time.Second)
	second := wall.Add(-time.Duration(min(before, after)) * time.Second)
	switch {
	case wallOf(first, zone).Equal(wall):
		return first.UTC()
	case wallOf(second, zone).Equal(wall):
		return second.UTC()
	}
	return wall.Add(-time.Duration(before) * time.Second).UTC()
}
