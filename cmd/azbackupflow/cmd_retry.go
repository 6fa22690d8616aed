package main

import (
	"context"

	"azbackupflow/internal/client"
)

type retryCommand struct {
	ID string `arg:"" help:"ID of the operation."`
}

// Run retries the operation.
func (c *retryCommand) Run(ctx context.Context, a *app) error {
	return a.change(ctx, c.ID, (*client.Client).Retry)
}
