package schedule

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/netresearch/go-cron"
)

// Timing is when a schedule runs: at wall-clock times of one time zone.
//
// The cron expression is evaluated on a wall clock without daylight saving. Each
// wall-clock time is then converted to an instant of the zone. A time that the
// clocks skip runs later by the skipped amount; a time that the clocks show
// twice runs the first time only. So a daily run runs once a day, whatever the
// clocks do.
type Timing struct {
	expression string
	wall       cron.Schedule
	zone       *time.Location
}

// Slot is one run of a schedule.
type Slot struct {
	// Name is the local date and time, such as 2026-03-29T03:30. It is unique
	// within a schedule.
	Name string
	// At is the instant.
	At time.Time
}

// slotLayout is the format of slot names. A schedule has at most one slot a
// minute.
const slotLayout = "2006-01-02T15:04"

// TimeOf returns the time of the slot with the given name; zero if no slot can
// have the name.
func (t Timing) TimeOf(slot string) time.Time {
	wall, err := time.Parse(slotLayout, slot)
	if err != nil {
		return time.Time{}
	}
	return instantOf(wall, t.zone)
}

// NewTiming parses a cron expression and a time zone.
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

// String returns the expression and zone. Equal timings have equal strings.
func (t Timing) String() string { return t.expression + " " + t.zone.String() }

// Expression returns the cron expression.
func (t Timing) Expression() string { return t.expression }

// Zone returns the name of the time zone.
func (t Timing) Zone() string { return t.zone.String() }

// Slots returns the slots after one instant and up to another, in order.
func (t Timing) Slots(after, until time.Time) []Slot {
	var slots []Slot
	first, last := wallSpan(after, until, t.zone)
	for wall := t.wall.Next(first); !wall.IsZero() && !wall.After(last); wall = t.wall.Next(wall) {
		if at := instantOf(wall, t.zone); at.After(after) && !at.After(until) {
			slots = append(slots, Slot{Name: at.In(t.zone).Format(slotLayout), At: at})
		}
	}
	slices.SortFunc(slots, func(a, b Slot) int { return a.At.Compare(b.At) })
	return slices.CompactFunc(slots, func(a, b Slot) bool { return a.Name == b.Name })
}

// maxGap bounds the search for the next slots: leap days may be eight years
// apart.
const maxGap = 8*366*24*time.Hour + maxShift

// Next returns the n slots after an instant, or fewer if eight years hold fewer.
func (t Timing) Next(after time.Time, n int) []Slot {
	var slots []Slot
	until := after
	for span := 25 * time.Hour; len(slots) < n && until.Before(after.Add(maxGap)); span *= 2 {
		until = after.Add(span)
		slots = t.Slots(after, until)
	}
	return slots[:min(n, len(slots))]
}
