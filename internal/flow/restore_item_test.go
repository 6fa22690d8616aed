package flow_test

import (
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/flow"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/operation"
)

const (
	demoGroupID    = "/subscriptions/" + armsim.DemoSubscription + "/resourceGroups/"
	demoMachines   = demoGroupID + "machines/providers/Microsoft.Compute/virtualMachines/"
	demoContainers = demoVault + "/backupFabrics/Azure/protectionContainers/"
	demoMachine    = demoContainers + "IaasVMContainer;iaasvmcontainerv2;machines;vm1/protectedItems/VM;iaasvmcontainerv2;machines;vm1"
	demoDatabase   = demoContainers + "VMAppContainer;Compute;machines;sqlvm/protectedItems/SQLDataBase;MSSQLSERVER;orders"
	demoHana       = demoContainers + "VMAppContainer;Compute;machines;hanavm/protectedItems/SAPHanaDatabase;HDB;SYSTEMDB"
	restoreGroup   = demoGroupID + "restored"
	restoreNetwork = restoreGroup + "/providers/Microsoft.Network/virtualNetworks/net1"
)

// itemTargets are the restore targets of the tests of protected items.
func itemTargets() []string {
	return []string{
		demoAccount, restoreGroup, demoMachines + "vm1", demoMachines + "sqlvm", demoMachines + "hanavm",
		recordedGroup + "Microsoft.Storage/storageAccounts/clitest000003", recordedGroup + "Microsoft.Storage/storageAccounts/clitest000004",
		recordedSQLMachine,
	}
}

func shareRestore(more object) object {
	p := object{"fileShare": namedShare(), "recoveryPoint": object{"latest": true}, "toOriginal": true, "onConflict": "Overwrite"}
	maps.Copy(p, more)
	return p
}

func vmRestore(more object) object {
	p := object{"itemId": demoMachine, "recoveryPoint": object{"latest": true}, "stagingAccountId": demoAccount}
	maps.Copy(p, more)
	return p
}

// backedUpShare returns a rig whose demo share has a recovery point.
func backedUpShare(t *testing.T, world armsim.World) (*rig, *armsim.Simulator) {
	t.Helper()
	r, sim := simulated(t, world)
	r.succeeds("protect-file-share", demoShare(object{"firstBackup": object{}}))
	return r, sim
}

func TestRestoreFileShare_ReportsTheNumbersOfFiles(t *testing.T) {
	t.Parallel()
	r, sim := backedUpShare(t, armsim.DemoWorld())
	op := r.succeeds("restore-file-share", shareRestore(object{"paths": []object{{"path": "a/b.txt"}, {"path": "c", "type": "Directory"}}}))
	require.Equal(t, "2", op.Learned["restoredFiles"])
	require.Equal(t, "0", op.Learned["failedFiles"])
	require.Equal(t, "testvault2/testshare/", op.Learned["restoreDestination"])
	made := sim.ItemRestores()
	require.Len(t, made, 1)
	require.Equal(t, op.Learned["recoveryPointId"], made[0].RecoveryPoint)
	require.Equal(t, op.Learned["jobId"], made[0].JobID)
	require.Equal(t, op.Learned["attempt"], made[0].ActivityID)
}

func TestRestoreFileShare_WritesToAnotherShare(t *testing.T) {
	t.Parallel()
	world := armsim.DemoWorld()
	world.StorageAccounts[0].Shares = append(world.StorageAccounts[0].Shares, armsim.Share{Name: "restored"})
	r, sim := backedUpShare(t, world)
	to := object{"storageAccountId": demoAccount, "fileShare": "restored"}
	op := r.succeeds("restore-file-share", shareRestore(object{"toOriginal": false, "toShare": to, "onConflict": "Skip", "paths": []object{{"path": "a", "targetFolder": "folder1"}}}))
	require.Equal(t, "testvault2/restored/folder1", op.Learned["restoreDestination"])
	require.Equal(t, "AlternateLocation", sim.ItemRestores()[0].RecoveryType)
}

func TestRestoreFileShare_WarnsAboutZeroRestoredFiles(t *testing.T) {
	t.Parallel()
	world := armsim.DemoWorld()
	world.StorageAccounts[0].Shares[0].Empty = true
	r, _ := backedUpShare(t, world)
	op := r.finish(r.begin("restore-file-share", shareRestore(nil)))
	require.Equal(t, operation.SucceededWithWarnings, op.Status, "%v", r.story(op.ID))
	require.Contains(t, op.Warnings[0], "restored 0 files")
}

func TestRestoreItem_ChoosesTheRecoveryPoint(t *testing.T) {
	t.Parallel()
	r, sim := backedUpShare(t, armsim.DemoWorld())
	between := r.clock.Now()
	r.clock.Advance(time.Hour)
	r.succeeds("backup-now", object{"fileShare": namedShare()})
	newest := r.succeeds("restore-file-share", shareRestore(nil)).Learned["recoveryPointId"]
	oldest := r.succeeds("restore-file-share", shareRestore(object{"recoveryPoint": object{"latestBefore": between}})).Learned["recoveryPointId"]
	require.NotEqual(t, newest, oldest)
	require.Equal(t, oldest, r.succeeds("restore-file-share", shareRestore(object{"recoveryPoint": object{"id": oldest}})).Learned["recoveryPointId"])
	require.Len(t, sim.ItemRestores(), 3)
	for name, point := range map[string]object{
		"too old": {"latestBefore": between.Add(-24 * time.Hour)}, "unknown": {"id": "123"},
	} {
		require.Equal(t, "NoRecoveryPoint", r.fails("restore-file-share", shareRestore(object{"recoveryPoint": point})).Code, name)
	}
	require.Len(t, sim.ItemRestores(), 3, "nothing was started")
}

// The job of a restore, not its operation, reports whether it worked.
func TestRestoreItem_EndsAsItsJob(t *testing.T) {
	t.Parallel()
	r, sim := backedUpShare(t, armsim.DemoWorld())
	sim.AddOutcome(armsim.Outcome{Operation: "Restore", JobStatus: "Failed", ErrorCode: 1073871825, ErrorText: "the restore failed", Recommendation: "look"})
	failure := r.fails("restore-file-share", shareRestore(nil))
	require.Contains(t, failure.Message, "the restore failed")
	require.Len(t, sim.ItemRestores(), 1)
}

// Every failure of the request for a restore ends with one restore.
func TestRestoreItem_StartsOnceDespiteLostAnswers(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]armsim.Effect{
		"the answer is lost": armsim.ResetAfter(), "the request is lost": armsim.ResetBefore(),
		"a gateway answers": armsim.AnswerError(502, "InvalidGatewayHost", "bad gateway", nil), "it is throttled": armsim.AnswerError(429, "TooManyRequests", "slowly", nil),
		"the status is gone at once": armsim.ExpiredStatus(),
	} {
		for flowName, parameters := range map[string]object{
			"restore-file-share": shareRestore(nil), "restore-vm": vmRestore(object{"asDisks": object{"resourceGroupId": restoreGroup}}),
		} {
			t.Run(name+", "+flowName, func(t *testing.T) {
				t.Parallel()
				r, sim := backedUpShare(t, armsim.DemoWorld())
				sim.Inject(armsim.Rule{Kind: "POST restore", Times: 1, Effect: effect})
				op := r.succeeds(flowName, parameters)
				require.Len(t, sim.ItemRestores(), 1, "%v", r.story(op.ID))
				require.Equal(t, sim.ItemRestores()[0].JobID, op.Learned["jobId"])
			})
		}
	}
}

func TestRestoreItem_CancelCancelsTheJob(t *testing.T) {
	t.Parallel()
	r, sim := simulated(t, armsim.DemoWorld())
	id := r.begin("restore-vm", vmRestore(object{"asDisks": object{"unmanaged": true}}))
	r.until(id, "await-restore-job")
	_, err := r.engine.Cancel(t.Context(), id, operation.Cause{})
	require.NoError(t, err)
	require.Equal(t, operation.Canceled, r.finish(id).Status, "%v", r.story(id))
	require.Equal(t, "Cancelled", sim.Jobs()[0].Status)
}

func TestRestoreItem_RejectsASoftDeletedItem(t *testing.T) {
	t.Parallel()
	world := armsim.DemoWorld()
	world.Vaults[0].SoftDelete = "Enabled"
	r, sim := backedUpShare(t, world)
	r.succeeds("delete-protection", object{"fileShare": namedShare()})
	require.Equal(t, "ItemSoftDeleted", r.fails("restore-file-share", shareRestore(nil)).Code)
	require.Empty(t, sim.ItemRestores())
}

func TestRestoreItem_RejectsAnItemOfAnotherType(t *testing.T) {
	t.Parallel()
	r, sim := simulated(t, armsim.DemoWorld())
	require.Equal(t, "ItemTypeDoesNotFit", r.fails("restore-vm", vmRestore(object{"itemId": demoDatabase, "replaceDisks": true})).Code)
	require.Equal(t, "ItemTypeDoesNotFit", r.fails("restore-file-share", object{"itemId": demoMachine, "recoveryPoint": object{"latest": true}, "toOriginal": true, "onConflict": "Skip"}).Code)
	require.Empty(t, sim.ItemRestores())
}

// An operator revokes a target while the operation waits.
func TestRestoreItem_ChecksItsTargetAgainAtTheStep(t *testing.T) {
	t.Parallel()
	learned := map[string]string{"itemId": demoMachine, "sourceResourceId": demoMachines + "vm1", "recoveryPointId": "1", "location": "westeurope"}
	for name, c := range map[string]struct {
		flow       string
		parameters object
		allowed    []string
	}{
		"share":           {"restore-file-share", shareRestore(nil), nil},
		"staging account": {"restore-vm", vmRestore(object{"replaceDisks": true}), []string{demoMachines + "vm1"}},
		"machine":         {"restore-vm", vmRestore(object{"replaceDisks": true}), []string{demoAccount}},
		"group":           {"restore-vm", vmRestore(object{"asDisks": object{"resourceGroupId": restoreGroup}}), []string{demoAccount}},
	} {
		r, _ := simulated(t, armsim.DemoWorld())
		azure := &stub{t: t, allows: flow.Guardrails{RestoreTargets: c.allowed}}
		op := r.operation(r.begin(c.flow, c.parameters))
		op.Learned = learned
		_, err := azure.run(c.flow, "restore", op)
		requireError(t, err, "NotAllowed", operation.Fatal)
		require.Empty(t, azure.asked, name)
	}
}

func TestRestoreVM_RestoresManagedDisksByDefault(t *testing.T) {
	t.Parallel()
	r, sim := simulated(t, armsim.DemoWorld())
	start := r.clock.Now()
	op := r.succeeds("restore-vm", vmRestore(object{"asDisks": object{"resourceGroupId": restoreGroup}}))
	require.Less(t, r.clock.Now().Sub(start), 5*time.Minute)
	require.Contains(t, op.Learned["templateUri"], "https://testvault2.blob.core.windows.net/")
	require.Contains(t, op.Learned["configUri"], "/config-vm1-")
	require.Equal(t, "restored", op.Learned["restoredResourceGroup"])
	require.Equal(t, "RestoreDisks", sim.ItemRestores()[0].RecoveryType)
}

func TestRestoreVM_CreatesAMachineAndReplacesDisks(t *testing.T) {
	t.Parallel()
	r, sim := simulated(t, armsim.DemoWorld())
	created := r.succeeds("restore-vm", vmRestore(object{"asMachine": object{
		"resourceGroupId": restoreGroup, "name": "vm1restored", "virtualNetworkId": restoreNetwork, "subnet": "default",
	}, "dataDisks": object{"none": true}}))
	require.Equal(t, restoreGroup+"/providers/Microsoft.Compute/virtualMachines/vm1restored", created.Learned["restoredResourceId"])
	replaced := r.succeeds("restore-vm", vmRestore(object{"replaceDisks": true, "dataDisks": object{"luns": []int{0, 1}}}))
	require.Equal(t, demoMachines+"vm1", replaced.Learned["restoredResourceId"])
	require.Equal(t, []string{"AlternateLocation", "OriginalLocation"}, []string{sim.ItemRestores()[0].RecoveryType, sim.ItemRestores()[1].RecoveryType})
	var bodies []string
	for _, request := range sim.Requests() {
		if request.Method == http.MethodPost && request.Kind == "POST restore" {
			bodies = append(bodies, request.Body)
		}
	}
	require.Contains(t, bodies[0], `"restoreDiskLunList":[]`)
	require.Contains(t, bodies[0], restoreNetwork+"/subnets/default")
	require.Contains(t, bodies[1], `"restoreDiskLunList":[0,1]`)
	require.NotContains(t, bodies[1], "targetResourceGroupId")
}
