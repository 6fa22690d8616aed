package e2e

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/stack"
)

// The deployed program makes the report of the demo's vaults over its API, and a
// second request reads nothing.
func TestReadiness_ReportsOnTheVaultsOfTheRequest(t *testing.T) {
	t.Parallel()
	l := start(t, stack.Config{SpeedFactor: 60})
	world := armsim.DemoWorld()
	query := url.Values{"tag": {"env"}, "vault": {world.Vaults[0].ID(), world.BackupVaults[0].ID()}, "pageSize": {"500"}}
	var report api.Readiness
	require.Eventually(t, func() bool {
		return l.call(http.MethodGet, "/readiness?"+query.Encode(), nil, &report).StatusCode == http.StatusOK && report.Scan.Complete
	}, maxWait, 200*time.Millisecond)
	require.Empty(t, report.Scan.Problems)
	require.Len(t, report.Vaults, 2)
	states := map[string]api.ReadinessState{}
	for _, i := range report.Items {
		states[i.Name] = i.State
		require.NotEmpty(t, i.Reasons)
	}
	require.Equal(t, api.ReadinessNotProven, states["vm1"], "it is protected, and there is no drill")
	require.Equal(t, len(report.Items), report.Scores[0].Items)
	require.Positive(t, report.Scan.Calls)
	calls := report.Scan.Calls
	l.call(http.MethodGet, "/readiness?"+query.Encode(), nil, &report)
	require.Zero(t, report.Scan.CallsNow)
	require.Equal(t, calls, report.Scan.Calls)
}
