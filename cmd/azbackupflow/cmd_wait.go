package main

import (
	"context"
	"errors"
	"time"

	"azbackupflow/internal/client"
)

type waitCommand struct {
	ID      string        `arg:"" help:"The operation's id."`
	Timeout time.Duration `placeholder:"1h" help:"Give up waiting after so long; the operation goes on."`
}

// Help is shown below the command's own help.
func (waitCommand) Help() string { return exitCodes }

// Run waits until the operation has ended.
func (w *waitCommand) Run(ctx context.Context, a *app) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	return a.await(ctx, c, w.ID, w.Timeout)
}

// await waits in silence, for ever if the limit is zero, and then says how the
// operation has ended.
func (a *app) await(ctx context.Context, c *client.Client, id string, limit time.Duration) error {
	if limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, limit, &cut{id: id})
		defer cancel()
	}
	v, err := a.newFollowing(true).to(ctx, c, id)
	var short *cut
	if errors.As(context.Cause(ctx), &short) && err != nil {
		return short
	}
	if err != nil {
		return err
	}
	if a.json() {
		if err := a.printJSON(v); err != nil {
			return err
		}
		return outcome(v)
	}
	a.say("%s after %s", a.paint.status(v.Status), span(took(v, a.now())))
	for _, warning := range v.Warnings {
		a.say("Warning: %s", plain(warning))
	}
	return outcome(v)
}
