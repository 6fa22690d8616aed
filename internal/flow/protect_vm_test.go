package flow_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
)

func protectMachine(more object) object {
	p := object{"vaultId": demoVault, "virtualMachineId": demoMachines + "vm2", "policy": "DefaultPolicy"}
	maps.Copy(p, more)
	return p
}

// bodyOf returns the body of the last request of a kind.
func bodyOf(t *testing.T, sim *armsim.Simulator, kind string) (body struct{ Properties object }) {
	t.Helper()
	for _, request := range slices.Backward(sim.Requests()) {
		if request.Kind == kind {
			require.NoError(t, json.Unmarshal([]byte(request.Body), &body))
			return body
		}
	}
	t.Fatalf("no request %s", kind)
	return body
}

func TestProtectVM_DiscoversProtectsAndBacksUp(t *testing.T) {
	t.Parallel()
	r, sim := simulated(t, armsim.DemoWorld())
	op := r.succeeds("protect-vm", protectMachine(object{"firstBackup": object{}}))
	require.Contains(t, r.path(op.ID), "refresh")
	require.Equal(t, demoMachines+"vm2", op.Learned["sourceResourceId"])
	require.Len(t, sim.Backups(), 1)
	item := itemOf(t, sim, "vm2")
	require.Equal(t, "DefaultPolicy", item.Policy)
	again := r.succeeds("protect-vm", protectMachine(nil))
	require.NotContains(t, r.path(again.ID), "enable-protection", "it is protected already")
}

// The vault lists the machine: it does not discover again.
func TestProtectVM_DiscoversOnlyWhatIsNotListed(t *testing.T) {
	t.Parallel()
	r, sim := simulated(t, armsim.DemoWorld())
	r.send(sim, http.MethodPost, demoVault+"/backupFabrics/Azure/refreshContainers", "2025-02-01", nil)
	r.clock.Advance(time.Minute)
	op := r.succeeds("protect-vm", protectMachine(nil))
	require.NotContains(t, r.path(op.ID), "refresh")
}

// The name in the list of protectable machines lacks the prefix vm; of the item.
func TestProtectVM_TakesTheNamesFromTheListsIDs(t *testing.T) {
	t.Parallel()
	r, sim := simulated(t, armsim.DemoWorld())
	op := r.succeeds("protect-vm", protectMachine(nil))
	require.Equal(t, "vm;iaasvmcontainerv2;machines;vm2", op.Learned["itemName"])
	for _, request := range requests(sim, "PUT protectedItems") {
		require.True(t, strings.HasSuffix(request.Path, "/protectedItems/vm;iaasvmcontainerv2;machines;vm2"), request.Path)
	}
}

func TestProtectVM_ExcludesDisks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		given object
		luns  []any
		only  bool
	}{
		"exclude": {object{"excludeDisks": object{"luns": []int{1, 2}}}, []any{1.0, 2.0}, false},
		"include": {object{"includeDisks": object{"luns": []int{0}}}, []any{0.0}, true},
		"os disk": {object{"includeDisks": object{"none": true}}, []any{}, true},
	} {
		r, sim := simulated(t, armsim.DemoWorld())
		r.succeeds("protect-vm", protectMachine(c.given))
		extended := objectOf(t, bodyOf(t, sim, "PUT protectedItems").Properties["extendedProperties"])
		require.Equal(t, object{"diskLunList": c.luns, "isInclusionList": c.only}, extended["diskExclusionProperties"], name)
	}
}

func TestProtectVM_RejectsBeforeAnythingIsChanged(t *testing.T) {
	t.Parallel()
	for code, change := range map[string]func(*armsim.World, object){
		"PolicyNotFound":         func(_ *armsim.World, p object) { p["policy"] = "nosuch" },
		"PolicyDoesNotFit":       func(_ *armsim.World, p object) { p["policy"] = "schedule1" },
		"VirtualMachineNotFound": func(_ *armsim.World, p object) { p["virtualMachineId"] = demoMachines + "nosuch" },
		"RegionDoesNotFit":       func(w *armsim.World, _ object) { w.VirtualMachines[1].Location = "westus" },
		"EnhancedPolicyNeeded":   func(w *armsim.World, _ object) { w.VirtualMachines[1].SecurityType = "TrustedLaunch" },
		"ProtectedByAnotherPolicy": func(w *armsim.World, p object) {
			w.Vaults[0].Policies = append(w.Vaults[0].Policies, armsim.Policy{Name: "other", BackupManagementType: "AzureIaasVM", WorkLoadType: "VM"})
			p["virtualMachineId"], p["policy"] = demoMachines+"vm1", "other"
		},
	} {
		world, p := armsim.DemoWorld(), protectMachine(nil)
		change(&world, p)
		r, sim := simulated(t, world)
		r.failsWith(code, "protect-vm", p)
		require.Empty(t, sent(sim, 0), code)
	}
}

// A machine that another vault protects is in no list of protectable machines.
func TestProtectVM_NamesTheVaultThatProtectsTheMachine(t *testing.T) {
	t.Parallel()
	const elsewhere = demoGroupID + "other/providers/Microsoft.RecoveryServices/vaults/othervault"
	world := armsim.DemoWorld()
	world.VirtualMachines[1].ProtectedElsewhere = elsewhere
	r, _ := simulated(t, world)
	failure := r.fails("protect-vm", protectMachine(nil))
	require.Equal(t, "ProtectedByAnotherVault", failure.Code)
	require.Contains(t, failure.Message, elsewhere)
}

func TestProtectVM_EnhancedPolicyProtectsTrustedLaunch(t *testing.T) {
	t.Parallel()
	world := armsim.DemoWorld()
	world.VirtualMachines[1].SecurityType = "TrustedLaunch"
	world.Vaults[0].Policies[1].Enhanced = true
	r, _ := simulated(t, world)
	r.succeeds("protect-vm", protectMachine(nil))
}

func protectDatabases(more object) object {
	p := object{
		"vaultId": demoVault, "virtualMachineId": demoMachines + "sqlvm2", "workload": "SQL", "instance": "MSSQLSERVER",
		"databases": []string{"sales*"}, "policy": "HourlyLogBackup",
	}
	maps.Copy(p, more)
	return p
}

// protectedNames returns the names of the protected items of a machine.
func protectedNames(sim *armsim.Simulator, machine string) (names []string) {
	for _, i := range sim.ProtectedItems() {
		if strings.HasSuffix(strings.ToLower(i.Container), ";"+machine) {
			names = append(names, i.FriendlyName)
		}
	}
	slices.Sort(names)
	return names
}

func TestProtectDatabase_RegistersAndProtectsByPattern(t *testing.T) {
	t.Parallel()
	r, sim := simulated(t, armsim.DemoWorld())
	op := r.succeeds("protect-database", protectDatabases(nil))
	require.Contains(t, r.path(op.ID), "register")
	require.NotContains(t, r.path(op.ID), "inquire", "the registration has inquired")
	require.Equal(t, []string{"sales", "salesarchive"}, protectedNames(sim, "sqlvm2"))
	require.JSONEq(t, `["sales","salesarchive"]`, op.Learned["protectedDatabases"])
	require.NotContains(t, bodyOf(t, sim, "PUT protectedItems").Properties, "sourceResourceId", "the path names the machine")

	more := r.succeeds("protect-database", protectDatabases(object{"databases": []string{"SALES", "st*k"}}))
	require.NotContains(t, r.path(more.ID), "register")
	require.Equal(t, []string{"sales", "salesarchive", "stock"}, protectedNames(sim, "sqlvm2"))
	require.Len(t, requests(sim, "PUT protectedItems"), 3, "each once")
}

func TestProtectDatabase_ProtectsHana(t *testing.T) {
	t.Parallel()
	r, sim := simulated(t, armsim.DemoWorld())
	r.succeeds("protect-database", protectDatabases(object{
		"virtualMachineId": demoMachines + "hanavm2", "workload": "SAPHana", "instance": "HDB", "databases": []string{"*"}, "policy": "DailyHana",
	}))
	require.Equal(t, []string{"SYSTEMDB"}, protectedNames(sim, "hanavm2"))
}

func TestProtectDatabase_ProtectsAnInstanceAutomatically(t *testing.T) {
	t.Parallel()
	r, sim := simulated(t, armsim.DemoWorld())
	auto := protectDatabases(object{"autoProtect": true})
	delete(auto, "databases")
	r.succeeds("protect-database", auto)
	r.succeeds("protect-database", auto)
	require.Len(t, requests(sim, "PUT backupProtectionIntent"), 1)
	other := maps.Clone(auto)
	other["policy"] = "otherpolicy"
	require.Equal(t, "PolicyNotFound", r.fails("protect-database", other).Code)
}

// A database that was created after the registration is found by an inquiry.
func TestProtectDatabase_InquiresOnceForAnUnknownDatabase(t *testing.T) {
	t.Parallel()
	r, sim := simulated(t, armsim.DemoWorld())
	r.failsWith("DatabaseNotFound", "protect-database", protectDatabases(object{"databases": []string{"sales", "nosuch"}}))
	require.Len(t, requests(sim, "POST inquire"), 1)
	require.Equal(t, []string{"sales"}, protectedNames(sim, "sqlvm2"), "the other one stays protected")
	r.failsWith("InstanceNotFound", "protect-database", func() object {
		p := protectDatabases(object{"autoProtect": true, "instance": "NOSUCH"})
		delete(p, "databases")
		return p
	}())
}

func TestProtectDatabase_ReportsADatabaseUnderAnotherPolicy(t *testing.T) {
	t.Parallel()
	world := armsim.DemoWorld()
	world.Vaults[0].Policies = append(world.Vaults[0].Policies, armsim.Policy{Name: "other", BackupManagementType: "AzureWorkload", WorkLoadType: "SQLDataBase"})
	r, sim := simulated(t, world)
	r.succeeds("protect-database", protectDatabases(nil))
	n := len(sim.Requests())
	r.failsWith("ProtectedByAnotherPolicy", "protect-database", protectDatabases(object{"policy": "other"}))
	require.Empty(t, sent(sim, n))
}

func TestUnregisterContainer_EndsTheRegistration(t *testing.T) {
	t.Parallel()
	r, sim := simulated(t, armsim.DemoWorld())
	hana := object{"vaultId": demoVault, "virtualMachineId": demoMachines + "hanavm2"}
	r.succeeds("unregister-container", hana)
	require.Len(t, requests(sim, "DELETE protectionContainers"), 1)
	again := r.succeeds("unregister-container", hana)
	require.Equal(t, []string{"find-registration"}, r.path(again.ID))

	r.succeeds("protect-file-share", demoShare(nil))
	account := object{"vaultId": demoVault, "storageAccountId": demoAccount}
	failure := r.fails("unregister-container", account)
	require.Equal(t, "ContainerHasItems", failure.Code)
	require.Contains(t, failure.Message, "testshare")
	r.succeeds("delete-protection", object{"fileShare": namedShare()})
	r.succeeds("unregister-container", account)
	require.Len(t, requests(sim, "DELETE protectionContainers"), 2)
}

// A soft-deleted item stays in the vault's lists, so its container cannot be
// unregistered.
func TestUnregisterContainer_NamesSoftDeletedItems(t *testing.T) {
	t.Parallel()
	world := armsim.DemoWorld()
	world.Vaults[0].SoftDelete = "Enabled"
	r, sim := simulated(t, world)
	r.succeeds("protect-file-share", demoShare(nil))
	r.succeeds("delete-protection", object{"fileShare": namedShare()})
	failure := r.fails("unregister-container", object{"vaultId": demoVault, "storageAccountId": demoAccount})
	require.Equal(t, "ContainerHasItems", failure.Code)
	require.Contains(t, failure.Message, "testshare (soft-deleted; Azure purges its backups on 2026-03-15)")
	require.Empty(t, requests(sim, "DELETE protectionContainers"))
}

// The life of items of every type: stop, resume, suspend, change of the policy,
// delete, undelete.
func TestLife_OfMachinesAndDatabases(t *testing.T) {
	t.Parallel()
	for friendlyName, item := range map[string]string{"vm1": demoMachine, "orders": demoDatabase, "SYSTEMDB": demoHana} {
		t.Run(friendlyName, func(t *testing.T) {
			t.Parallel()
			world := armsim.DemoWorld()
			world.Vaults[0].SoftDelete = "Enabled"
			world.VirtualMachines = slices.DeleteFunc(world.VirtualMachines, func(m armsim.VirtualMachine) bool { return m.Name == "hanavm2" })
			r, sim := simulated(t, world)
			target := object{"itemId": item}
			state := func() string { return itemOf(t, sim, friendlyName).ProtectionState }
			backup := maps.Clone(target)
			if friendlyName != "vm1" {
				backup["backupType"] = "Full"
			}
			r.succeeds("backup-now", backup)
			r.clock.Advance(5 * time.Minute)
			r.succeeds("stop-protection", target)
			require.Equal(t, "ProtectionStopped", state())
			r.succeeds("resume-protection", target)
			require.Equal(t, "Protected", state())
			r.succeeds("suspend-protection", target)
			require.Equal(t, "BackupsSuspended", state())
			r.succeeds("resume-protection", target)
			require.Equal(t, "Protected", state())
			require.Equal(t, "soft-deleted", r.succeeds("delete-protection", target).Learned["deletion"])
			require.True(t, itemOf(t, sim, friendlyName).Deleted)
			require.Equal(t, "ItemSoftDeleted", r.fails("backup-now", backup).Code)
			undeleted := r.succeeds("undelete", target)
			require.False(t, itemOf(t, sim, friendlyName).Deleted, "%v", r.story(undeleted.ID))
			require.Equal(t, "ProtectionStopped", state())
			r.succeeds("resume-protection", object{"itemId": item, "policy": map[string]string{"vm1": "DefaultPolicy", "orders": "HourlyLogBackup", "SYSTEMDB": "DailyHana"}[friendlyName]})
			r.succeeds("backup-now", backup)
		})
	}
}
