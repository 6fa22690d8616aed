// Package follow waits for an operation and shows its progress: a spinner, and
// the timeline of its events.
//
// The package may not know how operations run: it polls the HTTP API.
package follow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli/render"
	"azbackupflow/internal/client"
)

// Config configures a Follower. Client and Printer are required.
type Config struct {
	Client  *client.Client
	Printer *render.Printer
	// Flows are the flows of the app, to count the steps of the operation; nil
	// counts only those that ran.
	Flows []api.Flow
	// Quiet omits the timeline.
	Quiet bool
}

// Follower follows one operation.
type Follower struct {
	// Counter counts the steps and ARM calls so far.
	Counter render.Counter

	c           Config
	timeline    render.Timeline
	spinner     *render.Spinner
	unavailable bool

	mu sync.Mutex
	// fresh holds notes since the last poll: events before them may still
	// arrive. ready holds older notes.
	fresh, ready []note
}

// note is a line between the events.
type note struct {
	at   time.Time
	text string
}

// New returns a Follower.
func New(c Config) (*Follower, error) {
	if c.Client == nil || c.Printer == nil {
		return nil, errors.New("follow: Config.Client and Printer are required")
	}
	return &Follower{c: c, timeline: render.Timeline{Paint: c.Printer.Paint, Columns: c.Printer.Width()}}, nil
}

// Wait shows the operation until it has ended or is parked, and returns it.
func (f *Follower) Wait(ctx context.Context, id string) (api.Operation, error) {
	f.spinner = f.c.Printer.NewSpinner()
	defer f.spinner.Stop()
	op, err := f.c.Client.Wait(ctx, id, f.show)
	f.spinner.Around(func() {
		f.releaseNotes()
		f.printNotes(f.c.Printer.Now())
		f.printLines(f.timeline.End())
	})
	return op, err
}

// Note adds a line to the timeline, at the current time.
func (f *Follower) Note(text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fresh = append(f.fresh, note{at: f.c.Printer.Now(), text: text})
}

// releaseNotes makes the notes so far ready to print.
func (f *Follower) releaseNotes() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ready, f.fresh = append(f.ready, f.fresh...), nil
}

// printNotes prints the ready notes up to a time.
func (f *Follower) printNotes(until time.Time) {
	for len(f.ready) > 0 && !f.ready[0].at.After(until) {
		f.print(f.ready[0])
		f.ready = f.ready[1:]
	}
}

func (f *Follower) print(n note) {
	if !f.c.Printer.Structured() {
		f.c.Printer.TimelineNote(n.at, n.text)
	}
}

func (f *Follower) show(u client.Update) {
	f.spinner.Around(func() {
		for _, ev := range u.Events {
			f.Counter.Count(ev)
		}
		for _, ev := range u.Events {
			if !f.c.Quiet {
				f.printNotes(ev.At)
			}
			f.printEvent(ev)
		}
		if f.c.Quiet {
			return
		}
		f.printNotes(f.c.Printer.Now())
		f.releaseNotes()
		if unavailable := u.Unavailable != nil; unavailable != f.unavailable {
			f.unavailable = unavailable
			f.printAvailability(u.Unavailable)
		}
	})
	step, looks := f.number(u.Operation), f.timeline.Looks()
	f.spinner.Describe(func() string { return f.progress(u, step, looks) })
}

// printEvent prints one event: as lines of text, or as one line of JSON.
func (f *Follower) printEvent(ev api.Event) {
	if f.c.Printer.Structured() && !f.c.Quiet {
		_ = f.c.Printer.DataItem(ev) // an event from JSON always encodes
		return
	}
	f.printLines(f.timeline.Lines(ev))
}

func (f *Follower) printLines(lines []string) {
	if f.c.Quiet || f.c.Printer.Structured() {
		return
	}
	for _, line := range lines {
		f.c.Printer.Line("%s", line)
	}
}

// printAvailability prints that the API has become unavailable, or available
// again if err is nil.
func (f *Follower) printAvailability(err error) {
	n := note{at: f.c.Printer.Now(), text: "the API is available again"}
	if err != nil {
		n.text = "the API is unavailable, retrying: " + err.Error()
	}
	f.print(n)
}

// number returns the number of the current step, and how many there are at most by
// the operation's parameters: the answers of Azure decide which of them follow.
func (f *Follower) number(op api.Operation) string {
	text := fmt.Sprintf("step %d", f.Counter.Number(op.Step))
	steps := op.Steps
	i := slices.IndexFunc(f.c.Flows, func(flow api.Flow) bool { return flow.Name == op.Flow && flow.Version == op.Version })
	if len(steps) == 0 && i >= 0 { // the app is older
		steps = f.c.Flows[i].Steps
	}
	switch most := f.Counter.Most(op.Step, steps); {
	case most > f.Counter.Number(op.Step):
		text += fmt.Sprintf(" of at most %d", most)
	case most > 0:
		text += fmt.Sprintf(" of %d", most)
	}
	return text
}

// progress returns the current step, what the looks at it found, and the next
// check in one line.
func (f *Follower) progress(u client.Update, step, looks string) string {
	op := u.Operation
	if u.Unavailable != nil {
		return "the API is unavailable, retrying"
	}
	text := step + ", " + op.Step
	switch wait := op.DueAt.Sub(f.c.Printer.Now()); {
	case op.Paused:
		text += ": paused"
	case wait < time.Second:
		text += ": running"
	case looks != "":
		text += ": " + looks + ", next in " + render.Duration(wait.Truncate(time.Second))
	default:
		text += ": next check in " + render.Duration(wait.Truncate(time.Second))
	}
	return render.Plain(text)
}
