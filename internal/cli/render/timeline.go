package render

import (
	"fmt"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"azbackupflow/internal/api"
)

// Timeline renders the events of one operation in order: time, step, ARM calls
// with their responses, result, and the time of the next check.
type Timeline struct {
	Paint

	// step and seq belong to the previous event, day to the previous line.
	step, day string
	seq       int64
}

// The columns of a timeline.
const (
	stepColumn = 10
	textColumn = 32
	textWidth  = Width - textColumn
)

// minShownWait is the shortest wait that a timeline shows as a number.
const minShownWait = 100 * time.Millisecond

// Lines returns the lines of one event.
func (t *Timeline) Lines(ev api.Event) []string {
	ran := t.step // an event holds the step that comes next
	if ran == "" {
		ran = "request"
	}
	var rendered []string
	for _, x := range ev.Exchanges {
		rendered = append(rendered, t.exchange(x))
	}
	result := strings.TrimPrefix(Plain(ev.What), "done: ") + t.nextCheck(ev)
	rendered = append(rendered, strings.Split(text.WrapSoft(result, textWidth), "\n")...)
	if ev.Err != nil {
		rendered = append(rendered, t.failure(ev)...)
	}
	lines := make([]string, 0, len(rendered)+1)
	if day := ev.At.UTC().Format(time.DateOnly); day != t.day {
		t.day = day
		lines = append(lines, t.Bold(day+" (UTC)"))
	}
	for i, line := range rendered {
		margin := strings.Repeat(" ", textColumn)
		if i == 0 {
			margin = t.Faint(ev.At.UTC().Format(time.TimeOnly)) + "  " + t.Bold(fmt.Sprintf("%-*s", textColumn-stepColumn-2, ran)) + "  "
		}
		lines = append(lines, strings.TrimRight(margin+line, " "))
	}
	t.step, t.seq = ev.Step, ev.Seq
	return lines
}

// exchange returns an ARM call and its response in one line.
func (t *Timeline) exchange(x api.Exchange) string {
	response := fmt.Sprint(x.Status)
	if x.Status == 0 {
		response = "no response"
		if x.Failure != "" {
			response = Plain(shortenMiddle(x.Failure, textWidth/2))
		}
	}
	path := shortPath(x.Path, textWidth-len(x.Method)-len(" ")-len(" > ")-text.StringWidth(response))
	return fmt.Sprintf("%s %s → %s", t.Bold(x.Method), path, t.HTTPStatus(x.Status, response))
}

// nextCheck returns when the operation continues.
func (t *Timeline) nextCheck(ev api.Event) string {
	wait := ev.DueAt.Sub(ev.At)
	switch {
	case ev.Status.Terminal():
		return "; ended as " + string(ev.Status)
	case ev.Status == api.Parked, ev.DueAt.IsZero(), ev.Seq == t.seq:
		return ""
	case wait < minShownWait:
		return "; continues at once"
	}
	return "; next check in " + Duration(wait)
}

// failure returns the error of an event.
func (t *Timeline) failure(ev api.Event) []string {
	message := Plain(ev.Err.Code) + errorKind(*ev.Err)
	if detail := Plain(ev.Err.Message); !strings.Contains(Plain(ev.What), detail) {
		message += ": " + detail
	}
	lines := wrap(message, textWidth)
	for i, line := range lines {
		lines[i] = t.Error(line)
	}
	if ev.Err.Detail != "" {
		lines = append(lines, wrap("Azure's text: "+Plain(ev.Err.Detail), textWidth)...)
	}
	return lines
}

// TimelineNote writes a line between the events of a timeline.
func (p *Printer) TimelineNote(at time.Time, note string) {
	margin := at.UTC().Format(time.TimeOnly)
	for _, line := range wrap("-- "+Plain(note), Width-stepColumn) {
		p.Line("%s", p.Faint(fmt.Sprintf("%-*s%s", stepColumn, margin, line)))
		margin = ""
	}
}
