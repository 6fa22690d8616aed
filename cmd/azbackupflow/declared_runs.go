package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/render"
	"azbackupflow/internal/client"
)

// declaredRuns names the runs of a declaration file for people: those of a schedule
// or of a drill.
type declaredRuns struct {
	// noun names the declaration, title does so at the beginning of a sentence.
	noun, title string
	// filter is the flag of list before its name.
	filter string
}

func scheduleRuns() declaredRuns { return declaredRuns{"schedule", "Schedule", "--schedule "} }

func drillRuns() declaredRuns { return declaredRuns{"drill", "Drill", "--label drill="} }

// start requests a run now. An empty key means a new one.
func (d declaredRuns) start(ctx context.Context, a *app, key string, call func(c *client.Client, key string) (api.RequestedRun, error)) error {
	key, err := cli.ExpandKey(key, a.now(), a.lookup)
	if err != nil {
		return err
	}
	if key == "" {
		key = a.newKey()
	}
	c, err := a.client()
	if err != nil {
		return err
	}
	run, err := retrying(ctx, a, func() (api.RequestedRun, error) { return call(c, key) })
	if client.IsUnavailable(err) && !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("%w (the run may have been requested; request it again with --key %s)", err, key)
	}
	if err != nil {
		return err
	}
	if a.out.Structured() {
		return a.out.Data(run)
	}
	name, slot := render.Plain(run.Schedule), render.Plain(run.Slot)
	a.out.Line("Run %s of %s %s is requested.", slot, d.noun, name)
	a.out.Line("Its operations:  azbackupflow list %s%s --label slot=%s", d.filter, name, slot)
	return nil
}

// change pauses or resumes the runs.
func (d declaredRuns) change(ctx context.Context, a *app, call func(*client.Client) (api.Schedule, error)) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	s, err := retrying(ctx, a, func() (api.Schedule, error) { return call(c) })
	if err != nil {
		return err
	}
	if a.out.Structured() {
		return a.out.Data(s)
	}
	line := fmt.Sprintf("%s %s is %s", d.title, render.Plain(s.Name), scheduleState(s))
	if next := nextRunOf(s); next != "" {
		line += "; its next run is " + next + " UTC"
	}
	a.out.Line("%s.", line)
	return nil
}

// retrying makes a call that is safe to repeat, again while the API is unavailable.
func retrying[T any](ctx context.Context, a *app, call func() (T, error)) (result T, err error) {
	for try := range attempts {
		if result, err = call(); !client.IsUnavailable(err) || try == attempts-1 {
			break
		}
		if a.sleep(ctx, firstPause<<try) != nil {
			break
		}
	}
	return result, err
}
