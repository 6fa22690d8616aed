package main

import (
	"context"

	"azbackupflow/internal/client"
)

type resumeCommand struct {
	ID string `arg:"" help:"The operation's id."`
}

// Run lets the operation go on.
func (c *resumeCommand) Run(ctx context.Context, a *app) error {
	return a.change(ctx, c.ID, (*client.Client).Resume)
}
