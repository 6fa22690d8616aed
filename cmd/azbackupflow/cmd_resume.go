package main

import (
	"context"

	"azbackupflow/internal/client"
)

type resumeCommand struct {
	ID string `arg:"" help:"ID of the operation."`
}

// Run resumes the operation.
func (c *resumeCommand) Run(ctx context.Context, a *app) error {
	return a.change(ctx, c.ID, (*client.Client).Resume)
}
