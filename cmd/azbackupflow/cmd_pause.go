package main

import (
	"context"

	"azbackupflow/internal/api"
	"azbackupflow/internal/client"
)

type pauseCommand struct{ changeFlags }

// Run pauses the operations.
func (c *pauseCommand) Run(ctx context.Context, a *app) error {
	return a.change(ctx, c.changeFlags, change{
		verb: "pause", done: "paused", stops: true, call: (*client.Client).Pause,
		statuses: []api.Status{api.Pending, api.Running},
		applies:  func(op api.Operation) bool { return !op.Paused },
	})
}
