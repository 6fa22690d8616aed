package main

import (
	"context"

	"azbackupflow/internal/api"
	"azbackupflow/internal/client"
)

// change asks for a change of an operation, and shows how it then is.
func (a *app) change(ctx context.Context, id string, ask func(*client.Client, context.Context, string) (api.Operation, error)) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	v, err := ask(c, ctx, id)
	if err != nil {
		return err
	}
	if a.json() {
		return a.printJSON(v)
	}
	a.say("Operation %s is %s%s.", v.ID, a.paint.status(v.Status), flags(v))
	return nil
}
