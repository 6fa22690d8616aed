package handlers_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/customhandler"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/handlers"
)

type nothingLive struct{}

func (nothingLive) Sweep(context.Context) (engine.SweepResult, error) {
	return engine.SweepResult{}, nil
}

// The archive is listed in one hour of the day only.
func TestSweep_DeletesExpiredEvidenceOnceADay(t *testing.T) {
	t.Parallel()
	unreachable := errors.New("unreachable")
	day := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	calls := map[int]int{}
	for hour := range 24 {
		r := handlers.Retention{
			Expire: func(context.Context, time.Time, int) (handlers.Expired, error) { return handlers.Expired{}, nil },
			Evidence: func(_ context.Context, limit int) (int, bool, error) {
				require.Positive(t, limit)
				calls[hour]++
				return 1, false, unreachable
			},
			Now: func() time.Time { return day.Add(time.Duration(hour) * time.Hour) }, Log: slog.New(slog.DiscardHandler),
		}
		_, err := handlers.Sweep(nothingLive{}, r)(t.Context(), customhandler.Invocation{})
		require.Equal(t, hour == 3, errors.Is(err, unreachable))
		r.Evidence = nil
		_, err = handlers.Sweep(nothingLive{}, r)(t.Context(), customhandler.Invocation{})
		require.NoError(t, err)
	}
	require.Equal(t, map[int]int{3: 1}, calls)
}
