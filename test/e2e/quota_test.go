package e2e

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/stack"
	"azbackupflow/internal/operation"
)

// TestQuota_OperationsWaitAndSucceed starts sixteen backups at once in a vault
// that allows three reads of a kind every three seconds. On however slow a
// machine, they wait for the quota repeatedly, and none fails.
func TestQuota_OperationsWaitAndSucceed(t *testing.T) {
	t.Parallel()
	world := armsim.DemoWorld()
	const accounts, shares = 2, 8
	ids := world.AddFileShares(accounts, shares, "schedule1")
	quotas := armsim.AzureQuotas()
	quotas.VaultReads = 3
	quotas.JobReads = 3
	quotas.Reads.Size /= 10
	quotas.Reads.PerSecond /= 100
	// It takes three seconds until the counts restart.
	quotas.Window = 15 * time.Minute
	l := startInTurn(t, stack.Config{SpeedFactor: 300, World: &world, Quotas: quotas, Settings: withoutSweep()})
	var operations []string
	for i, account := range ids {
		for j := range shares {
			operations = append(operations, l.begin(backup(fmt.Sprintf("quota-%d-%d", i, j), account, fmt.Sprintf("share%04d", j))))
		}
	}
	for _, id := range operations {
		l.succeeds(id)
	}
	require.Len(t, l.ARM.Backups(), accounts*shares)
	throttled := map[string]int{}
	for _, r := range l.ARM.Requests() {
		if r.Status == http.StatusTooManyRequests {
			throttled[r.Kind]++
		}
	}
	require.NotEmpty(t, throttled)
	t.Log("throttled:", throttled)
	var waits time.Duration
	for _, ev := range l.history(operations[len(operations)-1]) {
		if ev.Err != nil {
			require.Equal(t, operation.Throttled, ev.Err.Class)
			waits += ev.DueAt.Sub(ev.At)
		}
	}
	t.Log("the last one waited", waits)
}
