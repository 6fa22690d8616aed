package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/cli"
)

const someRules = `version: 1
rules:
  - name: exclude-scratch
    exclude: true
    match: {resourceGroups: [rg-scratch-*]}
  - name: databases
    dryRun: true
    protect:
      vaultId: /subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/TestBkpVaultRG/providers/Microsoft.DataProtection/backupVaults/TestBkpVault
      policy: pgflexpol1
  - name: daily
    match:
      names: ["orders-*"]
      tags: {include: {backup: [daily, "yes"]}}
    protect:
      vaultId: /subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/azurefiles/providers/Microsoft.RecoveryServices/vaults/azurefilesvault
      policy: schedule1
      firstBackup: true
`

const (
	someGroup   = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-app/providers/"
	someAccount = someGroup + "Microsoft.Storage/storageAccounts/stapp01"
)

func TestProtectExplain_ShowsTheDecidingRule(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	file := declared(t, "protection.yaml", someRules)
	s.golden("protect-check", bare(file, s.succeeds("protect", "check", "-f", file)))
	s.golden("protect-explain", s.succeeds("protect", "explain", someAccount+"/fileServices/default/shares/orders-eu", "-f", file, "--location", "westeurope", "--tag", "Backup=yes"))
	s.golden("protect-explain-none", s.succeeds("protect", "explain", someAccount+"/fileServices/default/shares/orders-eu", "-f", file, "--tag", "backup=no"))
	s.golden("protect-explain-server-json", s.succeeds("-o", "json", "protect", "explain", someGroup+"Microsoft.DBforPostgreSQL/flexibleServers/pg01", "-f", file, "--location", "westus"))
}

// The decision about a machine names what Azure Policy compares differently, and
// the reason of each rule that does not match.
func TestProtectExplain_SaysWhatAzurePolicyMayMiss(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	file := declared(t, "protection.yaml", someRules+`  - name: machines
    match:
      type: virtualMachine
      tags: {include: {backup: ["gold-*"], stage: prod}}
    protect:
      vaults:
        westeurope: /subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/azurefiles/providers/Microsoft.RecoveryServices/vaults/azurefilesvault
      policy: DefaultPolicy
`)
	vm := someGroup + "Microsoft.Compute/virtualMachines/vm1"
	s.golden("protect-explain-machine", s.succeeds("protect", "explain", vm, "-f", file, "--location", "westeurope", "--tag", "backup=gold-1", "--tag", "stage=prod"))
	s.golden("protect-explain-machine-elsewhere", s.succeeds("protect", "explain", vm, "-f", file, "--location", "eastus", "--tag", "backup=gold-1", "--tag", "stage=prod"))
}

func TestProtectExplain_RejectsOtherResourceTypes(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	file := declared(t, "protection.yaml", someRules)
	got := s.run("protect", "explain", someGroup+"Microsoft.Sql/servers/sql1", "-f", file, "--location", "x")
	require.Equal(t, cli.ExitFailed, got.code)
	require.Contains(t, got.stderr, "cannot be protected by rules; give the resource ID of a storage account")
}

func TestProtectCheck_ShowsProblems(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	file := declared(t, "protection.yaml", `version: 1
rules:
  - {name: all, exclude: true}
  - {name: never, match: {names: [orders-*]}, exclude: true}
  - {name: both, exclude: true, protect: {vaultId: x, policy: p}}
  - {name: policy, protect: {vaultId: /subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/azurefilesvault, policy: "no policy"}}
`)
	got := s.run("protect", "check", "-f", file)
	require.Equal(t, cli.ExitUsage, got.code)
	s.golden("protect-bad", bare(file, got.stdout+got.stderr))
}
