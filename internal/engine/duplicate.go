package engine

import (
	"context"
	"errors"
	"fmt"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/request"
	"azbackupflow/internal/step"
)

// existing returns the operation of a repeated request that was valid at first
// and would be rejected now, because its expiry has passed or an operator has
// revoked a setting. The sender has missed the first answer and must not learn
// that nothing was started. Any other request keeps its rejection.
func (e *Engine) existing(ctx context.Context, r request.Request, rejection error) (operation.Operation, bool, error) {
	var invalid *step.Invalid
	flow, known := e.cfg.Flows.Newest(r.Flow)
	if !errors.As(rejection, &invalid) || !known || r.Key == "" || r.Check() != nil {
		return operation.Operation{}, false, rejection
	}
	parameters, _ := flow.Check(r.Parameters) // its error is the rejection
	hash, err := operation.HashParameters(parameters)
	if err != nil {
		return operation.Operation{}, false, rejection // the parameters cannot be read
	}
	id := operation.ID(e.cfg.Tenant, flow.Name, r.Key)
	row, err := e.cfg.Store.Load(ctx, id)
	switch {
	case errors.Is(err, ErrNotFound):
		return operation.Operation{}, false, rejection
	case err != nil:
		return operation.Operation{}, false, fmt.Errorf("find the operation of a repeated request: %w", err)
	case row.Operation.RequestHash != hash && !row.Operation.Replaced(hash):
		return operation.Operation{}, false, rejection
	}
	return e.sendFirst(ctx, row.Operation, false)
}
