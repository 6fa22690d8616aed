package simulate_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/generate/simulate"
	"azbackupflow/internal/operation"
)

// night returns a small night: two vaults of one subscription.
func night() simulate.Config {
	return simulate.Config{
		Seed: 7, Operations: 400, Subscriptions: 1, Vaults: 2, Instances: 2, Due: time.Minute,
		FaultRate: 0.002, FailureRate: 0.01, DuplicateRate: 0.01,
	}
}

func TestSimulation_SameSeedSameResult(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes several seconds: simulates a small night")
	}
	first, err := simulate.Run(t.Context(), night())
	require.NoError(t, err)
	second, err := simulate.Run(t.Context(), night())
	require.NoError(t, err)
	require.Equal(t, first, second)
}

func TestSimulation_EndsWithinTheQuotas(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes several seconds: simulates a small night")
	}
	r, err := simulate.Run(t.Context(), night())
	require.NoError(t, err)
	require.Equal(t, night().Operations, r.Ends[operation.Succeeded]+r.Ends[operation.Failed], "%v", r.Ends)
	require.Less(t, r.Ends[operation.Failed], night().Operations/20)
	for _, c := range r.Calls {
		require.LessOrEqual(t, c.Throttled, 2+c.Made/50, c.Name)
		if c.Name == "backupJobs of a vault" {
			require.Less(t, c.Made, 3*night().Operations, "operations share the job list of a vault")
		}
	}
	require.Contains(t, simulate.Page(r), "The first limit that binds is")
}
