package main

import (
	"context"

	"azbackupflow/internal/api"
	"azbackupflow/internal/client"
)

const cancelDone = "cancel requested"

type cancelCommand struct{ changeFlags }

// Help is shown below the command's own help.
func (cancelCommand) Help() string {
	return `An operation makes no further calls after it is canceled. If it waits for the
job of a backup to a Recovery Services vault, that Azure job is canceled too.
Nothing else is canceled: restores, other jobs and everything in Backup vaults
continue in Azure. With a filter, operations that have ended are left out.

  azbackupflow cancel --bulk nightly --vault files-vault`
}

// Run requests the cancellation of the operations.
func (c *cancelCommand) Run(ctx context.Context, a *app) error {
	return a.change(ctx, c.changeFlags, change{
		verb: "cancel", done: cancelDone, stops: true, call: (*client.Client).Cancel,
		statuses: []api.Status{api.Pending, api.Running, api.Parked},
	})
}
