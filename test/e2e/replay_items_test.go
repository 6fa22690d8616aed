package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/armsim/replay"
	"azbackupflow/internal/local/stack"
)

const recordedGroup = "/subscriptions/" + armsim.DemoSubscription + "/resourceGroups/clitest.rg000001/providers/"

// replayed starts the deployed program against a recording of the Azure CLI. The
// test is skipped if the recording is not available. Restores may write to the
// targets.
func replayed(t *testing.T, c replay.Config, targets ...string) (*local, *replay.Server) {
	t.Helper()
	shared := os.Getenv("AZBACKUPFLOW_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "shared")
	}
	c.File, c.Shorten = filepath.Join(shared, "recordings", c.File), true
	if _, err := os.Stat(c.File); err != nil {
		t.Skip("the recording is missing; set AZBACKUPFLOW_SHARED: " + err.Error())
	}
	// Tokens come from the managed identity of the stack here too.
	var identity atomic.Pointer[armsim.Simulator]
	c.CheckToken = func(token string) bool { s := identity.Load(); return s != nil && s.ValidToken(token) }
	azure, err := replay.New(c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, azure.Close()) })
	l := startInTurn(t, stack.Config{SpeedFactor: 120, ARMEndpoint: azure.Endpoint(), Settings: map[string]string{
		"AZBACKUPFLOW_RESTORE_TARGETS": strings.Join(targets, ","), "AZBACKUPFLOW_ALLOW_DELETE": "true",
	}})
	identity.Store(l.ARM)
	return l, azure
}

// requireReplayed checks that the writes were the recorded ones, in order, and
// returns their kinds.
func requireReplayed(t *testing.T, azure *replay.Server) (made []string) {
	t.Helper()
	require.Empty(t, azure.Mismatches())
	require.True(t, azure.Done(), "every recorded operation and job was followed to its end")
	for _, w := range azure.Writes() {
		require.True(t, w.Matched)
		require.Equal(t, w.RecordedMethod, w.Method)
		require.True(t, strings.EqualFold(w.RecordedPath, w.Path), "%s, recorded was %s", w.Path, w.RecordedPath)
		made = append(made, w.Method+" "+kindOf(w.Path))
	}
	return made
}

// TestReplay_RestoresFileSharesAsRecorded runs the deployed program against the
// five restores of a file share of 11 March 2020.
func TestReplay_RestoresFileSharesAsRecorded(t *testing.T) {
	t.Parallel()
	const account = recordedGroup + "Microsoft.Storage/storageAccounts/clitest000003"
	l, azure := replayed(t, replay.Config{File: "azure-cli_afs_restore_2020.yaml", From: 67, To: 124}, account)
	other := map[string]any{"storageAccountId": account, "fileShare": "clitest-item000011"}
	path := func(name, folder string) map[string]any {
		p := map[string]any{"path": name}
		if folder != "" {
			p["targetFolder"] = folder
		}
		return p
	}
	for n, more := range []map[string]any{
		{"toOriginal": true},
		{"toShare": other},
		{"toShare": other, "paths": []any{path("clitest-file000005", "folder1")}},
		{"toOriginal": true, "paths": []any{path("clitest-file000005", "")}},
		{"toShare": other, "paths": []any{path("clitest-file000005", "folder1"), path("clitest-file000006", "folder1")}},
	} {
		more["itemId"] = recordedGroup + "Microsoft.RecoveryServices/vaults/clitest-vault000002/backupFabrics/Azure/protectionContainers/StorageContainer;storage;clitest.rg000001;clitest000003/protectedItems/AzureFileShare;clitest-item000007"
		more["recoveryPoint"], more["onConflict"] = map[string]any{"latest": true}, "Overwrite"
		v := l.await(l.begin(map[string]any{"flow": "restore-file-share", "key": string(rune('a' + n)), "parameters": more}))
		require.True(t, strings.HasPrefix(string(v.Status), "Succeeded"), "%d: %+v", n, v.Error)
	}
	require.Equal(t, []string{"POST restore", "POST restore", "POST restore", "POST restore", "POST restore"}, requireReplayed(t, azure))
}

// TestReplay_RunsTheLifeOfAMachineAsRecorded runs the deployed program against the
// life of a virtual machine of 13 May 2024.
func TestReplay_RunsTheLifeOfAMachineAsRecorded(t *testing.T) {
	t.Parallel()
	const (
		vault   = recordedGroup + "Microsoft.RecoveryServices/vaults/clitest-vault000002"
		staging = recordedGroup + "Microsoft.Storage/storageAccounts/clitest000004"
		item    = vault + "/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;clitest.rg000001;clitest-vm000003/protectedItems/VM;iaasvmcontainerv2;clitest.rg000001;clitest-vm000003"
	)
	l, azure := replayed(t, replay.Config{File: "azure-cli_vm_scenario.yaml", From: 28, To: 256, IgnoreFields: []string{"properties.recoveryPointExpiryTimeInUTC"}}, staging)
	target := func(more map[string]any) map[string]any {
		p := map[string]any{"itemId": item}
		for name, value := range more {
			p[name] = value
		}
		return p
	}
	for _, one := range []struct {
		flow       string
		parameters map[string]any
	}{
		{"protect-vm", map[string]any{"vaultId": vault, "virtualMachineId": recordedGroup + "Microsoft.Compute/virtualMachines/clitest-vm000003", "policy": "DefaultPolicy"}},
		{"backup-now", target(nil)},
		{"restore-vm", target(map[string]any{"recoveryPoint": map[string]any{"latest": true}, "stagingAccountId": staging, "asDisks": map[string]any{"unmanaged": true}})},
		{"stop-protection", target(nil)},
		{"resume-protection", target(nil)},
		{"delete-protection", target(nil)},
	} {
		l.succeeds(l.begin(map[string]any{"flow": one.flow, "key": "recorded", "parameters": one.parameters}))
	}
	require.Equal(t, []string{"POST refreshContainers", "PUT protectedItems", "POST backup", "POST restore", "PUT protectedItems", "PUT protectedItems", "DELETE protectedItems"}, requireReplayed(t, azure))
}

// TestReplay_RestoresDatabasesAsRecorded runs the deployed program against the
// restores of a SQL database of 10 October 2019. The recorded client sent no
// targetVirtualMachineId yet; the names of the files contain the time.
func TestReplay_RestoresDatabasesAsRecorded(t *testing.T) {
	t.Parallel()
	const (
		group   = "/subscriptions/" + armsim.DemoSubscription + "/resourceGroups/sarath-rg/providers/"
		machine = group + "Microsoft.Compute/virtualMachines/sarathvm"
		item    = group + "Microsoft.RecoveryServices/vaults/sarath-vault/backupFabrics/Azure/protectionContainers/VMAppContainer;compute;sarath-rg;sarathvm/protectedItems/SQLDataBase;mssqlserver;msdb"
	)
	l, azure := replayed(t, replay.Config{
		File: "azure-cli_sql_restore_2019.yaml", From: 2, To: 68, IgnoreFields: []string{"properties.targetVirtualMachineId", "properties.alternateDirectoryPaths"},
	}, machine)
	point := map[string]any{"latest": true}
	l.succeeds(l.begin(map[string]any{"flow": "restore-database", "key": "other", "parameters": map[string]any{"itemId": item, "recoveryPoint": point, "toDatabase": map[string]any{
		"virtualMachineId": machine, "instance": "MSSQLSERVER", "database": "msdb_restored_10_10_2019_1752", "overwrite": true,
	}}}))
	l.succeeds(l.begin(map[string]any{"flow": "restore-database", "key": "original", "parameters": map[string]any{"itemId": item, "recoveryPoint": point, "toOriginal": true}}))
	require.Len(t, azure.Writes(), 2)
	require.Empty(t, azure.Mismatches())
	require.Contains(t, azure.Writes()[0].Body, `\\MSSQL\\DATA\\MSDBData_`)
}

// TestReplay_BringsASoftDeletedMachineBackAsRecorded runs the deployed program
// against the soft deletion of a virtual machine of 16 December 2019, and its undo.
// Interaction 109 switches soft delete off, which no flow does: the second program
// begins after it, and deletes permanently.
func TestReplay_BringsASoftDeletedMachineBackAsRecorded(t *testing.T) {
	t.Parallel()
	const (
		file  = "azure-cli_vm_softdelete_2019.yaml"
		vault = recordedGroup + "Microsoft.RecoveryServices/vaults/clitest-vault000002"
		item  = vault + "/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;clitest.rg000001;clitest-vm000003/protectedItems/VM;iaasvmcontainerv2;clitest.rg000001;clitest-vm000003"
	)
	request := func(flow string, parameters map[string]any) map[string]any {
		return map[string]any{"flow": flow, "key": "recorded", "parameters": parameters}
	}
	target := map[string]any{"itemId": item}
	l, azure := replayed(t, replay.Config{File: file, From: 21, To: 107})
	l.succeeds(l.begin(request("protect-vm", map[string]any{
		"vaultId": vault, "virtualMachineId": recordedGroup + "Microsoft.Compute/virtualMachines/clitest-vm000003", "policy": "DefaultPolicy",
	})))
	deleted := l.succeeds(l.begin(request("delete-protection", target)))
	require.Contains(t, say(l.history(deleted.ID)), "soft-deleted", "the item is still listed, as ProtectionStopped")
	l.succeeds(l.begin(request("undelete", target)))
	require.Equal(t, []string{"POST refreshContainers", "PUT protectedItems", "DELETE protectedItems", "PUT protectedItems"}, requireReplayed(t, azure))

	l, azure = replayed(t, replay.Config{File: file, From: 114, To: 174})
	l.succeeds(l.begin(request("delete-protection", target)))
	require.Equal(t, []string{"DELETE protectedItems"}, requireReplayed(t, azure))
}

// TestReplay_RunsTheLifeOfAFileShareAsRecorded runs the deployed program against the
// whole life of a file share of 11 June 2024, from its discovery to the end of its
// account's registration.
func TestReplay_RunsTheLifeOfAFileShareAsRecorded(t *testing.T) {
	t.Parallel()
	const (
		vault   = recordedGroup + "Microsoft.RecoveryServices/vaults/clitest-vault000002"
		account = recordedGroup + "Microsoft.Storage/storageAccounts/clitest000003"
	)
	l, azure := replayed(t, replay.Config{File: "azure-cli_afs_backup_scenario.yaml", From: 13, To: 83, IgnoreFields: []string{"properties.recoveryPointExpiryTimeInUTC"}}, account)
	share := map[string]any{"vaultId": vault, "storageAccountId": account, "name": "clitest-item000004"}
	expiry := time.Now().Add(30 * 24 * time.Hour).UTC().Truncate(time.Second).Format(time.RFC3339)
	run := func(flow string, parameters map[string]any) api.Operation {
		return l.await(l.begin(map[string]any{"flow": flow, "key": "recorded", "parameters": parameters}))
	}
	protected := run("protect-file-share", map[string]any{
		"vaultId": vault, "storageAccountId": account, "fileShare": "clitest-item000004", "policy": "clitest-item000005",
		"firstBackup": map[string]any{"recoveryPointExpiryTimeInUTC": expiry},
	})
	require.Equal(t, api.Succeeded, protected.Status, "%+v", protected.Error)
	restored := run("restore-file-share", map[string]any{"fileShare": share, "recoveryPoint": map[string]any{"latest": true}, "toOriginal": true, "onConflict": "Overwrite"})
	require.Equal(t, api.SucceededWithWarnings, restored.Status, "the share was empty: %+v", restored.Error)
	require.Equal(t, api.Succeeded, run("delete-protection", map[string]any{"fileShare": share}).Status)
	require.Equal(t, api.Succeeded, run("unregister-container", map[string]any{"vaultId": vault, "storageAccountId": account}).Status)
	require.Equal(t, []string{
		"POST refreshContainers", "PUT protectionContainers", "POST inquire", "PUT protectedItems", "POST backup", "POST restore",
		"DELETE protectedItems", "DELETE protectionContainers",
	}, requireReplayed(t, azure))
}
