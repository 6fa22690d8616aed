package telemetry

import (
	"context"

	"azbackupflow/internal/engine"
)

// Sweeper checks every live operation.
type Sweeper interface {
	Sweep(context.Context) (engine.SweepResult, error)
}

// WrapSweeper returns a sweeper that records the numbers of live, parked and
// overdue operations after each complete sweep.
func (t *Telemetry) WrapSweeper(next Sweeper) Sweeper { return sweeper{next, t} }

type sweeper struct {
	next      Sweeper
	telemetry *Telemetry
}

// Sweep runs the sweep and records its numbers.
func (s sweeper) Sweep(ctx context.Context) (engine.SweepResult, error) {
	found, err := s.next.Sweep(ctx)
	if err != nil {
		return found, err
	}
	m, ctx := s.telemetry.instruments, context.WithoutCancel(ctx)
	m.live.Record(ctx, int64(found.Live))
	m.parkedNow.Record(ctx, int64(found.Parked))
	m.overdue.Record(ctx, int64(found.Overdue))
	return found, nil
}
