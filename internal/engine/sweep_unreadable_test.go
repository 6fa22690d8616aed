package engine_test

import (
	"context"
	"errors"
	"iter"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
)

// unreadableStore has a live marker that cannot be read before all others, and an
// operation that cannot be read.
type unreadableStore struct {
	engine.Store
	operation string
}

func (s unreadableStore) ListLive(ctx context.Context) iter.Seq2[engine.LiveMarker, error] {
	return func(yield func(engine.LiveMarker, error) bool) {
		if !yield(engine.LiveMarker{}, &operation.Unreadable{Record: "marker", Err: errors.New("cut off")}) {
			return
		}
		if !yield(engine.LiveMarker{ID: s.operation}, nil) {
			return
		}
		s.Store.ListLive(ctx)(yield)
	}
}

func (s unreadableStore) Load(ctx context.Context, id string) (engine.Row, error) {
	if id == s.operation {
		return engine.Row{}, &operation.Unreadable{Record: id, Err: errors.New("cut off")}
	}
	return s.Store.Load(ctx, id)
}

func TestSweep_ContinuesAfterUnreadableRows(t *testing.T) {
	t.Parallel()
	r, id := silent(t)
	e, err := engine.New(engine.Config{
		Store: unreadableStore{r.store, "spoilt"}, Queue: r.bus, Flows: registry(t, r.azure, demo), Waits: operation.AzureWaits(), Tenant: "contoso",
		Now: r.clock.Now, Jitter: func() float64 { return 0 }, NewID: r.newID, Sleep: r.sleep,
	})
	require.NoError(t, err)
	r.clock.Advance(24 * 60 * 60 * 1e9)
	swept, err := e.Sweep(r.ctx())
	require.NoError(t, err)
	require.Equal(t, 2, swept.Unreadable)
	require.Zero(t, swept.Failed)
	require.Equal(t, 1, swept.Overdue, "operation %s is rescued", id)
}
