package main

import (
	"context"
	"errors"
	"time"

	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/follow"
	"azbackupflow/internal/cli/render"
	"azbackupflow/internal/client"
)

type waitCommand struct {
	ID      string        `arg:"" help:"ID of the operation."`
	Timeout time.Duration `placeholder:"1h" help:"Maximum time to wait, such as 30m or 1h; the operation continues afterwards. No limit by default."`
}

// Help is shown below the command's own help.
func (waitCommand) Help() string { return cli.ExitCodesHelp }

// Run waits until the operation has ended.
func (w *waitCommand) Run(ctx context.Context, a *app) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	return a.wait(ctx, c, w.ID, w.Timeout)
}

// wait waits until the operation has ended, without a timeline, and shows the
// result. A zero timeout means no limit.
func (a *app) wait(ctx context.Context, c *client.Client, id string, timeout time.Duration) error {
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
		if err := a.out.Data(op); err != nil {
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
