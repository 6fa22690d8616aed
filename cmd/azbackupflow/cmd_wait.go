package main

import (
	"context"
	"errors"
	"time"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/follow"
	"azbackupflow/internal/cli/render"
	"azbackupflow/internal/client"
)

type waitCommand struct {
	ID      string `arg:"" help:"ID of the operation."`
	Timeout string `placeholder:"DURATION" help:"Maximum time to wait, such as 90m, 6h or PT6H; the operation continues afterwards. No limit by default."`
}

// Help is shown below the command's own help.
func (waitCommand) Help() string { return cli.ExitCodesHelp }

// Run waits until the operation has ended.
func (w *waitCommand) Run(ctx context.Context, a *app) error {
	timeout, err := cli.ParseDurationFlag("--timeout", w.Timeout)
	if err != nil {
		return err
	}
	c, err := a.client()
	if err != nil {
		return err
	}
	return a.wait(ctx, c, w.ID, timeout, func(op api.Operation) any { return op })
}

// wait waits until the operation has ended, without a timeline, and shows the
// result. A zero timeout means no limit. data returns the structured output.
func (a *app) wait(ctx context.Context, c *client.Client, id string, timeout time.Duration, data func(api.Operation) any) error {
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, timeout, &cli.WaitTimeoutError{OperationID: id})
		defer cancel()
	}
	f, err := follow.New(follow.Config{Client: c, Printer: a.out, Quiet: true})
	if err != nil {
		return err
	}
	op, err := f.Wait(ctx, id)
	var expired *cli.WaitTimeoutError
	if errors.As(context.Cause(ctx), &expired) && err != nil {
		return expired
	}
	if err != nil {
		return err
	}
	if a.out.Structured() {
		if err := a.out.Data(data(op)); err != nil {
			return err
		}
		return cli.CheckSucceeded(op)
	}
	a.out.Line("%s after %s", a.out.Status(op.Status), render.Duration(render.Elapsed(op, a.now())))
	for _, warning := range op.Warnings {
		a.out.Line("Warning: %s", render.Plain(warning))
	}
	return cli.CheckSucceeded(op)
}
