package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"azbackupflow/internal/api"
	"azbackupflow/internal/client"
)

// following shows an operation while it goes on.
type following struct {
	app      *app
	timeline timeline
	tally    tally
	// quiet leaves the timeline out.
	quiet bool

	progress *progress
	// plans are the flows' steps, to say how far the operation is.
	plans []api.Flow
	away  bool

	mu sync.Mutex
	// fresh notes came since the last look; the events before them may not
	// have been seen yet.
	fresh, ripe []note
}

// note is something to tell between the events.
type note struct {
	at   time.Time
	text string
}

func (a *app) newFollowing(quiet bool) *following {
	return &following{app: a, timeline: timeline{paint: a.paint}, quiet: quiet}
}

// to waits until the operation has ended, and shows it meanwhile.
func (f *following) to(ctx context.Context, c *client.Client, id string) (api.Operation, error) {
	f.progress = f.app.newProgress()
	defer f.progress.stop()
	if flows, err := c.Flows(ctx); err == nil { // only for how far it is
		f.plans = flows.Flows
	}
	v, err := c.Wait(ctx, id, f.show)
	f.progress.around(func() {
		f.ripen()
		f.tell(f.app.now())
	})
	return v, err
}

// note has something told at its time between the events.
func (f *following) note(text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fresh = append(f.fresh, note{at: f.app.now(), text: text})
}

// ripen lets the notes so far be told.
func (f *following) ripen() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ripe, f.fresh = append(f.ripe, f.fresh...), nil
}

// tell tells the ripe notes up to a time.
func (f *following) tell(until time.Time) {
	for len(f.ripe) > 0 && !f.ripe[0].at.After(until) {
		f.line(f.ripe[0])
		f.ripe = f.ripe[1:]
	}
}

func (f *following) show(u client.Update) {
	f.progress.around(func() {
		for _, ev := range u.Events {
			f.tally.count(ev)
		}
		if f.quiet {
			return
		}
		for _, ev := range u.Events {
			f.tell(ev.At)
			f.event(ev)
		}
		f.tell(f.app.now())
		f.ripen()
		if away := u.Unavailable != nil; away != f.away {
			f.away = away
			f.reach(u.Unavailable)
		}
	})
	f.progress.say(func() string { return f.standing(u) })
}

// event writes one event: as lines for people, as one line of JSON for scripts.
func (f *following) event(ev api.Event) {
	if f.app.json() {
		if raw, err := json.Marshal(ev); err == nil {
			f.app.write(string(raw) + "\n")
		}
		return
	}
	for _, line := range f.timeline.lines(ev) {
		f.app.say("%s", line)
	}
}

// reach says that the API is away, or back.
func (f *following) reach(err error) {
	n := note{at: f.app.now(), text: "the API answers again"}
	if err != nil {
		n.text = "the API is out of reach, asking again: " + err.Error()
	}
	f.line(n)
}

func (f *following) line(n note) {
	if f.app.json() {
		return
	}
	margin := n.at.UTC().Format(time.TimeOnly)
	for _, line := range strings.Split(text.WrapSoft("-- "+plain(n.text), width-stepColumn), "\n") {
		f.app.say("%s", f.app.paint.faint(fmt.Sprintf("%-*s%s", stepColumn, margin, strings.TrimRight(line, " "))))
		margin = ""
	}
}

// standing says in one line where the operation stands.
func (f *following) standing(u client.Update) string {
	v := u.Operation
	if u.Unavailable != nil {
		return "the API is out of reach, asking again"
	}
	where := v.Step
	for _, flow := range f.plans {
		if i := slices.Index(flow.Steps, v.Step); flow.Name == v.Flow && flow.Version == v.Version && i >= 0 {
			where += fmt.Sprintf(" (step %d of %d)", i+1, len(flow.Steps))
		}
	}
	switch wait := v.DueAt.Sub(f.app.now()); {
	case v.Paused:
		where += ": paused"
	case wait >= time.Second:
		where += ": looks again in " + span(wait.Truncate(time.Second))
	default:
		where += ": at work"
	}
	return plain(where)
}
