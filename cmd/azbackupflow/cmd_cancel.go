package main

import (
	"context"

	"azbackupflow/internal/client"
)

type cancelCommand struct {
	ID string `arg:"" help:"ID of the operation."`
}

// Help is shown below the command's own help.
func (cancelCommand) Help() string {
	return `An operation makes no further calls after it is canceled. If it waits for the
job of a backup to a Recovery Services vault, that Azure job is canceled too.
Other work that Azure has started continues.`
}

// Run requests the cancellation of the operation.
func (c *cancelCommand) Run(ctx context.Context, a *app) error {
	return a.change(ctx, c.ID, (*client.Client).Cancel)
}
