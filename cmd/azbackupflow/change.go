package main

import (
	"context"

	"azbackupflow/internal/client"
	"azbackupflow/internal/handlers"
)

// change asks for a change of an operation, and shows how it then is.
func (a *app) change(ctx context.Context, id string, ask func(*client.Client, context.Context, string) (handlers.View, error)) error {
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
