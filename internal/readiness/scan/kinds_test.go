package scan_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/readiness/scan"
)

const (
	demoFiles = "/subscriptions/" + armsim.DemoSubscription + "/resourceGroups/azurefiles/providers/Microsoft.RecoveryServices/vaults/azurefilesvault"
	demoData  = "/subscriptions/" + armsim.DemoSubscription + "/resourceGroups/TestBkpVaultRG/providers/Microsoft.DataProtection/backupVaults/TestBkpVault"
)

// A rule for each type finds its resources, protected or not, each once.
func TestReport_KnowsEveryTypeThatRulesProtect(t *testing.T) {
	t.Parallel()
	r := newRig(t, armsim.DemoWorld(), `version: 1
rules:
  - {name: files, match: {type: fileShare}, protect: {vaultId: `+demoFiles+`, policy: schedule1}}
  - {name: machines, match: {type: virtualMachine}, protect: {vaultId: `+demoFiles+`, policy: DefaultPolicy}}
  - {name: hana, match: {type: hanaDatabase}, protect: {vaultId: `+demoFiles+`, policy: DailyHana}}
  - {name: blobs, match: {type: blobs}, protect: {vaultId: `+demoData+`, policy: any}}
  - {name: lakes, match: {type: dataLake}, exclude: true}
  - {name: servers, match: {type: postgresFlexibleServer}, protect: {vaultId: `+demoData+`, policy: pgflexpol1}}
`)
	report, _ := r.complete(scan.Request{})
	require.Empty(t, report.Scan.Problems)
	byName := map[string][]api.ReadinessItem{}
	for _, i := range report.Items {
		byName[i.Name] = append(byName[i.Name], i)
	}
	for name, want := range map[string]struct {
		kind, rule string
		state      api.ReadinessState
		protected  bool
	}{
		"testshare":        {"AzureFileShare", "files", api.ReadinessNotProtected, false},
		"vm1":              {"VM", "machines", api.ReadinessNotProven, true},
		"vm2":              {"VM", "machines", api.ReadinessNotProtected, false},
		"blobaccount1":     {"Microsoft.Storage/storageAccounts/blobServices", "blobs", api.ReadinessNotProtected, false},
		"pgflextestserver": {"Microsoft.DBforPostgreSQL/flexibleServers", "servers", api.ReadinessNotProtected, false},
		"orders":           {"SQLDataBase", "", api.ReadinessNotProven, true},
	} {
		require.Len(t, byName[name], 1, name)
		got := byName[name][0]
		require.Equal(t, want.kind, got.Type, name)
		require.Equal(t, want.rule, got.Rule, name)
		require.Equal(t, want.state, got.State, "%s: %v", name, got.Reasons)
		require.Equal(t, want.protected, got.ItemID != "", name)
		require.NotEmpty(t, got.Next, name)
	}
	// One HANA database is protected; the one of hanavm2 is only known to the vault.
	require.Len(t, byName["SYSTEMDB"], 2)
	for _, i := range byName["SYSTEMDB"] {
		require.Equal(t, "SAPHanaDatabase", i.Type)
		require.Equal(t, i.ItemID == "", i.State == api.ReadinessNotProtected, i.Reasons)
	}
	require.Contains(t, byName["vm2"][0].Next[0], "azbackupflow start protect-vm --set policy=DefaultPolicy --set vaultId="+demoFiles)
}
