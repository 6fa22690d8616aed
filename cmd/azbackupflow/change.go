package main

import (
	"context"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli/render"
	"azbackupflow/internal/client"
)

// change changes an operation and shows the result.
func (a *app) change(ctx context.Context, id string, call func(c *client.Client, ctx context.Context, id, reason string) (api.Operation, error)) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	op, err := call(c, ctx, id, "")
	if err != nil {
		return err
	}
	if a.out.Structured() {
		return a.out.Data(op)
	}
	a.out.Line("Operation %s is %s%s.", op.ID, a.out.Status(op.Status), render.Flags(op))
	return nil
}
