package main

import (
	"context"

	"azbackupflow/internal/api"
	"azbackupflow/internal/client"
)

type resumeCommand struct{ changeFlags }

// Run resumes the operations.
func (c *resumeCommand) Run(ctx context.Context, a *app) error {
	return a.change(ctx, c.changeFlags, change{
		verb: "resume", done: "resumed", call: (*client.Client).Resume,
		statuses: []api.Status{api.Pending, api.Running, api.Parked},
		applies:  func(op api.Operation) bool { return op.Paused },
	})
}
