package main

import (
	"context"

	"azbackupflow/internal/client"
)

type pauseCommand struct {
	ID string `arg:"" help:"ID of the operation."`
}

// Run pauses the operation.
func (c *pauseCommand) Run(ctx context.Context, a *app) error {
	return a.change(ctx, c.ID, (*client.Client).Pause)
}
