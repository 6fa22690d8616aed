package functionshost

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// schedule is an NCRONTAB expression of six fields: second, minute, hour, day of
// month, month, day of week. A day must match both day fields. In cron, one is
// enough.
//
// No cron library fits, because they accept more than Azure does (descriptors, time
// zones, ?, L, W, 7 for Sunday). An expression that runs here must run on Azure.
type schedule struct {
	second, minute, hour, day, month, weekday uint64
}

// scheduleField is one of the six fields.
type scheduleField struct {
	name     string
	min, max int
	names    []string // of the values, starting at min
}

var (
	monthNames   = []string{"january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"}
	weekdayNames = []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}
)

// parseSchedule parses an expression.
func parseSchedule(expression string) (schedule, error) {
	var s schedule
	fields := []struct {
		scheduleField
		into *uint64
	}{
		{scheduleField{name: "second", max: 59}, &s.second},
		{scheduleField{name: "minute", max: 59}, &s.minute},
		{scheduleField{name: "hour", max: 23}, &s.hour},
		{scheduleField{name: "day of month", min: 1, max: 31}, &s.day},
		{scheduleField{name: "month", min: 1, max: 12, names: monthNames}, &s.month},
		{scheduleField{name: "day of week", max: 6, names: weekdayNames}, &s.weekday},
	}
	parts := strings.Fields(expression)
	if len(parts) != len(fields) {
		return s, fmt.Errorf("schedule %q has %d fields; set 6 (second minute hour day month weekday)", expression, len(parts))
	}
	for i, field := range fields {
		set, err := field.parse(parts[i])
		if err != nil {
			return s, fmt.Errorf("schedule %q: %w", expression, err)
		}
		*field.into = set
	}
	return s, nil
}

// parse returns a list of values, ranges and steps as a set of bits.
func (f scheduleField) parse(text string) (uint64, error) {
	var set uint64
	for item := range strings.SplitSeq(text, ",") {
		span, step, stepped := strings.Cut(item, "/")
		every := 1
		if stepped {
			n, err := strconv.Atoi(step)
			if err != nil || n < 1 {
				return 0, fmt.Errorf("%s: %q is not a step; use a positive number", f.name, step)
			}
			every = n
		}
		low, high := f.min, f.max
		if span != "*" {
			from, to, ranged := strings.Cut(span, "-")
			var err error
			if low, err = f.value(from); err != nil {
				return 0, err
			}
			if ranged {
				if high, err = f.value(to); err != nil {
					return 0, err
				}
			} else if !stepped {
				high = low
			}
		}
		if low > high {
			return 0, fmt.Errorf("%s: range %q is reversed; start with the lower value", f.name, span)
		}
		for v := low; v <= high; v += every {
			set |= 1 << v
		}
	}
	return set, nil
}

// value parses a number or a name. Three letters of a name are enough.
func (f scheduleField) value(text string) (int, error) {
	if len(text) >= 3 {
		if i := slices.IndexFunc(f.names, func(name string) bool { return strings.HasPrefix(name, strings.ToLower(text)) }); i >= 0 {
			return f.min + i, nil
		}
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < f.min || n > f.max {
		return 0, fmt.Errorf("%s: %q is out of range; use %d to %d", f.name, text, f.min, f.max)
	}
	return n, nil
}

// next returns the first occurrence after t, in UTC. It returns zero if there is
// none within eight years, the maximum time between two leap days.
func (s schedule) next(t time.Time) time.Time {
	t = t.UTC().Truncate(time.Second).Add(time.Second)
	end := t.AddDate(8, 0, 1)
	for t.Before(end) {
		year, month, day := t.Date()
		switch {
		case !has(s.month, int(month)):
			t = time.Date(year, month+1, 1, 0, 0, 0, 0, time.UTC)
		case !has(s.day, day) || !has(s.weekday, int(t.Weekday())):
			t = time.Date(year, month, day+1, 0, 0, 0, 0, time.UTC)
		case !has(s.hour, t.Hour()):
			t = t.Truncate(time.Hour).Add(time.Hour)
		case !has(s.minute, t.Minute()):
			t = t.Truncate(time.Minute).Add(time.Minute)
		case !has(s.second, t.Second()):
			t = t.Add(time.Second)
		default:
			return t
		}
	}
	return time.Time{}
}

// often reports whether occurrences after t are less than a minute apart. The host
// stores no status of such timers.
func (s schedule) often(t time.Time) bool {
	previous := s.next(t)
	for range 5 {
		if previous.IsZero() {
			return false
		}
		following := s.next(previous)
		if following.IsZero() {
			return false
		}
		if following.Sub(previous) < time.Minute {
			return true
		}
		previous = following
	}
	return false
}

func has(set uint64, value int) bool { return set&(1<<value) != 0 }
