package flow_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/flow"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/operation"
)

// send makes a call of the portal, and lets the work that it starts end.
func (r *rig) send(sim *armsim.Simulator, method, id, version string, body any) {
	r.t.Helper()
	raw, err := json.Marshal(body)
	require.NoError(r.t, err)
	request, err := http.NewRequestWithContext(r.t.Context(), method, sim.Endpoint()+id+"?api-version="+version, bytes.NewReader(raw))
	require.NoError(r.t, err)
	request.Header.Set("Authorization", "Bearer "+sim.Token())
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	require.NoError(r.t, err)
	require.NoError(r.t, answer.Body.Close())
	require.Less(r.t, answer.StatusCode, http.StatusBadRequest)
	r.clock.Advance(operation.AzureWaits().MaxJob)
}

// sent returns the kinds of the writes that the simulator received after the
// first n requests.
func sent(sim *armsim.Simulator, n int) (writes []string) {
	for _, request := range sim.Requests()[n:] {
		if request.Method != http.MethodGet {
			writes = append(writes, request.Kind)
		}
	}
	return writes
}

func TestSuspended_InstanceIsResumedAsRecorded(t *testing.T) {
	t.Parallel()
	r, sim := simulated(t, armsim.DemoWorld())
	id := r.succeeds("protect-postgres", protectServer()).Learned["backupInstanceId"]
	r.send(sim, http.MethodPost, id+"/suspendBackups", "2024-04-01", nil)
	require.Equal(t, "BackupsSuspended", instanceState(sim, id))
	n := len(sim.Requests())

	r.failsWith("BackupsSuspended", "backup-now", object{"backupInstanceId": id})
	r.failsWith("BackupsSuspended", "protect-postgres", protectServer())
	require.Empty(t, sent(sim, n), "nothing is written over a suspended instance")

	r.succeeds("resume-protection", object{"backupInstanceId": id})
	require.Equal(t, []string{"POST resumeProtection"}, sent(sim, n))
	require.Equal(t, "ProtectionConfigured", instanceState(sim, id))
	r.succeeds("backup-now", object{"backupInstanceId": id})
}

func TestSuspended_ItemIsResumedByAPut(t *testing.T) {
	t.Parallel()
	r, sim := protectedShare(t, armsim.DemoWorld())
	items := sim.ProtectedItems()
	id := items[slices.IndexFunc(items, func(i armsim.ProtectedItem) bool { return i.FriendlyName == "testshare" })].ID
	r.send(sim, http.MethodPut, id, "2024-04-01", object{"properties": object{
		"protectedItemType": "AzureFileShareProtectedItem", "sourceResourceId": demoAccount, "policyId": "", "protectionState": "BackupsSuspended",
	}})
	require.Equal(t, "BackupsSuspended", state(sim))
	n := len(sim.Requests())

	r.failsWith("BackupsSuspended", "backup-now", object{"fileShare": namedShare()})
	r.failsWith("BackupsSuspended", "protect-file-share", demoShare(nil))
	require.Empty(t, sent(sim, n))

	r.succeeds("resume-protection", object{"fileShare": namedShare(), "policy": "schedule1"})
	require.Equal(t, []string{"PUT protectedItems"}, sent(sim, n))
	require.Equal(t, "Protected", state(sim))
}

func TestProtectPostgres_WritesAnInstanceInProtectionErrorAgain(t *testing.T) {
	t.Parallel()
	r, sim := simulated(t, armsim.DemoWorld())
	sim.AddOutcome(armsim.Outcome{Operation: "ConfigureProtection", ProtectionState: "ProtectionError", Code: "UserErrorMissingRequiredPermissions", Times: 2})

	op := r.succeeds("protect-postgres", protectServer())

	require.Equal(t, []string{"POST validateForBackup", "PUT backupInstances", "PUT backupInstances", "PUT backupInstances"}, sent(sim, 0))
	require.Equal(t, "ProtectionConfigured", instanceState(sim, op.Learned["backupInstanceId"]))
	require.GreaterOrEqual(t, op.UpdatedAt.Sub(op.CreatedAt), 2*operation.AzureWaits().Retry[operation.UserAction].InitialWait, "at the pace of missing permissions")
}

func TestProtectPostgres_RepairsItsInstanceThatIsInProtectionError(t *testing.T) {
	t.Parallel()
	r, sim := simulated(t, armsim.DemoWorld())
	tries := operation.AzureWaits().Retry[operation.UserAction].MaxSetbacks + 1
	sim.AddOutcome(armsim.Outcome{Operation: "ConfigureProtection", ProtectionState: "ProtectionError", Code: "UserErrorDBUserAuthFailed", Times: tries})
	require.Equal(t, "UserErrorDBUserAuthFailed", r.fails("protect-postgres", protectServer()).Code)
	require.Equal(t, "ProtectionError", instanceState(sim, demoBackupVault+"/backupInstances/"+flow.InstanceName(demoServer)))
	n := len(sim.Requests())

	r.succeeds("protect-postgres", protectServer())

	require.Equal(t, []string{"PUT backupInstances"}, sent(sim, n), "a validation would only report the instance")
}

func TestProtectFileShare_DiscoversAShareAgainThatTheVaultDoesNotKnow(t *testing.T) {
	t.Parallel()
	r, sim := simulated(t, armsim.DemoWorld())
	sim.AddOutcome(armsim.Outcome{Operation: "ConfigureBackup", OperationCode: "BMSUserErrorDataSourceObjectNotFound", OperationMessage: "Datasource not found"})

	r.succeeds("protect-file-share", demoShare(nil))

	writes := strings.Join(sent(sim, 0), ", ")
	require.Contains(t, writes, "POST inquire, PUT protectedItems, POST inquire, PUT protectedItems")
}

func TestDeleteProtection_SucceedsIfThereIsNothingToDelete(t *testing.T) {
	t.Parallel()
	absent := namedShare()
	absent["name"] = "nobody"
	for name, parameters := range map[string]object{
		"a share":     {"fileShare": absent},
		"an item":     {"itemId": demoVault + "/backupFabrics/Azure/protectionContainers/c/protectedItems/AzureFileShare;nobody"},
		"an instance": {"backupInstanceId": demoBackupVault + "/backupInstances/nobody"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, sim := simulated(t, armsim.DemoWorld())
			op := r.succeeds("delete-protection", parameters)
			require.Equal(t, "gone", op.Learned["deletion"])
			require.Contains(t, strings.Join(r.story(op.ID), "\n"), "nothing was deleted")
			require.Empty(t, sent(sim, 0))
		})
	}
	t.Run("in a vault that does not exist it fails", func(t *testing.T) {
		t.Parallel()
		r, _ := simulated(t, armsim.DemoWorld())
		other := strings.Replace(demoBackupVault, "TestBkpVault", "OtherBkpVault", 1)
		require.NotEqual(t, demoBackupVault, other)
		_ = r.fails("delete-protection", object{"backupInstanceId": other + "/backupInstances/nobody"})
	})
}

func TestSoftDeleted_InstanceIsNamedByEveryFlow(t *testing.T) {
	t.Parallel()
	r, _ := simulated(t, armsim.DemoWorld())
	id := r.succeeds("protect-postgres", protectServer()).Learned["backupInstanceId"]
	r.succeeds("delete-protection", object{"backupInstanceId": id})

	restore := object{"backupInstanceId": id, "recoveryPoint": object{"latest": true}, "asFiles": asFiles("x")}
	target := object{"backupInstanceId": id}
	for name, parameters := range map[string]object{
		"protect-postgres": protectServer(), "backup-now": target, "restore-postgres": restore, "stop-protection": target, "resume-protection": target,
	} {
		err := r.fails(name, parameters)
		require.Equal(t, "InstanceSoftDeleted", err.Code, name)
		require.Contains(t, err.Message, "purges its backups on 2026-03-15", name)
		require.Contains(t, err.RecommendedAction[0], "undelete", name)
	}
	again := r.succeeds("delete-protection", target)
	require.Equal(t, "soft-deleted", again.Learned["deletion"])
}
