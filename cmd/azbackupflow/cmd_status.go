package main

import "context"

type statusCommand struct {
	ID string `arg:"" help:"The operation's id."`
}

// Run shows the operation.
func (s *statusCommand) Run(ctx context.Context, a *app) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	v, err := c.Get(ctx, s.ID)
	if err != nil {
		return err
	}
	if a.json() {
		return a.printJSON(v)
	}
	a.facts(a.about(v))
	return nil
}
