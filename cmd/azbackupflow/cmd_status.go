package main

import "context"

type statusCommand struct {
	oneOperation
}

// Run shows the operation.
func (s *statusCommand) Run(ctx context.Context, a *app) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	id, err := s.find(ctx, c)
	if err != nil {
		return err
	}
	op, err := c.Get(ctx, id)
	if err != nil {
		return err
	}
	if a.out.Structured() {
		return a.out.Data(op)
	}
	a.out.Facts(append(a.out.OperationFacts(op), a.out.PortalFacts(op)...))
	return nil
}
