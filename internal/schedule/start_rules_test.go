package schedule_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/request"
	"azbackupflow/internal/schedule"
	"azbackupflow/internal/schedule/run"
)

// starter counts the starts, and fails them as the test requires.
type starter struct {
	schedule.Starter
	starts atomic.Int64
	fails  error
}

func (s *starter) Start(ctx context.Context, r request.Request, from engine.Origin) (operation.Operation, bool, error) {
	s.starts.Add(1)
	if s.fails != nil {
		return operation.Operation{}, false, s.fails
	}
	return s.Starter.Start(ctx, r, from)
}

// lister returns what the test requires.
type lister func(context.Context) ([]schedule.Item, error)

func (l lister) Items(ctx context.Context, _ schedule.Selection) ([]schedule.Item, error) {
	return l(ctx)
}

// A tick after a crash begins after the last chunk that was saved.
func TestTick_StartsNoChunkAgainThatWasSaved(t *testing.T) {
	t.Parallel()
	s := newSite(t, "2026-11-20T12:00:00")
	s.items = items(150)
	config := s.config(allItems(""))
	s.tick(s.runner(config), "2026-11-20T12:00:00")
	counted := &starter{Starter: config.Engine}
	config.Engine = counted
	died, store := errors.New("the process died"), config.Store
	config.Store = failingStore{s.store, func(row run.Record) error {
		_, err := s.store.SaveScheduleRun(t.Context(), row) // only the answer is lost
		return errors.Join(died, err)
	}}
	s.advance(utc("2026-11-21T02:30:00"))
	require.ErrorIs(t, s.runner(config).Tick(t.Context()), died)
	config.Store = store
	s.tick(s.runner(config), "2026-11-21T02:31:00")
	require.EqualValues(t, 150, counted.starts.Load())
}

// An invocation that ends while it lists the items is not a failure of the run, however
// often that happens.
func TestTick_DoesNotCountItsOwnEndAsAFailure(t *testing.T) {
	t.Parallel()
	s := newSite(t, "2026-11-20T12:00:00")
	config := s.config(allItems(""))
	s.tick(s.runner(config), "2026-11-20T12:00:00")
	for minute := range 70 {
		ctx, end := context.WithCancel(t.Context())
		config.Items = lister(func(ctx context.Context) ([]schedule.Item, error) {
			end()
			return nil, ctx.Err()
		})
		s.advance(utc("2026-11-21T02:30:00").Add(time.Duration(minute) * time.Minute))
		require.ErrorIs(t, s.runner(config).Tick(ctx), context.Canceled)
	}
	require.Empty(t, s.rejected)
	config.Items, s.items = s, items(1)
	s.tick(s.runner(config), "2026-11-21T03:45:00")
	require.Len(t, s.keys(), 1)
}

// At most 500 items wait for their previous run. The record would become too large
// with more; the others skip the run.
func TestTick_BoundsTheWaitingRuns(t *testing.T) {
	t.Parallel()
	s := newSite(t, "2026-11-20T12:00:00")
	s.items = items(502)
	r := s.host(allItems("  overlap: queue\n"))
	s.tick(r, "2026-11-20T12:00:00")
	s.tick(r, "2026-11-21T02:30:00")
	s.tick(r, "2026-11-22T02:30:00")
	records, err := s.store.LoadScheduleRuns(t.Context())
	require.NoError(t, err)
	waiting := 0
	for _, b := range records["daily"].Behind {
		if b.Waiting != "" {
			waiting++
		}
	}
	require.Equal(t, 500, waiting)
	require.Equal(t, 2, records["daily"].Skipped)
}

// A run that storage cannot hold is rejected once; the schedule continues.
func TestTick_RejectsARunThatIsTooLarge(t *testing.T) {
	t.Parallel()
	s := newSite(t, "2026-11-20T12:00:00")
	config := s.config(daily(""))
	config.Engine = &starter{Starter: config.Engine, fails: fmt.Errorf("start: %w", engine.ErrTooLarge)}
	r := s.runner(config)
	s.tick(r, "2026-11-20T12:00:00")
	s.tick(r, "2026-11-21T01:30:00")
	s.tick(r, "2026-11-21T01:31:00")
	require.Len(t, s.rejected, 1)
	require.Contains(t, s.rejected[0], "schedule:daily:2026-11-21T02:30:request")
	s.tick(r, "2026-11-22T01:30:00")
	require.Len(t, s.rejected, 2)
}
