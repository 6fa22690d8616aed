package client_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/client"
	"azbackupflow/internal/client/clienttest"
	"azbackupflow/internal/operation"
)

// begin starts an operation that is backed up within half an hour.
func begin(t *testing.T, a *clienttest.API, c *client.Client) string {
	t.Helper()
	a.Backup()
	v, err := c.Start(t.Context(), clienttest.Protect("one", "testshare"))
	require.NoError(t, err)
	return v.ID
}

func TestWaitSeesEveryEventOnceUpToTheEnd(t *testing.T) {
	t.Parallel()
	a := clienttest.Start(t)
	c := connect(t, a)
	id := begin(t, a, c)
	var seen []operation.Event
	v, err := c.Wait(t.Context(), id, func(u client.Update) {
		require.NoError(t, u.Away)
		require.Equal(t, id, u.View.ID)
		seen = append(seen, u.Events...)
	})
	require.NoError(t, err)
	require.Equal(t, operation.Succeeded, v.Status)
	all, err := c.History(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, all.Events, seen)
}

func TestWaitAsksAgainAfterRetryAfterButSoonEnoughForAPerson(t *testing.T) {
	t.Parallel()
	a := clienttest.Start(t)
	c := connect(t, a)
	_, err := c.Wait(t.Context(), begin(t, a, c), nil)
	require.NoError(t, err)
	slept := a.Clock.Slept()
	require.Equal(t, time.Second, slept[0], "the first step is due at once: Retry-After is 1")
	// The job is looked at after 25 minutes; a person may cancel before.
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

func TestWaitDoesNotFetchWhatHasNotChanged(t *testing.T) {
	t.Parallel()
	a := clienttest.Start(t)
	c := connect(t, a)
	_, err := c.Wait(t.Context(), begin(t, a, c), nil)
	require.NoError(t, err)
	looks, histories := 0, 0
	for _, r := range a.Requests() {
		switch {
		case strings.HasSuffix(r.URL.Path, "/history"):
			histories++
		case r.Method == http.MethodGet:
			looks++
			require.Equal(t, looks > 1, r.Header.Get("If-None-Match") != "")
		}
	}
	require.Greater(t, looks, 100)
	require.Less(t, histories, 10, "one for each change")
}

func TestWaitEndsWhereAPersonMustLook(t *testing.T) {
	t.Parallel()
	a := clienttest.Start(t)
	c := connect(t, a)
	a.Script("check-policy", clienttest.Answer{Outcome: operation.Outcome{Kind: operation.Unclear, Err: &operation.Error{Code: "BackupUnclear", Class: operation.UserAction}}})
	v, err := c.Wait(t.Context(), begin(t, a, c), nil)
	require.NoError(t, err)
	require.Equal(t, operation.Parked, v.Status)
}

// outage has the API away for a while, counted in sleeps.
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

func TestWaitSurvivesAnAPIThatIsAwayForAWhile(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]http.HandlerFunc{
		"connections break": func(w http.ResponseWriter, _ *http.Request) { hangUp(w) },
		"bad gateway":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		"state is away": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.Header().Set("Retry-After", "3")
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = w.Write([]byte(`{"title":"away"}`))
		},
		"only the history is away": func(w http.ResponseWriter, r *http.Request) {
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
		away := 0
		var seen []operation.Event
		v, err := c.Wait(t.Context(), id, func(u client.Update) {
			if u.Away != nil {
				away++
				require.Equal(t, id, u.View.ID, "the last that was seen")
			}
			seen = append(seen, u.Events...)
		})
		require.NoError(t, err, name)
		require.Equal(t, operation.Succeeded, v.Status, name)
		require.Equal(t, 10, away, name)
		all, err := c.History(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, all.Events, seen, name)
	}
}

func TestWaitGivesUpOnAnAPIThatStaysAway(t *testing.T) {
	t.Parallel()
	a := clienttest.Start(t)
	c := connect(t, a, func(cfg *client.Config) { cfg.Patience = time.Minute })
	id := begin(t, a, c)
	a.Instead(func(w http.ResponseWriter, _ *http.Request) { hangUp(w) })
	_, err := c.Wait(t.Context(), id, nil)
	require.True(t, client.OutOfReach(err))
	require.ErrorContains(t, err, "out of reach for 1m")
	require.Less(t, a.Clock.Now().Sub(clienttest.Began()), 2*time.Minute)
}

func TestPatienceBeginsAnewOnceTheAPIAnswers(t *testing.T) {
	t.Parallel()
	a := clienttest.Start(t)
	n := 0
	c := connect(t, a, func(cfg *client.Config) {
		cfg.Patience = time.Minute
		cfg.Sleep = func(ctx context.Context, d time.Duration) error {
			n++ // away for most of the time, but never for a minute
			a.Instead(func(w http.ResponseWriter, _ *http.Request) { hangUp(w) })
			if n%4 == 0 {
				a.Instead(nil)
			}
			return a.Clock.Sleep(ctx, d)
		}
	})
	v, err := c.Wait(t.Context(), begin(t, a, c), nil)
	require.NoError(t, err)
	require.Equal(t, operation.Succeeded, v.Status)
}

func TestWaitReportsAnOperationThatDoesNotExistAtOnce(t *testing.T) {
	t.Parallel()
	a := clienttest.Start(t)
	_, err := connect(t, a).Wait(t.Context(), "nope", nil)
	var problem *client.Problem
	require.ErrorAs(t, err, &problem)
	require.Equal(t, http.StatusNotFound, problem.Status)
	require.Empty(t, a.Clock.Slept())
}

func TestWaitEndsWithItsContext(t *testing.T) {
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
	require.Equal(t, operation.Pending, v.Status, "the last that was seen")

	broken := errors.New("the clock is broken")
	c = connect(t, a, func(cfg *client.Config) {
		cfg.Sleep = func(context.Context, time.Duration) error { return broken }
	})
	_, err = c.Wait(t.Context(), v.ID, nil)
	require.ErrorIs(t, err, broken)
}

func TestRetryAfterMayBeADate(t *testing.T) {
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
