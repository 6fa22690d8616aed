package main

import (
	"context"

	"azbackupflow/internal/api"
	"azbackupflow/internal/client"
)

type retryCommand struct{ changeFlags }

// Help is shown below the command's own help.
func (retryCommand) Help() string {
	return `The operation continues at the step where it stopped. With a filter, operations
that have not failed, timed out or parked are left out.

  azbackupflow retry --bulk nightly`
}

// Run retries the operations.
func (c *retryCommand) Run(ctx context.Context, a *app) error {
	return a.change(ctx, c.changeFlags, change{
		verb: "retry", done: "retried", call: (*client.Client).Retry,
		statuses: []api.Status{api.Failed, api.TimedOut, api.Parked},
		took:     func(op api.Operation) bool { return op.Status == api.Pending || op.Status == api.Running },
	})
}
