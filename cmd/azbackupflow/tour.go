package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"azbackupflow/internal/api"
	"azbackupflow/internal/client"
)

// tour is the second part of the demo: many operations at the same time.
type tour struct {
	app      *app
	client   *client.Client
	progress *progress
	stops    []*stop

	mu sync.Mutex // guards what the stops have come to
}

// stop is one operation of a tour.
type stop struct {
	demoItem
	request api.Request

	// hasJob is closed once Azure has named the operation's job, or never will;
	// ended once it has ended, or will never start.
	hasJob, ended chan struct{}

	view  api.Operation
	tally tally
	err   error
}

// newTour reads all requests before anything starts.
func (a *app) newTour(folder string, plan []demoItem) (*tour, error) {
	t := &tour{app: a}
	for _, item := range plan {
		r, err := demoRequest(folder, item.file)
		if err != nil {
			return nil, err
		}
		t.stops = append(t.stops, &stop{demoItem: item, request: r, hasJob: make(chan struct{}), ended: make(chan struct{})})
	}
	return t, nil
}

// run runs everything to its end, and tells what ends when it does.
func (t *tour) run(ctx context.Context, c *client.Client) {
	t.client, t.progress = c, t.app.newProgress()
	defer t.progress.stop()
	t.progress.say(t.standing)
	var wg sync.WaitGroup
	for _, s := range t.stops {
		wg.Go(func() {
			defer close(s.ended)
			v, err := t.visit(ctx, s)
			t.end(s, v, err)
			// Without the lock: the spinner takes it at each turn, see standing.
			t.progress.around(func() { t.tell(s) })
		})
	}
	wg.Wait()
}

// end keeps what an operation came to; nothing changes it afterwards.
func (t *tour) end(s *stop, v api.Operation, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s.view, s.err = v, err
	s.giveUpOnJob()
}

// named reports whether the operation's job is known already.
func (s *stop) named() bool {
	select {
	case <-s.hasJob:
		return true
	default:
		return false
	}
}

// giveUpOnJob lets those go on who wait for the job's name.
func (s *stop) giveUpOnJob() {
	if !s.named() {
		close(s.hasJob)
	}
}

// visit waits for what comes before, and then runs the operation.
func (t *tour) visit(ctx context.Context, s *stop) (api.Operation, error) {
	r := s.request
	for _, before := range t.stops {
		switch {
		case before.file == s.jobOf:
			<-before.hasJob
			var err error
			if r, err = trackJobOf(r, t.seen(before)); err != nil {
				return api.Operation{}, err
			}
		case before.needed(s):
			<-before.ended
			if v := t.seen(before); v.Status != api.Succeeded {
				return api.Operation{}, fmt.Errorf("not run, because %s of %s did not succeed", before.request.Flow, before.what)
			}
		}
	}
	v, err := t.client.Start(ctx, r)
	if err != nil {
		return v, err
	}
	return t.client.Wait(ctx, v.ID, func(u client.Update) { t.look(s, u) })
}

// needed reports whether another stop waits for this one to end.
func (s *stop) needed(by *stop) bool {
	for _, file := range by.after {
		if file == s.file {
			return true
		}
	}
	return false
}

func (t *tour) seen(s *stop) api.Operation {
	t.mu.Lock()
	defer t.mu.Unlock()
	return s.view
}

func (t *tour) look(s *stop, u client.Update) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s.view = u.Operation
	for _, ev := range u.Events {
		s.tally.count(ev)
	}
	if s.view.JobID != "" {
		s.giveUpOnJob()
	}
}

// tell says in one line how an operation has ended.
func (t *tour) tell(s *stop) {
	a := t.app
	if a.json() {
		return
	}
	what := fmt.Sprintf("%s  %-*s%-*s", a.paint.faint(a.now().UTC().Format(time.TimeOnly)), flowColumn, s.request.Flow, whatColumn, s.what)
	if s.view.ID == "" || !s.view.Status.Terminal() {
		a.say("%s%s", what, a.paint.bad("did not end"))
	} else {
		a.say("%s%s after %s", what, a.paint.status(s.view.Status), span(took(s.view, a.now())))
	}
	if said := s.trouble(); said != "" {
		for line := range strings.SplitSeq(text.WrapSoft(said, width-stepColumn), "\n") {
			a.say("%*s%s", stepColumn, "", a.paint.bad(strings.TrimRight(line, " ")))
		}
	}
}

const (
	flowColumn = 20
	whatColumn = 24
)

// trouble is why an operation did not succeed; empty if it did.
func (s *stop) trouble() string {
	switch {
	case s.err != nil:
		return plain(s.err.Error())
	case s.view.Status != api.Succeeded && s.view.Error != nil:
		return plain(s.view.Error.Error())
	}
	return plain(strings.Join(s.view.Warnings, "; "))
}

// standing says in one line what is at work.
func (t *tour) standing() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	ended, working := 0, []string(nil)
	for _, s := range t.stops {
		switch {
		case s.err != nil || s.view.Status.Terminal():
			ended++
		case s.view.ID != "":
			working = append(working, s.view.Step)
		}
	}
	said := fmt.Sprintf("%d of %d have ended; at work: ", ended, len(t.stops))
	for i, step := range working {
		if rest := fmt.Sprintf(" and %d more", len(working)-i); len(said)+len(step)+len(rest) > width-10 {
			return strings.TrimSuffix(said, ", ") + rest
		}
		said += step + ", "
	}
	return plain(strings.TrimSuffix(said, ", "))
}

// failure is the first that did not succeed; nil if all did.
func (t *tour) failure() error {
	for _, s := range t.stops {
		switch {
		case s.view.Status.Terminal() && s.view.Status != api.Succeeded:
			return &unsuccessful{view: s.view}
		case s.err != nil:
			return s.err
		case s.view.Status != api.Succeeded:
			return errors.New(s.request.Flow + " of " + s.what + " did not end")
		}
	}
	return nil
}
