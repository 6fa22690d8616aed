package flow_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim/replay"
)

// replayed returns a rig over the interactions of a recording, and skips the test
// if the recording is not available. The clock starts at a time of the recording.
func replayed(t *testing.T, name string, from, to int, now time.Time, ignored ...string) (*rig, *replay.Server) {
	t.Helper()
	file := filepath.Join(filepath.Dir(recording(t)), name)
	if _, err := os.Stat(file); err != nil {
		t.Skip("the recording is missing: " + err.Error())
	}
	var server *replay.Server
	r := newRig(t, now, func(*rig) (string, func() string) {
		var err error
		server, err = replay.New(replay.Config{File: file, From: from, To: to, Shorten: true, IgnoreFields: ignored})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, server.Close()) })
		return server.Endpoint(), func() string { return "token" }
	})
	return r, server
}

// requireReplayed checks that every write was the recorded one, in order, and
// that everything was followed to its end. It returns the writes.
func requireReplayed(t *testing.T, server *replay.Server) (made []string) {
	t.Helper()
	require.Empty(t, server.Mismatches())
	for _, w := range server.Writes() {
		require.True(t, w.Matched)
		require.Equal(t, w.RecordedMethod, w.Method)
		require.True(t, strings.EqualFold(w.RecordedPath, w.Path), "%s is not the recorded %s", w.Path, w.RecordedPath)
		parts := strings.Split(w.Path, "/")
		made = append(made, w.Method+" "+parts[len(parts)-2]+"/"+strings.Split(parts[len(parts)-1], ";")[0])
	}
	require.True(t, server.Done(), "every recorded operation and job was followed to its end")
	return made
}

const (
	recordedAccount = recordedGroup + "Microsoft.Storage/storageAccounts/clitest000003"
	recordedShare   = recordedVault + "/backupFabrics/Azure/protectionContainers/StorageContainer;storage;clitest.rg000001;clitest000003/protectedItems/AzureFileShare;clitest-item000007"
)

// The five restores that the Azure CLI made on 11 March 2020.
func TestReplay_FileShareRestoresSendTheRecordedRequests(t *testing.T) {
	t.Parallel()
	r, server := replayed(t, "azure-cli_afs_restore_2020.yaml", 67, 124, time.Date(2020, 3, 11, 6, 40, 40, 0, time.UTC))
	other := object{"storageAccountId": recordedAccount, "fileShare": "clitest-item000011"}
	file := func(name string, more object) object {
		p := object{"path": name}
		for k, v := range more {
			p[k] = v
		}
		return p
	}
	folder := object{"targetFolder": "folder1"}
	for job, more := range []object{
		{"toOriginal": true},
		{"toShare": other},
		{"toShare": other, "paths": []object{file("clitest-file000005", folder)}},
		{"toOriginal": true, "paths": []object{file("clitest-file000005", nil)}},
		{"toShare": other, "paths": []object{file("clitest-file000005", folder), file("clitest-file000006", folder)}},
	} {
		parameters := object{"itemId": recordedShare, "recoveryPoint": object{"latest": true}, "onConflict": "Overwrite"}
		for k, v := range more {
			parameters[k] = v
		}
		op := r.finish(r.begin("restore-file-share", parameters))
		require.True(t, strings.HasPrefix(string(op.Status), "Succeeded"), "%d: %v", job, r.story(op.ID))
		require.Equal(t, "11002772696541", op.Learned["recoveryPointId"])
		require.NotEmpty(t, op.Learned["restoredFiles"])
	}
	require.Equal(t, []string{"POST 11002772696541/restore", "POST 11002772696541/restore", "POST 11002772696541/restore", "POST 11002772696541/restore", "POST 11002772696541/restore"},
		requireReplayed(t, server))
}

// The whole life of a virtual machine of 13 May 2024, from its backup on.
func TestReplay_VirtualMachineSendsTheRecordedRequests(t *testing.T) {
	t.Parallel()
	const item = recordedVault + "/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;clitest.rg000001;clitest-vm000003/protectedItems/VM;iaasvmcontainerv2;clitest.rg000001;clitest-vm000003"
	r, server := replayed(t, "azure-cli_vm_scenario.yaml", 28, 256, time.Date(2024, 5, 13, 10, 27, 20, 0, time.UTC))
	target := object{"itemId": item}

	protected := r.succeeds("protect-vm", object{
		"vaultId": recordedVault, "virtualMachineId": recordedGroup + "Microsoft.Compute/virtualMachines/clitest-vm000003", "policy": "DefaultPolicy",
	})
	require.Contains(t, r.path(protected.ID), "refresh", "the machine is not listed at first")

	backedUp := r.succeeds("backup-now", object{"itemId": item, "recoveryPointExpiryTimeInUTC": "2024-06-12T00:00:00Z"})
	require.Equal(t, "6ad81d28-340a-4c21-9dfa-a6bf1fd43367", backedUp.Learned["jobId"])

	restored := r.succeeds("restore-vm", object{
		"itemId": item, "recoveryPoint": object{"latest": true}, "stagingAccountId": recordedGroup + "Microsoft.Storage/storageAccounts/clitest000004",
		"asDisks": object{"unmanaged": true},
	})
	require.Equal(t, "377325209393485", restored.Learned["recoveryPointId"])
	require.Equal(t, "476ddc0c-c951-481b-89d6-f230460f329c", restored.Learned["jobId"])
	require.Contains(t, restored.Learned["templateUri"], "azuredeploy476ddc0c")
	require.Contains(t, restored.Learned["configUri"], "config-clitestvmzosbo")
	require.Contains(t, r.notes(restored.ID), "waiting: Restore job 476ddc0c-c951-481b-89d6-f230460f329c of clitest-vm000003 (InProgress, 1 %)", "Azure names the progress")

	r.succeeds("stop-protection", target)
	r.succeeds("resume-protection", target)
	deleted := r.succeeds("delete-protection", target)
	require.Equal(t, "gone", deleted.Learned["deletion"])
	require.Equal(t, []string{
		"POST Azure/refreshContainers", "PUT protectedItems/vm", "POST VM;iaasvmcontainerv2;clitest.rg000001;clitest-vm000003/backup",
		"POST 377325209393485/restore", "PUT protectedItems/VM", "PUT protectedItems/VM", "DELETE protectedItems/VM",
	}, requireReplayed(t, server))
}

// recordedSQLMachine is the machine of the recorded SQL database.
const recordedSQLMachine = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/sarath-rg/providers/Microsoft.Compute/virtualMachines/sarathvm"

// The restores of a SQL database of 10 October 2019. The recorded client sent no
// targetVirtualMachineId yet.
func TestReplay_DatabaseRestoresSendTheRecordedRequests(t *testing.T) {
	t.Parallel()
	const item = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/sarath-rg/providers/Microsoft.RecoveryServices/vaults/sarath-vault/backupFabrics/Azure/protectionContainers/VMAppContainer;compute;sarath-rg;sarathvm/protectedItems/SQLDataBase;mssqlserver;msdb"
	// The names of the files contain the time of the request.
	r, server := replayed(t, "azure-cli_sql_restore_2019.yaml", 2, 39, time.Unix(1570710179, 0), "properties.targetVirtualMachineId")
	other := r.succeeds("restore-database", object{"itemId": item, "recoveryPoint": object{"latest": true}, "toDatabase": object{
		"virtualMachineId": recordedSQLMachine, "instance": "MSSQLSERVER", "database": "msdb_restored_10_10_2019_1752", "overwrite": true,
	}})
	require.Equal(t, "41252921875258", other.Learned["recoveryPointId"], "not DefaultRangeRecoveryPoint")
	require.Equal(t, "4e9330a4-79e7-42c6-a26c-c2c00433fda6", other.Learned["jobId"])
	require.Equal(t, "sarathvm/MSSQLSERVER/msdb_restored_10_10_2019_1752", other.Learned["restoreDestination"])
	original := r.succeeds("restore-database", object{"itemId": item, "recoveryPoint": object{"id": "41252921875258"}, "toOriginal": true})
	require.Equal(t, "a47ca1e9-b340-4fbe-90c3-ea683c79bc2c", original.Learned["jobId"])
	require.Equal(t, []string{"POST 41252921875258/restore", "POST 41252921875258/restore"}, requireReplayed(t, server))
}

// The soft deletion of a virtual machine of 16 December 2019, and its undo.
// Interaction 109 switches soft delete off, which no flow does: the first replay
// ends before it, and the second begins after it.
func TestReplay_SoftDeletedMachineIsBroughtBackAsRecorded(t *testing.T) {
	t.Parallel()
	const file = "azure-cli_vm_softdelete_2019.yaml"
	const item = recordedVault + "/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;clitest.rg000001;clitest-vm000003/protectedItems/VM;iaasvmcontainerv2;clitest.rg000001;clitest-vm000003"
	target := object{"itemId": item}
	r, server := replayed(t, file, 21, 107, time.Date(2019, 12, 16, 13, 10, 0, 0, time.UTC))
	r.succeeds("protect-vm", object{
		"vaultId": recordedVault, "virtualMachineId": recordedGroup + "Microsoft.Compute/virtualMachines/clitest-vm000003", "policy": "DefaultPolicy",
	})
	deleted := r.succeeds("delete-protection", target)
	require.Equal(t, "soft-deleted", deleted.Learned["deletion"], "the item is still listed, as ProtectionStopped")
	undeleted := r.succeeds("undelete", target)
	require.Contains(t, r.path(undeleted.ID), "await-undelete-job")
	require.Equal(t, []string{"POST Azure/refreshContainers", "PUT protectedItems/vm", "DELETE protectedItems/VM", "PUT protectedItems/VM"}, requireReplayed(t, server))

	r, server = replayed(t, file, 114, 174, time.Date(2019, 12, 16, 13, 17, 0, 0, time.UTC))
	require.Equal(t, "gone", r.succeeds("delete-protection", target).Learned["deletion"])
	require.Equal(t, []string{"DELETE protectedItems/VM"}, requireReplayed(t, server))
}

// The whole life of a file share of 11 June 2024.
func TestReplay_FileShareLifeSendsTheRecordedRequests(t *testing.T) {
	t.Parallel()
	r, server := replayed(t, "azure-cli_afs_backup_scenario.yaml", firstInteraction, 83, time.Date(2024, 6, 11, 10, 32, 0, 0, time.UTC))
	r.succeeds("protect-file-share", recordedParameters())
	share := object{"vaultId": recordedVault, "storageAccountId": recordedAccount, "name": "clitest-item000004"}
	restored := r.finish(r.begin("restore-file-share", object{"fileShare": share, "recoveryPoint": object{"latest": true}, "toOriginal": true, "onConflict": "Overwrite"}))
	require.Equal(t, "SucceededWithWarnings", string(restored.Status), "%v", r.story(restored.ID))
	require.Equal(t, "0", restored.Learned["restoredFiles"], "the share was empty")
	require.Equal(t, "gone", r.succeeds("delete-protection", object{"fileShare": share}).Learned["deletion"])
	r.succeeds("unregister-container", object{"vaultId": recordedVault, "storageAccountId": recordedAccount})
	made := requireReplayed(t, server)
	require.Len(t, made, 8)
	require.Regexp(t, `^POST \d+/restore$`, made[5])
	require.Equal(t, []string{"DELETE protectedItems/AzureFileShare", "DELETE protectionContainers/StorageContainer"}, made[6:])
}
