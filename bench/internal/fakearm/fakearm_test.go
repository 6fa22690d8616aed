package fakearm_test

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/bench/internal/fakearm"
	"azbackupflow/bench/internal/work"
)

func TestServer_CountsLatenessFromTheEndAndEarlyPolls(t *testing.T) {
	t.Parallel()
	var clock atomic.Int64
	now := func() time.Time { return time.Unix(0, clock.Load()) }
	started := 0
	s := fakearm.New(fakearm.Config{
		Scenario: work.Scenario{RetryAfter: 2 * time.Second, Polls: 2}, Now: now, FirstStart: func() { started++ },
	})
	t.Cleanup(s.Close)

	send(t, http.MethodPut, s.Endpoint()+fakearm.Path(work.WarmUp))
	require.Zero(t, started, "the warm-up is not measured")
	status := send(t, http.MethodPut, s.Endpoint()+fakearm.Path("a")).Get("Azure-AsyncOperation")
	require.Equal(t, 1, started)
	require.Greater(t, len(status), 2900, "as long as Azure's signed URLs")
	clock.Store(int64(time.Second))
	answer := send(t, http.MethodGet, status)
	require.Equal(t, "2", answer.Get("Retry-After"))
	clock.Store(int64(3 * time.Second))
	send(t, http.MethodGet, status)
	clock.Store(int64(5250 * time.Millisecond))
	require.Empty(t, send(t, http.MethodGet, status).Get("Retry-After"))

	seen := s.Observed()
	require.Equal(t, 4, seen.MaxCalls)
	require.Equal(t, 1, seen.Early, "only the poll after one second was early")
	require.Equal(t, []float64{1250}, seen.Lateness, "it ended after four seconds")
	require.Equal(t, 1, seen.Ended)
	require.Equal(t, 5250*time.Millisecond, seen.Span)
}

func send(t *testing.T, method, url string) http.Header {
	t.Helper()
	req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), method, url, nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	return resp.Header
}
