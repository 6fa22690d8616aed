package schedule

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // Azure's image need not have the time zones

	"github.com/netresearch/go-cron"
)

// Timing is when a schedule runs: wall-clock times of one time zone.
//
// The cron expression is evaluated on the wall clock, which knows no daylight
// saving, and each wall-clock time is then looked up in the zone: one that the
// clocks skip runs as much later as they skip, one that they show twice runs
// the first time only. So a daily run runs once a day, whatever the clocks do.
type Timing struct {
	expression string
	wall       cron.Schedule
	zone       *time.Location
}

// Slot is one run of a schedule.
type Slot struct {
	// Name is the local date and time, such as 2026-03-29T03:30. No two slots
	// of a schedule have the same.
	Name string
	// At is the instant.
	At time.Time
}

// slotLayout names slots; there is at most one a minute.
const slotLayout = "2006-01-02T15:04"

// errNeverFires is what an expression fails with that no date fits.
var errNeverFires = errors.New("never fires: no date fits it")

// parseCron reads an expression of five or six fields. The seconds of six are
// one number: the timer looks once a minute.
func parseCron(expression string) (cron.Schedule, error) {
	fields := strings.Fields(expression)
	if len(fields) != 5 && len(fields) != 6 {
		return nil, fmt.Errorf("has %d fields", len(fields))
	}
	// The library would read a time zone, or its own descriptors, too.
	if strings.ContainsAny(expression, "=@") {
		return nil, errors.New("holds more than fields of times")
	}
	if len(fields) == 6 && strings.Trim(fields[0], "0123456789") != "" {
		return nil, fmt.Errorf("runs more often than once a minute: its seconds are %q", fields[0])
	}
	parser, err := cron.TryNewParser(cron.SecondOptional | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	s, err := parser.Parse(expression)
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	if s.Next(time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return nil, errNeverFires
	}
	return s, nil
}

// loadZone reads an IANA time zone. Local, which time.LoadLocation takes for
// the machine's own, is none.
func loadZone(name string) (*time.Location, error) {
	if name == "" || strings.EqualFold(name, "local") {
		return nil, fmt.Errorf("%q is not a time zone", name)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("%q is not a time zone that is known here", name)
	}
	return zone, nil
}

// NewTiming reads a cron expression and a time zone.
func NewTiming(expression, timeZone string) (Timing, error) {
	wall, err := parseCron(expression)
	if err != nil {
		return Timing{}, fmt.Errorf("cron %q %w", expression, err)
	}
	zone, err := loadZone(timeZone)
	if err != nil {
		return Timing{}, err
	}
	return Timing{expression: strings.Join(strings.Fields(expression), " "), wall: wall, zone: zone}, nil
}

// String tells two timings apart.
func (t Timing) String() string { return t.expression + " " + t.zone.String() }

// Zone is the time zone's name.
func (t Timing) Zone() string { return t.zone.String() }

// widest is more than any zone's clocks are ever moved at once, and more than
// any zone is from UTC.
const widest = 26 * time.Hour

// Slots gives the slots after one instant and up to another, in their order.
func (t Timing) Slots(after, until time.Time) []Slot {
	var slots []Slot
	last := wallOf(until, t.zone)
	first := wallOf(after, t.zone)
	// A wall-clock time that the clocks have just skipped runs later than times
	// after it.
	if first.Sub(wallOf(after.Add(-widest), t.zone)) > widest {
		first = first.Add(-widest)
	}
	// One that the clocks come to a second time has run earlier.
	if last.Sub(wallOf(until.Add(-widest), t.zone)) < widest {
		last = last.Add(widest)
	}
	for wall := t.wall.Next(first); !wall.IsZero() && !wall.After(last); wall = t.wall.Next(wall) {
		if at := instantOf(wall, t.zone); at.After(after) && !at.After(until) {
			slots = append(slots, Slot{Name: at.In(t.zone).Format(slotLayout), At: at})
		}
	}
	slices.SortFunc(slots, func(a, b Slot) int { return a.At.Compare(b.At) })
	return slices.CompactFunc(slots, func(a, b Slot) bool { return a.Name == b.Name })
}

// longestPause bounds the search for the next slots: leap days may be eight
// years apart.
const longestPause = 8*366*24*time.Hour + widest

// Next gives the n slots after an instant, fewer if there are fewer within
// eight years.
func (t Timing) Next(after time.Time, n int) []Slot {
	var slots []Slot
	until := after
	for span := 25 * time.Hour; len(slots) < n && until.Before(after.Add(longestPause)); span *= 2 {
		until = after.Add(span)
		slots = t.Slots(after, until)
	}
	return slots[:min(n, len(slots))]
}

// wallOf is what the zone's clocks show at an instant, as if the zone were UTC.
func wallOf(at time.Time, zone *time.Location) time.Time {
	_, offset := at.In(zone).Zone()
	return at.UTC().Add(time.Duration(offset) * time.Second)
}

// instantOf is when the zone's clocks first show a wall-clock time; if they
// skip it, as much later as they skip.
func instantOf(wall time.Time, zone *time.Location) time.Time {
	_, before := wall.Add(-widest).In(zone).Zone()
	_, after := wall.Add(widest).In(zone).Zone()
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
