package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"syscall"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli"
	"azbackupflow/internal/client"
)

// requestFlags are the flags of commands that read a request.
type requestFlags struct {
	Flow     string            `arg:"" help:"Name of the flow; azbackupflow flows lists them."`
	File     string            `short:"f" required:"" placeholder:"FILE" help:"File with the request as JSON (- for standard input): {key, parameters, deadline, labels}."`
	Key      string            `help:"Key of the request. The same flow and key is the same operation, however often it is started."`
	Label    map[string]string `placeholder:"NAME=VALUE" mapsep:"none" help:"Label of the operation; may be repeated."`
	Deadline string            `placeholder:"PT6H" help:"Maximum duration of the operation, in ISO 8601."`
}

type startCommand struct {
	requestFlags
	DryRun bool `help:"Check the request and show its steps, without calls to Azure; azbackupflow validate makes read calls."`
	Wait   bool `help:"Wait until the operation has ended, like the command wait."`
}

// Help is shown below the command's own help.
func (startCommand) Help() string {
	return `Flags override the file. Without a key, a new key is generated, so that each start
is a new operation.`
}

// Run starts the operation.
func (s *startCommand) Run(ctx context.Context, a *app) error {
	r, err := s.request(a.stdin)
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
	op, err := c.Start(ctx, r)
	if client.IsUnavailable(err) && !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("%w (the operation may have started; start it again with --key %s)", err, r.Key)
	}
	if err != nil {
		return err
	}
	if s.Wait {
		if !a.out.Structured() {
			a.out.Line("Operation %s (%s)", a.out.Bold(op.ID), op.Flow)
		}
		return a.wait(ctx, c, op.ID, 0)
	}
	if a.out.Structured() {
		return a.out.Data(op)
	}
	existed := ""
	if op.Seq > 1 {
		existed = "; it was started earlier with the same key"
	}
	a.out.Line("Operation %s (%s) is %s%s.", a.out.Bold(op.ID), op.Flow, a.out.Status(op.Status), existed)
	a.out.Line("Watch it:  azbackupflow watch %s", op.ID)
	return nil
}

// request reads the file and applies the flags.
func (f *requestFlags) request(stdin io.Reader) (api.Request, error) {
	raw, err := cli.ReadFile(f.File, stdin)
	if err != nil {
		return api.Request{}, err
	}
	r, err := cli.DecodeRequest(raw, f.File)
	if err != nil {
		return r, err
	}
	if r.Flow != "" && r.Flow != f.Flow {
		return r, &cli.UsageError{Text: fmt.Sprintf("%s is a request for flow %s, the command line names %s", f.File, r.Flow, f.Flow), Remedy: "name the same flow"}
	}
	r.Flow = f.Flow
	if f.Key != "" {
		r.Key = f.Key
	}
	if f.Deadline != "" {
		r.Deadline = f.Deadline
	}
	if len(f.Label) > 0 {
		labels := maps.Clone(f.Label)
		for name, value := range r.Labels {
			if _, ok := labels[name]; !ok {
				labels[name] = value
			}
		}
		r.Labels = labels
	}
	return r, nil
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
