package httpapi

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A costly result is reused for 20 times as long as it took, a cheap one or an error
// never.
func TestReused_KeepsACostlyResultForATime(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	pass := func(d time.Duration) { now = now.Add(d) }
	r := newReused[int](func() time.Time { return now })
	runs := 0
	taking := func(d time.Duration) func(context.Context) (int, error) {
		return func(context.Context) (int, error) {
			pass(d)
			runs++
			return runs, nil
		}
	}
	get := func(d time.Duration) int {
		n, err := r.run(t.Context(), taking(d))
		require.NoError(t, err)
		return n
	}
	require.Equal(t, 1, get(cheapEnough-1))
	require.Equal(t, 2, get(time.Second), "a cheap result is not reused")
	pass(reuseFactor*time.Second - 1)
	require.Equal(t, 2, get(time.Second))
	pass(1)
	require.Equal(t, 3, get(time.Hour), "its time has passed")
	pass(maxReuse - 1)
	require.Equal(t, 3, get(0))
	pass(1)
	_, err := r.run(t.Context(), func(context.Context) (int, error) { return 0, errors.New("no") })
	require.EqualError(t, err, "no")
	require.Equal(t, 4, get(0), "an error is not reused")

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, r.turn.take(t.Context()))
	_, err = r.run(ended, taking(0))
	require.ErrorIs(t, err, context.Canceled)
}
