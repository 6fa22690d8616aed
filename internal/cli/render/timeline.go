package render

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"azbackupflow/internal/api"
)

// Timeline renders the events of one operation in order: time, step, ARM calls
// with their responses, result, and the time of the next check. Repeated looks at
// the same work are folded into one line, which appears when the looks end.
type Timeline struct {
	Paint
	// Columns is the width of the lines; 0 means 100.
	Columns int

	// step, seq and status belong to the previous event, day to the previous line.
	step, day string
	seq       int64
	status    api.Status
	fold      fold
	// named holds the job that a line has named.
	named string
}

// The layout of a timeline. In a narrow one, the text starts below the step.
const (
	stepColumn     = 10
	wideTextColumn = 32
	minWideColumns = 90
)

func (t *Timeline) columns() int {
	if t.Columns == 0 {
		return maxProse
	}
	return min(t.Columns, maxProse)
}

// textColumn returns the column at which text starts, textWidth its width.
func (t *Timeline) textColumn() int {
	if t.columns() < minWideColumns {
		return stepColumn
	}
	return wideTextColumn
}

func (t *Timeline) textWidth() int { return t.columns() - t.textColumn() }

// minShownWait is the shortest wait that a timeline shows as a number.
const minShownWait = 100 * time.Millisecond

// Lines returns the lines of one event. It returns none for a repeated look.
func (t *Timeline) Lines(ev api.Event) []string {
	ran := ev.Step
	if t.step == "" { // the first event is the acceptance of the request
		ran = "request"
	}
	if t.fold.add(ran, ev) {
		t.step, t.seq, t.status = ev.Step, ev.Seq, ev.Status
		return nil
	}
	lines := t.End()
	t.fold.begin(ran, ev)
	var rendered []string
	for _, x := range ev.Exchanges {
		rendered = append(rendered, t.exchange(x))
	}
	result := t.nameJobOnce(strings.TrimPrefix(Plain(ev.What), "done: ")) + byWhom(ev) + t.nextCheck(ev)
	rendered = append(rendered, wrap(result, t.textWidth())...)
	if ev.Err != nil {
		rendered = append(rendered, t.failure(ev)...)
	}
	if day := ev.At.UTC().Format(time.DateOnly); day != t.day {
		t.day = day
		lines = append(lines, t.Bold(day+" (UTC)"))
	}
	t.step, t.seq, t.status = ev.Step, ev.Seq, ev.Status
	return append(lines, t.block(ev.At, ran, rendered)...)
}

// End returns the line of the folded looks so far, if there are any.
func (t *Timeline) End() []string {
	f := t.fold
	t.fold = fold{}
	if f.looks < 2 {
		return nil
	}
	return t.block(f.last.At, "", wrap(f.String(), t.textWidth()))
}

// Looks describes the repeated looks at the work that the operation waits for;
// empty if there are none.
func (t *Timeline) Looks() string {
	if t.fold.looks == 0 {
		return ""
	}
	return t.fold.String()
}

// block returns lines with the time and the step in front.
func (t *Timeline) block(at time.Time, ran string, rendered []string) []string {
	clock := t.Faint(at.UTC().Format(time.TimeOnly)) + strings.Repeat(" ", stepColumn-len(time.TimeOnly))
	margin := strings.Repeat(" ", t.textColumn())
	stepWidth := t.textColumn() - stepColumn - columnGap
	var lines []string
	for i, line := range rendered {
		switch {
		case i > 0:
			lines = append(lines, margin+line)
		case stepWidth > 0:
			lines = append(lines, clock+t.Bold(fmt.Sprintf("%-*s", stepWidth, shorten(ran, stepWidth, false)))+strings.Repeat(" ", columnGap)+line)
		case ran == "":
			lines = append(lines, clock+line)
		default:
			lines = append(lines, clock+t.Bold(shorten(ran, t.textWidth(), false)), margin+line)
		}
	}
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return lines
}

// jobID matches the ID of a job in the text of an event.
var jobID = regexp.MustCompile(` [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b`)

// nameJobOnce removes the ID of a job that an earlier line has named.
func (t *Timeline) nameJobOnce(what string) string {
	return jobID.ReplaceAllStringFunc(what, func(id string) string {
		if id == t.named {
			return ""
		}
		t.named = id
		return id
	})
}

// exchange returns an ARM call and its response in one line.
func (t *Timeline) exchange(x api.Exchange) string {
	response := fmt.Sprint(x.Status)
	if x.Status == 0 {
		response = "no response"
		if x.Failure != "" {
			response = Plain(shortenMiddle(x.Failure, t.textWidth()/2))
		}
	}
	path := shortPath(x.Path, t.textWidth()-len(x.Method)-len(" ")-len(" > ")-text.StringWidth(response))
	return fmt.Sprintf("%s %s → %s", t.Bold(x.Method), path, t.HTTPStatus(x.Status, response))
}

// byWhom returns who made a change, and the reason; empty for changes of azbackupflow
// itself.
func byWhom(ev api.Event) string {
	text := ""
	if by := Actor(ev.Actor); by != "" {
		text = ", by " + by
	}
	if ev.Reason != "" {
		text += ", reason: " + Plain(ev.Reason)
	}
	return text
}

// nextCheck returns when the operation continues.
func (t *Timeline) nextCheck(ev api.Event) string {
	wait := ev.DueAt.Sub(ev.At)
	switch {
	case ev.Status.Terminal() && ev.Status == t.status:
		return ""
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
	lines := wrap(message, t.textWidth())
	for i, line := range lines {
		lines[i] = t.Error(line)
	}
	if ev.Err.Detail != "" {
		lines = append(lines, wrap("Azure's text: "+Plain(ev.Err.Detail), t.textWidth())...)
	}
	return lines
}

// TimelineNote writes a line between the events of a timeline.
func (p *Printer) TimelineNote(at time.Time, note string) {
	margin := at.UTC().Format(time.TimeOnly)
	for _, line := range wrap("-- "+Plain(note), p.Width()-stepColumn) {
		p.Line("%s", p.Faint(fmt.Sprintf("%-*s%s", stepColumn, margin, line)))
		margin = ""
	}
}
