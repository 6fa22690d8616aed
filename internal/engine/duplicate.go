package engine

import (
	"context"
	"errors"
	"fmt"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/request"
	"azbackupflow/internal/step"
)

// repeated gives the operation of a request that was right when it was first
// made and would be refused now, because its expiry has passed or an operator
// has withdrawn a permission. Whoever repeats it has missed the first answer,
// and must not be told that nothing was started. What is no repeat is refused
// as it was.
func (e *Engine) existing(ctx context.Context, r request.Request, refused error) (operation.Operation, bool, error) {
	var invalid *step.Invalid
	flow, known := e.cfg.Flows.Newest(r.Flow)
	if !errors.As(refused, &invalid) || !known || r.Key == "" || r.Check() != nil {
		return operation.Operation{}, false, refused
	}
	parameters, _ := flow.Check(r.Parameters) // its error is the one at hand
	hash, err := operation.HashParameters(parameters)
	if err != nil {
		return operation.Operation{}, false, refused // they cannot be read
	}
	id := operation.ID(e.cfg.Tenant, flow.Name, r.Key)
	row, err := e.cfg.Store.Load(ctx, id)
	switch {
	case errors.Is(err, ErrNotFound):
		return operation.Operation{}, false, refused
	case err != nil:
		return operation.Operation{}, false, fmt.Errorf("look for operation %s, which may have been asked for before: %w", id, err)
	case row.Operation.RequestHash != hash:
		return operation.Operation{}, false, refused
	}
	return e.sendFirst(ctx, row.Operation, false)
}
