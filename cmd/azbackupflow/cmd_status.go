package main

import "context"

type statusCommand struct {
	ID string `arg:"" help:"ID of the operation."`
}

// Run shows the operation.
func (s *statusCommand) Run(ctx context.Context, a *app) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	op, err := c.Get(ctx, s.ID)
	if err != nil {
		return err
	}
	if a.out.Structured() {
		return a.out.Data(op)
	}
	a.out.Facts(a.out.OperationFacts(op))
	return nil
}
