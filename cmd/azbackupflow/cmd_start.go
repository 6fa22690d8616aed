package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/render"
	"azbackupflow/internal/client"
)

type startCommand struct {
	requestFlags
	DryRun     bool   `help:"Check the request and show its steps, without calls to Azure; azbackupflow validate makes read calls."`
	Wait       bool   `help:"Wait until the operation has ended, like the command wait."`
	Timeout    string `placeholder:"DURATION" help:"With --wait: maximum time to wait, such as 90m, 6h or PT6H; the operation continues afterwards. No limit by default."`
	RequireNew bool   `help:"Exit with code 8 if nothing was started, because the key belongs to an earlier request."`
	Reason     string `placeholder:"TEXT" help:"Why; it is recorded in the history. Do not write names of people or secrets."`
	Example    bool   `help:"Print a request file of the flow with comments; start nothing."`
}

// Help is shown below the command's own help.
func (startCommand) Help() string {
	return `Each start is a new operation, unless the request has a key. A name of a resource
belongs to the subscription, the resource group and the vault of the flags or the
context; a resource ID is taken as it is.

  azbackupflow start backup-now --vault files-vault \
    --storage-account acct --file-share orders --wait
  azbackupflow start request.yaml --wait --timeout 6h \
    --key 'nightly-{date}' --require-new

` + cli.ExitCodesHelp
}

// Run starts the operation.
func (s *startCommand) Run(ctx context.Context, a *app) error {
	if s.Example {
		return s.example(a)
	}
	timeout, err := s.timeout()
	if err != nil {
		return err
	}
	r, err := s.request(a)
	if err != nil {
		return err
	}
	c, err := a.client()
	if err != nil {
		return err
	}
	if s.DryRun || r.DryRun {
		return a.dryRun(ctx, c, r)
	}
	if r.Key == "" {
		r.Key = a.newKey()
	}
	if s.Reason != "" {
		r.Reason = s.Reason
	}
	started, err := a.start(ctx, c, r)
	if client.IsUnavailable(err) && !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("%w (the operation may have started; start it again with --key %s)", err, r.Key)
	}
	if err != nil {
		return s.explained(err, r.Flow)
	}
	return s.show(ctx, a, c, started, timeout)
}

// maxThrottled bounds the attempts of a start that is throttled, and the pause
// between two of them.
const (
	maxThrottled      = 6
	maxThrottledPause = time.Minute
)

// start starts the operation. It repeats a call that was throttled, because such a
// call had no effect.
func (a *app) start(ctx context.Context, c *client.Client, r api.Request) (api.Started, error) {
	for try := 1; ; try++ {
		started, err := c.Start(ctx, r)
		after, throttled := client.Throttled(err)
		if !throttled || try == maxThrottled {
			return started, err
		}
		if a.sleep(ctx, min(max(after, firstPause<<try), maxThrottledPause)) != nil {
			return started, err
		}
	}
}

// requestError is a rejected request, with what helps to correct its flags.
type requestError struct {
	error
	remedy string
}

// Unwrap returns the rejection.
func (e *requestError) Unwrap() error { return e.error }

// WhatToDo returns the remedy.
func (e *requestError) WhatToDo() string { return e.remedy }

// explained adds where the flags of the rejected parameters are explained.
func (f *requestFlags) explained(err error, flow string) error {
	var problem *client.Problem
	if !errors.As(err, &problem) || problem.Type != api.ProblemInvalidRequest || f.File != "" {
		return err
	}
	return &requestError{err, "azbackupflow flows show " + flow + " lists the flag of each parameter"}
}

func (s *startCommand) timeout() (time.Duration, error) {
	if s.Timeout != "" && !s.Wait {
		return 0, &cli.UsageError{Text: "--timeout has no effect without --wait", Remedy: "add --wait, or use --deadline to limit the operation itself"}
	}
	return cli.ParseDurationFlag("--timeout", s.Timeout)
}

// show shows the operation, or waits for its end.
func (s *startCommand) show(ctx context.Context, a *app, c *client.Client, started api.Started, timeout time.Duration) error {
	if s.RequireNew && !started.Created {
		if a.out.Structured() {
			if err := a.out.Data(started); err != nil {
				return err
			}
		}
		return &cli.NotStartedError{Operation: started.Operation, Text: strings.TrimSuffix(notStarted(started.Operation, a.now()), ".")}
	}
	if !a.out.Structured() {
		a.showStarted(started)
	}
	switch {
	case s.Wait:
		err := a.wait(ctx, c, started.ID, timeout, func(op api.Operation) any { return api.Started{Operation: op, Created: started.Created} })
		var ended *cli.OperationError
		if err != nil && a.out.Structured() && !errors.As(err, &ended) { // the wait has shown nothing
			err = errors.Join(err, a.out.Data(started))
		}
		return err
	case a.out.Structured():
		return a.out.Data(started)
	case started.Created || !started.Status.Terminal():
		a.out.Line("Watch it:  azbackupflow watch %s", started.ID)
	}
	return nil
}

// showStarted shows whether the operation is new, and what an existing one became.
func (a *app) showStarted(s api.Started) {
	if s.Created {
		a.out.Line("Started operation %s (%s).", a.out.Bold(s.ID), s.Flow)
		return
	}
	a.out.Wrapped(0, notStarted(s.Operation, a.now()))
	switch s.Status {
	case api.Failed, api.TimedOut, api.Parked, api.Canceled:
		if s.Status != api.Canceled {
			a.out.Line("Retry it:      azbackupflow retry %s", s.ID)
		}
		a.out.Line("Start afresh:  use another --key, or none")
	case api.Pending, api.Running, api.Succeeded, api.SucceededWithWarnings:
	}
}

// notStarted describes the operation that a request met.
func notStarted(op api.Operation, now time.Time) string {
	ago := func(at time.Time) string { return render.Duration(max(0, now.Sub(at)).Round(time.Second)) + " ago" }
	text := fmt.Sprintf("Nothing was started: key %s belongs to operation %s, created %s", render.Plain(op.Key), op.ID, ago(op.CreatedAt))
	if op.Status.Terminal() && !op.EndedAt.IsZero() {
		return text + fmt.Sprintf(", which ended %s %s.", op.Status, ago(op.EndedAt))
	}
	return text + fmt.Sprintf(", which is %s.", op.Status)
}

// example prints a request file of the flow.
func (s *startCommand) example(a *app) error {
	f, err := a.book.get(s.Target)
	if s.Target == "" {
		err = &cli.UsageError{Text: "--example needs a flow", Remedy: "write azbackupflow start FLOW --example; azbackupflow flows lists the flows"}
	}
	if err != nil {
		return err
	}
	a.out.Line("%s", f.ExampleRequest(a.parametersOf(f)))
	return nil
}

// dryRun shows the steps of a request.
func (a *app) dryRun(ctx context.Context, c *client.Client, r api.Request) error {
	plan, err := c.DryRun(ctx, r)
	if err != nil {
		return err
	}
	if a.out.Structured() {
		return a.out.Data(plan)
	}
	a.out.Line("The request is valid. Steps of %s version %d:", plan.Flow, plan.Version)
	for i, name := range plan.Steps {
		a.out.Line("%4d  %s", i+1, name)
	}
	return nil
}
