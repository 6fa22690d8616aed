package dashboard

import (
	"strings"
	"time"

	"azbackupflow/internal/api"
)

// timelineWidth is the width of a row in the units of its drawing.
const timelineWidth = 1000.0

// minBar is the least width of a bar, so that a short step is seen.
const minBar = 3.0

// timeline is the history of an operation, drawn to scale.
type timeline struct {
	From, To time.Time
	Rows     []timelineRow
}

// timelineRow is one visit of a step. Repeated looks of it are one row.
type timelineRow struct {
	Step     string
	From, To time.Time
	// Looks counts the invocations, Retries those that failed.
	Looks, Retries int
	// Note is the last result.
	Note string
	// Waits are the times in which Azure works, Runs those in which the program
	// works or is late, Marks the failed looks.
	Waits, Runs []bar
	Marks       []float64
	// Open reports that the operation is in this step now.
	Open, Failed bool
}

// bar is a part of a row, in units of its drawing.
type bar struct{ X, Width float64 }

// newTimeline draws events, oldest first. An operation that has not ended is drawn
// until now.
func newTimeline(op api.Operation, events []api.Event, now time.Time) timeline {
	if len(events) == 0 {
		return timeline{}
	}
	t := timeline{From: events[0].At, To: events[len(events)-1].At}
	live := !op.Status.Terminal()
	if live && now.After(t.To) {
		t.To = now
	}
	for i := 1; i < len(events); i++ {
		before, e := events[i-1], events[i]
		row := t.row(e.Step, before.At)
		row.To, row.Note = e.At, e.What
		row.Looks++
		row.add(t, before, e.At)
		if e.Err != nil {
			row.Retries++
			row.Marks = append(row.Marks, t.x(e.At))
			row.Failed = e.Status == api.Failed || e.Status == api.Parked
		}
	}
	if live {
		last := events[len(events)-1]
		row := t.row(op.Step, last.At)
		row.To, row.Open = t.To, true
		if op.WaitingFor != "" {
			row.Note = "waiting for " + op.WaitingFor
		}
		row.add(t, last, t.To)
	}
	return t
}

// row returns the last row if it is of the step, else a new one.
func (t *timeline) row(step string, from time.Time) *timelineRow {
	if n := len(t.Rows); n > 0 && t.Rows[n-1].Step == step {
		return &t.Rows[n-1]
	}
	t.Rows = append(t.Rows, timelineRow{Step: step, From: from})
	return &t.Rows[len(t.Rows)-1]
}

// add draws the time from an event to the next one: a wait until the operation was
// due, and the run after it.
func (r *timelineRow) add(t timeline, from api.Event, to time.Time) {
	due := from.DueAt
	if due.Before(from.At) {
		due = from.At
	}
	if due.After(to) {
		due = to
	}
	if due.After(from.At) {
		r.Waits = append(r.Waits, bar{t.x(from.At), t.x(due) - t.x(from.At)})
	}
	if to.After(due) || len(r.Waits) == 0 {
		start := t.x(due)
		width := max(minBar, t.x(to)-start)
		r.Runs = append(r.Runs, bar{min(start, timelineWidth-width), width})
	}
}

// x returns the place of a time.
func (t timeline) x(at time.Time) float64 {
	whole := t.To.Sub(t.From)
	if whole <= 0 {
		return 0
	}
	return timelineWidth * float64(at.Sub(t.From)) / float64(whole)
}

// Summary describes a row in words.
func (r timelineRow) Summary() string {
	parts := []string{between(r.From, r.To)}
	if r.Looks > 1 {
		parts = append(parts, plural(r.Looks, "look"))
	}
	if r.Retries > 0 {
		parts = append(parts, plural(r.Retries, "error"))
	}
	return strings.Join(parts, ", ")
}
