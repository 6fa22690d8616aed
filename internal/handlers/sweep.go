package handlers

import (
	"context"
	"errors"

	"azbackupflow/internal/customhandler"
	"azbackupflow/internal/engine"
)

// Sweeper looks at every live operation.
type Sweeper interface {
	Sweep(context.Context) (engine.SweepResult, error)
}

// Sweep handles the timer: it wakes operations whose message did not come. A
// sweep that fails is made again at the next tick. Then it removes a portion of
// what is old.
func Sweep(e Sweeper, h Housekeeping) customhandler.Handler {
	return func(ctx context.Context, _ customhandler.Invocation) (customhandler.Result, error) {
		_, err := e.Sweep(ctx)
		return customhandler.Result{}, errors.Join(err, h.Run(ctx))
	}
}
