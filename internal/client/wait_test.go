package client_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/client"
	"azbackupflow/internal/client/clienttest"
	"azbackupflow/internal/operation"
)

// begin starts an operation that takes half an hour.
func begin(t *testing.T, a *clienttest.API, c *client.Client) string {
	t.Helper()
	a.Backup()
	v, err := c.Start(t.Context(), clienttest.Protect("one", "testshare"))
	require.NoError(t, err)
	return v.ID
}

func TestWait_ReportsEveryEventOnce(t *testing.T) {
	t.Parallel()
	a := clienttest.Start(t)
	c := connect(t, a)
	id := begin(t, a, c)
	var seen []api.Event
	v, err := c.Wait(t.Context(), id, func(u client.Update) {
		require.NoError(t, u.Unavailable)
		require.Equal(t, id, u.Operation.ID)
		seen = append(seen, u.Events...)
	})
	require.NoError(t, err)
	require.Equal(t, api.Succeeded, v.Status)
	all, err := c.History(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, all.Events, seen)
}

func TestWait_HonoursRetryAfterUpToMaxPause(t *testing.T) {
	t.Parallel()
	a := clienttest.Start(t)
	c := connect(t, a)
	_, err := c.Wait(t.Context(), begin(t, a, c), nil)
	require.NoError(t, err)
	slept := a.Clock.Slept()
	require.Equal(t, time.Second, slept[0], "the first step is due at once: Retry-After is 1")
	// The operation checks the job after 25 minutes; an operator may cancel before.
	longest := 0
	for i, d := range slept {
		require.GreaterOrEqual(t, d, time.Second)
		require.LessOrEqual(t, d, 10*time.Second)
		if d == 10*time.Second {
			longest++
		}
		require.LessOrEqual(t, d, 2*slept[max(i-1, 0)]+time.Second, "pauses grow")
	}
	require.Greater(t, longest, 100)
}

func TestWait_FetchesOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	a := clienttest.Start(t)
	c := connect(t, a)
	_, err := c.Wait(t.Context(), begin(t, a, c), nil)
	require.NoError(t, err)
	polls, histories := 0, 0
	for _, r := range a.Requests() {
		switch {
		case strings.HasSuffix(r.URL.Path, "/history"):
			histories++
		case r.Method == http.MethodGet:
			polls++
			require.Equal(t, polls > 1, r.Header.Get("If-None-Match") != "")
		}
	}
	require.Greater(t, polls, 100)
	require.Less(t, histories, 10, "one for each change")
}

func TestWait_EndsWhenTheOperationIsParked(t *testing.T) {
	t.Parallel()
	a := clienttest.Start(t)
	c := connect(t, a)
	a.Script("check-policy", clienttest.Answer{Outcome: operation.Outcome{Kind: operation.Unclear, Err: &operation.Error{Code: "BackupUnclear", Class: operation.UserAction}}})
	v, err := c.Wait(t.Context(), begin(t, a, c), nil)
	require.NoError(t, err)
	require.Equal(t, api.Parked, v.Status)
}

// outage makes the API unavailable between two sleeps.
func outage(a *clienttest.API, from, to int, how http.HandlerFunc) func(context.Context, time.Duration) error {
	n := 0
	return func(ctx context.Context, d time.Duration) error {
		switch n++; n {
		case from:
			a.Instead(how)
		case to:
			a.Instead(nil)
		}
		return a.Clock.Sleep(ctx, d)
	}
}

func TestWait_SurvivesAnOutage(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]http.HandlerFunc{
		"connections break": func(w http.ResponseWriter, _ *http.Request) { hangUp(w) },
		"bad gateway":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		"storage unavailable": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.Header().Set("Retry-After", "3")
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte(`{"title":"unavailable"}`))
		},
		"only the history unavailable": func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/history") {
				hangUp(w)
				return
			}
			w.Header().Set("ETag", `"new"`)
			_, _ = w.Write([]byte(`{"status":"Running"}`))
		},
	} {
		a := clienttest.Start(t)
		c := connect(t, a, func(cfg *client.Config) { cfg.Sleep = outage(a, 2, 12, how) })
		id := begin(t, a, c)
		outages := 0
		var seen []api.Event
		v, err := c.Wait(t.Context(), id, func(u client.Update) {
			if u.Unavailable != nil {
				outages++
				require.Equal(t, id, u.Operation.ID, "the last known state")
			}
			seen = append(seen, u.Events...)
		})
		require.NoError(t, err, name)
		require.Equal(t, api.Succeeded, v.Status, name)
		require.Equal(t, 10, outages, name)
		all, err := c.History(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, all.Events, seen, name)
	}
}

func TestWait_EndsAfterMaxOutage(t *testing.T) {
	t.Parallel()
	a := clienttest.Start(t)
	c := connect(t, a, func(cfg *client.Config) { cfg.MaxOutage = time.Minute })
	id := begin(t, a, c)
	a.Instead(func(w http.ResponseWriter, _ *http.Request) { hangUp(w) })
	_, err := c.Wait(t.Context(), id, nil)
	require.True(t, client.IsUnavailable(err))
	require.ErrorContains(t, err, "API unavailable for 1m")
	require.Less(t, a.Clock.Now().Sub(clienttest.Began()), 2*time.Minute)
}

func TestWait_CountsEachOutageSeparately(t *testing.T) {
	t.Parallel()
	a := clienttest.Start(t)
	n := 0
	c := connect(t, a, func(cfg *client.Config) {
		cfg.MaxOutage = time.Minute
		cfg.Sleep = func(ctx context.Context, d time.Duration) error {
			n++ // unavailable most of the time, but never for a minute
			a.Instead(func(w http.ResponseWriter, _ *http.Request) { hangUp(w) })
			if n%4 == 0 {
				a.Instead(nil)
			}
			return a.Clock.Sleep(ctx, d)
		}
	})
	v, err := c.Wait(t.Context(), begin(t, a, c), nil)
	require.NoError(t, err)
	require.Equal(t, api.Succeeded, v.Status)
}

func TestWait_ReturnsNotFoundAtOnce(t *testing.T) {
	t.Parallel()
	a := clienttest.Start(t)
	_, err := connect(t, a).Wait(t.Context(), "nope", nil)
	var problem *client.Problem
	require.ErrorAs(t, err, &problem)
	require.Equal(t, http.StatusNotFound, problem.Status)
	require.Empty(t, a.Clock.Slept())
}

func TestWait_EndsWithItsContext(t *testing.T) {
	t.Parallel()
	a := clienttest.Start(t)
	why := errors.New("why")
	ctx, cancel := context.WithCancelCause(t.Context())
	c := connect(t, a, func(cfg *client.Config) {
		cfg.Sleep = func(ctx context.Context, d time.Duration) error {
			cancel(why)
			return a.Clock.Sleep(ctx, d)
		}
	})
	v, err := c.Wait(ctx, begin(t, a, c), nil)
	require.ErrorIs(t, err, why)
	require.Equal(t, api.Pending, v.Status, "the last known state")

	broken := errors.New("broken clock")
	c = connect(t, a, func(cfg *client.Config) {
		cfg.Sleep = func(context.Context, time.Duration) error { return broken }
	})
	_, err = c.Wait(t.Context(), v.ID, nil)
	require.ErrorIs(t, err, broken)
}

func TestProblem_AcceptsRetryAfterAsADate(t *testing.T) {
	t.Parallel()
	a := clienttest.Start(t)
	a.Instead(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", a.Clock.Now().Add(1*time.Second).Format(http.TimeFormat))
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte(`{}`))
	})
	_, err := connect(t, a).Get(t.Context(), "id")
	var problem *client.Problem
	require.ErrorAs(t, err, &problem)
	require.Equal(t, time.Second, problem.RetryAfter)
}
