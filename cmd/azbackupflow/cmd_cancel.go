package main

import (
	"context"

	"azbackupflow/internal/client"
)

type cancelCommand struct {
	ID string `arg:"" help:"The operation's id."`
}

// Run asks for the operation to be canceled.
func (c *cancelCommand) Run(ctx context.Context, a *app) error {
	return a.change(ctx, c.ID, (*client.Client).Cancel)
}
