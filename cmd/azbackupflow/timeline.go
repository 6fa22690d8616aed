package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"azbackupflow/internal/api"
)

// timeline tells the events of one operation as they come: when, at which step,
// what was asked, what Azure answered, what that means, and when it looks again.
type timeline struct {
	paint paint
	// step and seq are those that the operation was at before the next event,
	// day that of the last line.
	step, day string
	seq       int64
}

const (
	stepColumn = 10 // where the step's name begins
	textColumn = 32 // where what happened begins
	textWidth  = width - textColumn
)

// atOnce is how soon a look has to be due to need no number.
const atOnce = 100 * time.Millisecond

// lines tells one event.
func (t *timeline) lines(ev api.Event) []string {
	ran := t.step // an event names the step that comes next
	if ran == "" {
		ran = "request"
	}
	var told []string
	for _, x := range ev.Exchanges {
		told = append(told, t.exchange(x))
	}
	meaning := strings.TrimPrefix(plain(ev.What), "done: ") + t.outlook(ev)
	told = append(told, strings.Split(text.WrapSoft(meaning, textWidth), "\n")...)
	if ev.Err != nil {
		told = append(told, t.trouble(ev)...)
	}
	lines := make([]string, 0, len(told)+1)
	if day := ev.At.UTC().Format(time.DateOnly); day != t.day {
		t.day = day
		lines = append(lines, t.paint.bold(day+" (UTC)"))
	}
	for i, line := range told {
		margin := strings.Repeat(" ", textColumn)
		if i == 0 {
			margin = t.paint.faint(ev.At.UTC().Format(time.TimeOnly)) + "  " + t.paint.bold(fmt.Sprintf("%-*s", textColumn-stepColumn-2, ran)) + "  "
		}
		lines = append(lines, strings.TrimRight(margin+line, " "))
	}
	t.step, t.seq = ev.Step, ev.Seq
	return lines
}

// exchange is what was asked and what Azure answered, in one line.
func (t *timeline) exchange(x api.Exchange) string {
	answered := fmt.Sprint(x.Status)
	if x.Status == 0 {
		answered = "no answer"
		if x.Failure != "" {
			answered = plain(middleOut(x.Failure, textWidth/2))
		}
	}
	path := shortPath(x.Path, textWidth-len(x.Method)-len(" ")-len(" > ")-text.StringWidth(answered))
	return fmt.Sprintf("%s %s → %s", t.paint.bold(x.Method), path, t.paint.code(x.Status, answered))
}

// outlook says when the operation is looked at again.
func (t *timeline) outlook(ev api.Event) string {
	wait := ev.DueAt.Sub(ev.At)
	switch {
	case ev.Status.Terminal():
		return "; ends as " + string(ev.Status)
	case ev.Status == api.Parked, ev.DueAt.IsZero(), ev.Seq == t.seq:
		return ""
	case wait < atOnce:
		return "; goes on at once"
	}
	return "; looks again in " + span(wait)
}

// trouble is the error that the operation has met.
func (t *timeline) trouble(ev api.Event) []string {
	said := plain(ev.Err.Code) + errorKind(*ev.Err)
	if message := plain(ev.Err.Message); !strings.Contains(plain(ev.What), message) {
		said += ": " + message
	}
	lines := strings.Split(text.WrapSoft(said, textWidth), "\n")
	for i, line := range lines {
		lines[i] = t.paint.bad(strings.TrimRight(line, " "))
	}
	return lines
}

// errorKind says what kind of an error it is.
func errorKind(e api.Error) string {
	if e.HTTPStatus == 0 {
		return fmt.Sprintf(" (%s)", e.Class)
	}
	return fmt.Sprintf(" (%s, HTTP %d)", e.Class, e.HTTPStatus)
}
