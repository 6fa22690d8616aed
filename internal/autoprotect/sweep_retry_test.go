package autoprotect_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/datasource"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/ratelimit"
)

// manyAccounts returns a site with storage accounts of one share each, on an Azure
// that limits reads; the client keeps to the rate limit.
func manyAccounts(t *testing.T, accounts int) *site {
	t.Helper()
	world := armsim.DemoWorld()
	world.StorageAccounts = nil
	for i := range accounts {
		world.StorageAccounts = append(world.StorageAccounts, armsim.StorageAccount{
			Subscription: subscription, ResourceGroup: "rg-app", Name: fmt.Sprintf("st%04d", i), Location: "westeurope",
			Tags: map[string]string{"backup": "daily"}, Shares: []armsim.Share{{Name: "orders"}},
		})
	}
	s := newSite(t, toDaily)
	sim, err := armsim.New(armsim.Config{Now: s.clock.Now, World: &world, Quotas: armsim.Quotas{Reads: armsim.Bucket{Size: 50, PerSecond: 25}}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, sim.Close()) })
	s.arm = sim
	assume := ratelimit.DefaultAssumptions(1)
	assume.Refill = 2 * time.Second // as fast as this Azure's
	limiter, err := ratelimit.New(ratelimit.Config{Now: s.clock.Now, Assumptions: assume})
	require.NoError(t, err)
	client, err := arm.New(arm.Config{Endpoint: sim.Endpoint(), Credential: s, Now: s.clock.Now, Limiter: limiter})
	require.NoError(t, err)
	s.config.Datasources = datasource.New(client)
	return s
}

// sleep advances the clock. Concurrent callers sleep through the same time.
func (s *site) sleep(ctx context.Context, d time.Duration) error {
	until := s.clock.Now().Add(d)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock.Advance(max(0, until.Sub(s.clock.Now())))
	return ctx.Err()
}

func TestSweep_WaitsForTheRateLimit(t *testing.T) {
	t.Parallel()
	const accounts = 80
	s := manyAccounts(t, accounts)
	s.config.Sleep = s.sleep
	require.NoError(t, s.evaluator().Sweep(t.Context()))
	require.Len(t, s.operations(), accounts)
	require.NotContains(t, s.logged(), "ran out of time")
}

func TestSweep_StartsElsewhereAfterRunningOutOfTime(t *testing.T) {
	t.Parallel()
	s := manyAccounts(t, 200)
	s.config.Sleep = func(ctx context.Context, _ time.Duration) error {
		s.clock.Advance(time.Minute)
		return ctx.Err()
	}
	for sweeps := 0; len(s.operations()) < 200; sweeps++ {
		require.Less(t, sweeps, 48, "two days")
		require.NoError(t, s.evaluator().Sweep(t.Context()), "running out of time is not an error")
		s.clock.Advance(time.Hour)
	}
	require.Contains(t, s.logged(), "ran out of time")
}

func TestSweep_ReturnsTheFirstErrorsOfMany(t *testing.T) {
	t.Parallel()
	s := manyAccounts(t, 100)
	s.arm.Inject(armsim.Rule{Kind: "GET shares", Times: 100, Effect: armsim.Answer(403, "", nil)})
	s.config.Sleep = s.sleep
	err := s.evaluator().Sweep(t.Context())
	require.ErrorContains(t, err, "more errors")
	require.Less(t, len(err.Error()), 10_000)
}

// A call that the rate limiter deferred keeps its place: others that are deferred
// meanwhile come after it.
func TestSweep_KeepsItsPlaceInTheRateLimit(t *testing.T) {
	t.Parallel()
	s := newSite(t, toDaily)
	limiter, err := ratelimit.New(ratelimit.Config{Now: s.clock.Now})
	require.NoError(t, err)
	client, err := arm.New(arm.Config{Endpoint: s.arm.Endpoint(), Credential: s, Now: s.clock.Now, Limiter: limiter})
	require.NoError(t, err)
	s.config.Datasources = datasource.New(client)
	const accounts = "/subscriptions/" + subscription + "/providers/Microsoft.Storage/storageAccounts"
	for _, left := range []int{99, 0} {
		c, err := limiter.Acquire(t.Context(), ratelimit.Caller{Priority: operation.PriorityRestore}, http.MethodGet, accounts)
		require.NoError(t, err)
		c.Done(ratelimit.Observation{Remaining: map[string]int{"subscription-reads": left}})
	}
	sleeps := 0
	s.config.Sleep = func(ctx context.Context, d time.Duration) error {
		sleeps++
		_, err := limiter.Acquire(ctx, ratelimit.Caller{}, http.MethodGet, accounts)
		require.Error(t, err, "another call is deferred, too")
		return s.sleep(ctx, d)
	}
	require.NoError(t, s.evaluator().Sweep(t.Context()))
	require.Len(t, s.operations(), 2)
	require.Equal(t, 1, sleeps)
}
