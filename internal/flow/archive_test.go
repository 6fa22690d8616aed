package flow_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/operation"
)

func rehydration() object { return object{"priority": "Standard", "retention": "15d"} }

// A recovery point that is only in the archive tier is restored on request, and is
// never chosen otherwise.
func TestRestoreVM_RehydratesAnArchivedRecoveryPoint(t *testing.T) {
	t.Parallel()
	r, sim := simulated(t, armsim.DemoWorld())
	r.succeeds("backup-now", object{"itemId": demoMachine})
	target := object{
		"itemId": demoMachine, "recoveryPoint": object{"latest": true}, "stagingAccountId": demoAccount, "asDisks": object{"resourceGroupId": restoreGroup},
	}
	with := func(base object, more object) object {
		all := object{}
		for _, from := range []object{base, more} {
			for name, value := range from {
				all[name] = value
			}
		}
		return all
	}
	archive := with(target, object{"rehydration": rehydration()})
	err := r.fails("restore-vm", archive)
	require.Equal(t, "NoRecoveryPoint", err.Code)
	require.Contains(t, err.Message, "from the archive tier", "the only point is in the readable tiers")

	require.Positive(t, sim.ArchivePoints("vm1"))
	require.Equal(t, "NoRecoveryPoint", r.fails("restore-vm", target).Code)
	require.Empty(t, sim.ItemRestores())

	started := r.clock.Now()
	op := r.succeeds("restore-vm", archive)
	require.GreaterOrEqual(t, r.clock.Since(started), time.Hour, "the rehydration takes time")
	restores := sim.ItemRestores()
	require.Len(t, restores, 1)
	require.Equal(t, "IaasVMRestoreWithRehydrationRequest", restores[0].ObjectType)
	require.NotEmpty(t, op.Learned["templateUri"])
	point := op.Learned["recoveryPointId"]

	named := r.fails("restore-vm", with(target, object{"recoveryPoint": object{"id": point}}))
	require.Contains(t, named.Message, "it is only in the archive tier; add parameters.rehydration")
}

func TestRestoreDatabase_RehydratesAnArchivedRecoveryPoint(t *testing.T) {
	t.Parallel()
	for name, item := range map[string]string{"orders": demoDatabase, "SYSTEMDB": demoHana} {
		r, sim := simulated(t, armsim.DemoWorld())
		r.succeeds("backup-now", object{"itemId": item, "backupType": "Full"})
		require.Positive(t, sim.ArchivePoints(name))
		r.succeeds("restore-database", object{"itemId": item, "recoveryPoint": object{"latest": true}, "toOriginal": true, "rehydration": rehydration()})
		restores := sim.ItemRestores()
		require.Len(t, restores, 1)
		require.True(t, strings.HasSuffix(restores[0].ObjectType, "RestoreWithRehydrateRequest"), restores[0].ObjectType)
	}
}

// A lost answer of such a restore is found by its job, whose operation has another
// name. Without it, the restore would be started twice.
func TestRestoreVM_FindsTheJobOfALostRehydration(t *testing.T) {
	t.Parallel()
	r, sim := simulated(t, armsim.DemoWorld())
	r.succeeds("backup-now", object{"itemId": demoMachine})
	require.Positive(t, sim.ArchivePoints("vm1"))
	sim.Inject(armsim.Rule{Kind: "POST restore", Times: 1, Effect: armsim.ResetAfter()})
	op := r.finish(r.begin("restore-vm", object{
		"itemId": demoMachine, "recoveryPoint": object{"latest": true}, "stagingAccountId": demoAccount,
		"asDisks": object{"resourceGroupId": restoreGroup}, "rehydration": rehydration(),
	}))
	require.Equal(t, operation.Succeeded, op.Status, "%v", r.story(op.ID))
	require.Len(t, sim.ItemRestores(), 1)
}

func TestRestore_RejectsARehydrationThatAzureDoesNotHave(t *testing.T) {
	t.Parallel()
	now := morning().Format(time.RFC3339)
	for name, c := range map[string]struct {
		flow       string
		parameters object
		want       string
	}{
		"a priority":         {"restore-vm", object{"rehydration": object{"priority": "Low", "retention": "15d"}}, `parameters.rehydration.priority: "Low" is not a priority; want Standard or High`},
		"hours":              {"restore-vm", object{"rehydration": object{"priority": "High", "retention": "PT5H"}}, `parameters.rehydration.retention: "PT5H" is not a number of days`},
		"a time of the log":  {"restore-database", object{"recoveryPoint": object{"pointInTime": now}, "rehydration": rehydration()}, "parameters.rehydration: is set for a time of the log chain"},
		"a file share":       {"restore-file-share", object{"rehydration": rehydration()}, "parameters.rehydration: is an unknown field"},
		"a misspelled field": {"restore-vm", object{"rehydration": object{"priority": "High", "duration": "15d"}}, "parameters.rehydration.duration: is an unknown field"},
	} {
		flow, ok := registry(t, morning()).Newest(c.flow)
		require.True(t, ok)
		raw, err := json.Marshal(c.parameters)
		require.NoError(t, err)
		_, err = flow.Check(raw)
		require.ErrorContains(t, err, c.want, name)
	}
}
