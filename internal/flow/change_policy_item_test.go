package flow_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
)

// A policy that keeps backups for a shorter time deletes some of them.
func TestChangePolicy_OfAnItemGuardsItsRetention(t *testing.T) {
	t.Parallel()
	world := armsim.DemoWorld()
	world.Vaults[0].Policies = append(world.Vaults[0].Policies,
		armsim.Policy{Name: "short", BackupManagementType: "AzureIaasVM", WorkLoadType: "VM", Days: 7},
		armsim.Policy{Name: "long", BackupManagementType: "AzureIaasVM", WorkLoadType: "VM", Days: 90},
		armsim.Policy{Name: "sqlshort", BackupManagementType: "AzureWorkload", WorkLoadType: "SQLDataBase", Days: 1},
	)
	r, sim := simulated(t, world)
	to := func(policy string, more object) object {
		p := object{"itemId": demoMachine, "policy": policy}
		for k, v := range more {
			p[k] = v
		}
		return p
	}
	changed := r.succeeds("change-policy", to("long", nil))
	require.Equal(t, "from DefaultPolicy (daily 30 days) to long (daily 90 days)", changed.Learned["policyChange"])
	require.Equal(t, "long", itemOf(t, sim, "vm1").Policy)
	n := len(sim.Requests())
	failure := r.fails("change-policy", to("short", nil))
	require.Equal(t, "RetentionShrinks", failure.Code)
	require.Contains(t, failure.Message, "daily backups were kept for 90 days and would be kept for 7 days")
	require.Equal(t, "PolicyDoesNotFit", r.fails("change-policy", to("schedule1", nil)).Code)
	sql := r.fails("change-policy", object{"itemId": demoDatabase, "policy": "sqlshort"})
	require.Contains(t, sql.Message, "full daily backups were kept for 30 days and would be kept for 1 days")
	require.Empty(t, sent(sim, n))
	r.succeeds("change-policy", to("short", object{"allowShorterRetention": true}))
	require.Equal(t, "short", itemOf(t, sim, "vm1").Policy)
}
