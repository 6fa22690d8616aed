package main

import (
	"context"

	"azbackupflow/internal/client"
)

type retryCommand struct {
	ID string `arg:"" help:"The operation's id."`
}

// Run sets the operation going again.
func (c *retryCommand) Run(ctx context.Context, a *app) error {
	return a.change(ctx, c.ID, (*client.Client).Retry)
}
