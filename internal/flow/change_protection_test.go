package flow_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/flow"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// namedShare names the share of the demo world by its names.
func namedShare() object {
	return object{"vaultId": demoVault, "storageAccountId": demoAccount, "name": "testshare"}
}

// protectedShare returns a rig whose demo share is protected and backed up.
func protectedShare(t *testing.T, world armsim.World) (*rig, *armsim.Simulator) {
	t.Helper()
	r, sim := simulated(t, world)
	r.succeeds("protect-file-share", object{
		"vaultId": demoVault, "storageAccountId": demoAccount, "fileShare": "testshare", "policy": "schedule1", "firstBackup": object{},
	})
	return r, sim
}

// state returns the protection state of the demo share's item; empty if there
// is none.
func state(sim *armsim.Simulator) string {
	items := sim.ProtectedItems()
	i := slices.IndexFunc(items, func(item armsim.ProtectedItem) bool { return item.FriendlyName == "testshare" })
	if i < 0 {
		return ""
	}
	return items[i].ProtectionState
}

func instanceState(sim *armsim.Simulator, id string) string {
	all := sim.BackupInstances()
	i := slices.IndexFunc(all, func(x armsim.BackupInstance) bool { return strings.EqualFold(x.ID, id) })
	if i < 0 {
		return ""
	}
	return all[i].ProtectionState
}

func TestProtectionChange_StopsAndResumesAShare(t *testing.T) {
	t.Parallel()
	r, sim := protectedShare(t, armsim.DemoWorld())

	r.succeeds("stop-protection", object{"fileShare": namedShare()})
	require.Equal(t, "ProtectionStopped", state(sim))
	require.Len(t, r.excluded, 1)
	require.True(t, strings.EqualFold(demoAccount+"/fileServices/default/shares/testshare", r.excluded[0]), r.excluded)
	r.succeeds("stop-protection", object{"fileShare": namedShare()}) // it is already
	r.failsWith("ProtectionStopped", "backup-now", object{"fileShare": namedShare()})

	r.succeeds("resume-protection", object{"fileShare": namedShare(), "policy": "schedule1"})
	require.NotEqual(t, "ProtectionStopped", state(sim))
	require.Empty(t, r.excluded)
	r.succeeds("resume-protection", object{"fileShare": namedShare(), "policy": "schedule1"}) // it is already
	r.succeeds("backup-now", object{"fileShare": namedShare()})
}

func TestProtectionChange_StopsAndResumesAnInstance(t *testing.T) {
	t.Parallel()
	r, sim := simulated(t, armsim.DemoWorld())
	id := r.succeeds("protect-postgres", protectServer()).Learned["backupInstanceId"]

	r.succeeds("stop-protection", object{"backupInstanceId": id})
	require.Equal(t, "ProtectionStopped", instanceState(sim, id))
	require.Equal(t, []string{demoServer}, r.excluded)
	r.failsWith("ProtectionStopped", "backup-now", object{"backupInstanceId": id})

	r.succeeds("resume-protection", object{"backupInstanceId": id})
	require.Equal(t, "ProtectionConfigured", instanceState(sim, id))
	require.Empty(t, r.excluded)
}

func TestDeleteProtection_EndsWhenTheTargetIsGoneOrSoftDeleted(t *testing.T) {
	t.Parallel()
	t.Run("a share", func(t *testing.T) {
		t.Parallel()
		r, sim := protectedShare(t, armsim.DemoWorld())
		op := r.succeeds("delete-protection", object{"fileShare": namedShare()})
		require.Contains(t, []string{"gone", "soft-deleted"}, op.Learned["deletion"])
		require.Equal(t, op.Learned["deletion"] == "gone", state(sim) == "", state(sim))
		require.Len(t, r.excluded, 1)
	})
	t.Run("an instance of a vault with soft delete", func(t *testing.T) {
		t.Parallel()
		r, _ := simulated(t, armsim.DemoWorld())
		op := r.succeeds("delete-protection", object{"backupInstanceId": demoInstance})
		require.Equal(t, "soft-deleted", op.Learned["deletion"])
	})
	t.Run("an instance that the vault lists late", func(t *testing.T) {
		t.Parallel()
		r, sim := simulated(t, armsim.DemoWorld())
		sim.Inject(armsim.Rule{
			Kind: "GET deletedBackupInstances", Times: 3, Effect: armsim.AnswerError(http.StatusNotFound, "ResourceNotFound", "no", nil),
		})
		op := r.succeeds("delete-protection", object{"backupInstanceId": demoInstance})
		require.Equal(t, "soft-deleted", op.Learned["deletion"])
		require.Contains(t, strings.Join(r.story(op.ID), "\n"), "does not list the instance among the deleted ones yet")
	})
	t.Run("an instance of a vault without", func(t *testing.T) {
		t.Parallel()
		world := armsim.DemoWorld()
		world.BackupVaults[0].SoftDelete = "Off"
		r, _ := simulated(t, world)
		op := r.succeeds("delete-protection", object{"backupInstanceId": demoInstance})
		require.Equal(t, "gone", op.Learned["deletion"])
		require.Len(t, r.excluded, 1)
		again := r.succeeds("delete-protection", object{"backupInstanceId": demoInstance})
		require.Equal(t, "gone", again.Learned["deletion"])
	})
}

func TestDeleteProtection_ExcludesTheTargetBeforeTheDeletion(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		parameters object
		waits      string
	}{
		"a share":     {object{"fileShare": namedShare()}, "await-deletion"},
		"an instance": {object{"backupInstanceId": demoInstance}, "await-instance-deletion"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, _ := protectedShare(t, armsim.DemoWorld())
			id := r.begin("delete-protection", c.parameters)
			r.until(id, c.waits)
			_, err := r.engine.Cancel(t.Context(), id, operation.Cause{})
			require.NoError(t, err)
			require.Equal(t, operation.Canceled, r.finish(id).Status)
			require.Len(t, r.excluded, 1)
		})
	}
}

func TestDeleteProtection_RejectsWhatTheVaultWouldReject(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		code   string
		change func(*armsim.World)
	}{
		"an immutable vault": {"VaultImmutable", func(w *armsim.World) { w.BackupVaults[0].Immutability = "Unlocked" }},
		"a Resource Guard":   {"ResourceGuard", func(w *armsim.World) { w.BackupVaults[0].ResourceGuard = true }},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			world := armsim.DemoWorld()
			c.change(&world)
			r, sim := simulated(t, world)
			r.failsWith(c.code, "delete-protection", object{"backupInstanceId": demoInstance})
			for _, request := range sim.Requests() {
				require.NotEqual(t, "DELETE", request.Method)
			}
		})
	}
}

// A late delete must not hit a new item: someone has deleted the item and
// protected the share again.
func TestDeleteProtection_DoesNotDeleteWhatWasProtectedAgain(t *testing.T) {
	t.Parallel()
	r, sim := protectedShare(t, armsim.DemoWorld())
	late := r.begin("delete-protection", object{"fileShare": namedShare()})
	r.until(late, "delete-item")
	_, err := r.engine.Pause(t.Context(), late, operation.Cause{})
	require.NoError(t, err)
	r.succeeds("delete-protection", object{"fileShare": namedShare()})
	r.succeeds("protect-file-share", object{"vaultId": demoVault, "storageAccountId": demoAccount, "fileShare": "testshare", "policy": "schedule1"})
	before := state(sim)

	_, err = r.engine.Resume(t.Context(), late, operation.Cause{})
	require.NoError(t, err)
	op := r.finish(late)

	require.Equal(t, "ChangedMeanwhile", op.LastError.Code)
	require.Equal(t, before, state(sim))
}

func TestDeleteProtection_IsRejectedUntilAnOperatorAllowsIt(t *testing.T) {
	t.Parallel()
	b, err := flow.New(flow.Config{Now: morning})
	require.NoError(t, err)
	f, ok := b.Newest("delete-protection")
	require.True(t, ok)
	raw, err := json.Marshal(object{"backupInstanceId": demoInstance})
	require.NoError(t, err)
	_, err = f.Check(raw)
	var invalid *step.Invalid
	require.ErrorAs(t, err, &invalid)
	require.Equal(t, "flow", invalid.Fields[0].Field)
	require.Contains(t, invalid.Fields[0].Want, "AZBACKUPFLOW_ALLOW_DELETE")
}

// The rig for one step has no guardrails set.
func TestGuardrails_RevokingAlsoAppliesToStartedOperations(t *testing.T) {
	t.Parallel()
	restore := func(to object) operation.Operation {
		raw, err := json.Marshal(object{"backupInstanceId": demoInstance, "recoveryPoint": object{"latest": true}, "tier": "vault", "asFiles": to["asFiles"], "asDatabase": to["asDatabase"]})
		require.NoError(t, err)
		return operation.Operation{Identity: operation.Identity{Parameters: raw}, AzureState: operation.AzureState{Learned: map[string]string{"recoveryPointId": "r1"}}}
	}
	for name, c := range map[string]struct {
		flow, step string
		op         operation.Operation
		setting    string
	}{
		"an item":               {"delete-protection", "delete-item", operation.Operation{AzureState: operation.AzureState{Learned: learnedShare()}}, "AZBACKUPFLOW_ALLOW_DELETE"},
		"an instance":           {"delete-protection", "delete-instance", operation.Operation{AzureState: operation.AzureState{Learned: map[string]string{"instanceId": demoInstance}}}, "AZBACKUPFLOW_ALLOW_DELETE"},
		"a restore as files":    {"restore-postgres", "restore", restore(object{"asFiles": asFiles("x")}), "AZBACKUPFLOW_RESTORE_TARGETS"},
		"a restore to a server": {"restore-postgres", "restore", restore(object{"asDatabase": asDatabase("x")}), "AZBACKUPFLOW_RESTORE_TARGETS"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			azure := &stub{t: t}
			_, err := azure.run(c.flow, c.step, c.op)
			requireError(t, err, "NotAllowed", operation.Fatal)
			require.Contains(t, errorOf(t, err).RecommendedAction[0], c.setting)
			require.Empty(t, azure.asked, "nothing is sent")
		})
	}
}
