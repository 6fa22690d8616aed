package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/flow"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/fault"
	"azbackupflow/internal/local/stack"
)

// TestKill_ItemRestoresStartOnce kills the deployed binary around each kind of
// request that only the flows of virtual machines, databases and restores make.
// Each restore starts exactly once, and each machine and database is protected.
func TestKill_ItemRestoresStartOnce(t *testing.T) {
	t.Parallel()
	world := armsim.DemoWorld()
	vault := world.Vaults[0]
	account := world.AddFileShares(1, killRounds, "schedule1")[0]
	machine := func(name string) armsim.VirtualMachine {
		return armsim.VirtualMachine{Subscription: vault.Subscription, ResourceGroup: "machines", Name: name, Location: vault.Location}
	}
	for round := range killRounds {
		server := machine(fmt.Sprintf("killedsql%d", round))
		server.Servers = []armsim.DatabaseServer{{Type: "SQLDataBase", Instance: "MSSQLSERVER", Databases: []string{"one", "two"}}}
		world.VirtualMachines = append(world.VirtualMachines, machine(fmt.Sprintf("killed%d", round)), server)
	}
	k := newKiller(0, point{"arm", "POST restore", fault.During}, point{"arm", "POST restore", fault.After})
	k.only = func(p point) bool {
		return slices.Contains([]string{
			"POST restore", "GET recoveryPoints", "PUT protectionContainers", "PUT protectedItems", "GET items", "GET virtualMachines", "GET backupProtectableItems",
		}, p.kind)
	}
	l := start(t, stack.Config{SpeedFactor: 200, World: &world, Fault: k.hook, Settings: map[string]string{
		"AZBACKUPFLOW_RESTORE_TARGETS": strings.Join(append(flow.ExampleGuardrails().RestoreTargets, account, machineID("vm1")), ","),
	}})
	keepHostsRunning(t, l)
	k.arm(l.KillHandler)

	latest := map[string]any{"latest": true}
	restores, rounds := 0, 0
	for ; k.again(rounds); rounds++ {
		ids := []string{}
		begin := func(name string, parameters map[string]any) {
			ids = append(ids, l.begin(map[string]any{"flow": name, "key": fmt.Sprintf("%s-%d-%d", name, rounds, len(ids)), "parameters": parameters}))
		}
		begin("protect-vm", map[string]any{"vaultId": demoVault, "virtualMachineId": machineID(fmt.Sprintf("killed%d", rounds)), "policy": "DefaultPolicy"})
		begin("protect-database", map[string]any{
			"vaultId": demoVault, "virtualMachineId": machineID(fmt.Sprintf("killedsql%d", rounds)), "workload": "SQL", "instance": "MSSQLSERVER",
			"databases": []string{"*"}, "policy": "HourlyLogBackup",
		})
		begin("restore-file-share", map[string]any{
			"fileShare":     map[string]any{"vaultId": demoVault, "storageAccountId": account, "name": fmt.Sprintf("share%04d", rounds)},
			"recoveryPoint": latest, "toOriginal": true, "onConflict": "Overwrite",
		})
		begin("restore-vm", map[string]any{"itemId": itemID(t, l, "vm1"), "recoveryPoint": latest, "stagingAccountId": account, "replaceDisks": true})
		begin("restore-database", map[string]any{"itemId": itemID(t, l, "orders"), "recoveryPoint": latest, "toDatabase": map[string]any{
			"virtualMachineId": machineID("sqlvm"), "instance": "MSSQLSERVER", "database": fmt.Sprintf("restored%d", rounds),
		}})
		restores += 3
		for _, id := range ids {
			l.survives(id)
		}
	}
	require.Empty(t, k.missing(), "moments at which the handler was never killed")
	require.Len(t, l.ARM.ItemRestores(), restores, "each restore was started once")
	protected := map[string]int{}
	for _, i := range l.ARM.ProtectedItems() {
		protected[i.FriendlyName]++
	}
	for round := range rounds {
		require.Equal(t, 1, protected[fmt.Sprintf("killed%d", round)])
	}
	require.Equal(t, rounds, protected["one"])
	require.Equal(t, rounds, protected["two"])
	kills, points := k.made()
	t.Logf("%d restores in %d rounds, %d kills at %d points", restores, rounds, kills, points)
}

func machineID(name string) string {
	return "/subscriptions/" + armsim.DemoSubscription + "/resourceGroups/machines/providers/Microsoft.Compute/virtualMachines/" + name
}
