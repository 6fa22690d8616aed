package ratelimit_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/ratelimit"
)

// A call that its quota defers is not sent, so its bucket gets the call back.
func TestLimiter_ReturnsTheBucketsCallOfADeferredCall(t *testing.T) {
	t.Parallel()
	l, err := ratelimit.New(ratelimit.Config{Now: start})
	require.NoError(t, err)
	c, err := l.Acquire(t.Context(), ratelimit.Caller{}, http.MethodGet, vaultJobs)
	require.NoError(t, err)
	c.Done(ratelimit.Observation{Remaining: map[string]int{"subscription-reads": 100, "subscription-global-reads": 100}})
	c, err = l.Acquire(t.Context(), ratelimit.Caller{}, http.MethodGet, vaultJobs)
	require.NoError(t, err)
	c.Done(ratelimit.Observation{Failed: true, Throttled: &ratelimit.Throttling{PerAction: true, Limit: 150, Window: time.Hour, Wait: 324 * time.Second}})
	before, _ := l.Allowances(http.MethodGet, vaultJobs)
	require.Positive(t, before.Limit, "the bucket is known")

	for range 5 {
		_, err = l.Acquire(t.Context(), ratelimit.Caller{}, http.MethodGet, vaultJobs+"/j")
		var off *operation.Deferral
		require.ErrorAs(t, err, &off)
		require.Equal(t, "backupjobs read quota", off.Limit)
	}

	after, _ := l.Allowances(http.MethodGet, vaultJobs)
	require.InDelta(t, before.Remaining, after.Remaining, 0)
}
