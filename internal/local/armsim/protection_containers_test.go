package armsim_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
)

const allShares = "backupManagementType eq 'AzureStorage' and workloadType eq 'AzureFileShare'"

func TestDiscovery_FindsAccountsOfTheVaultsSubscriptionAndLocation(t *testing.T) {
	t.Parallel()
	w := armsim.DemoWorld()
	near := w.StorageAccounts[0]
	near.ResourceGroup, near.Name = "Elsewhere", "near"
	far, foreign := near, near
	far.Name, far.Location = "far", "eastus"
	foreign.Name, foreign.Subscription = "foreign", "33333333-3333-3333-3333-333333333333"
	w.StorageAccounts = append(w.StorageAccounts, near, far, foreign)
	b := start(t, func(c *armsim.Config) { c.World = &w }).refreshed()
	found := b.list("backupFabrics/Azure/protectableContainers", "backupManagementType eq 'AzureStorage'")
	require.Len(t, found.list(), 2)
	require.Equal(t, "StorageContainer;Storage;Elsewhere;near", found.at("value/1/name"))
	require.Equal(t, http.StatusOK, b.get(foreign.ID()+"?api-version=2023-05-01").status)
}

func TestRegistration_TurnsAnAccountIntoAContainer(t *testing.T) {
	t.Parallel()
	b := start(t).registered()
	require.Empty(t, b.list("backupFabrics/Azure/protectableContainers", "backupManagementType eq 'AzureStorage'").list())
	listed := b.list("backupProtectionContainers", "backupManagementType eq 'AzureStorage' and friendlyName eq 'testvault2' and status eq 'Registered'")
	require.Equal(t, container, listed.at("value/0/id"))
	require.InDelta(t, 0, listed.at("value/0/properties/protectedItemCount"), 0)
	require.Empty(t, b.list("backupProtectionContainers", "backupManagementType eq 'AzureStorage' and status eq 'Unknown'").list())
	require.Len(t, b.list("backupProtectionContainers", "backupManagementType eq 'AzureIaasVM'").list(), 1)
}

func TestRegistration_RejectsUndiscoveredAccounts(t *testing.T) {
	t.Parallel()
	b := start(t)
	r := b.send(http.MethodPut, container+"?"+version, registerBody)
	require.Equal(t, http.StatusBadRequest, r.status)
	require.Contains(t, r.at("error/message"), "refresh")
}

func TestRegistration_RejectsAccountsOfAnotherVault(t *testing.T) {
	t.Parallel()
	w := armsim.DemoWorld()
	second := w.Vaults[0]
	second.Name = "second"
	w.Vaults = append(w.Vaults, second)
	b := start(t, func(c *armsim.Config) { c.World = &w }).registered()
	b.started(http.MethodPost, second.ID()+"/backupFabrics/Azure/refreshContainers", "")
	b.clock.Advance(12 * time.Second)
	r := b.send(http.MethodPut, strings.Replace(container, vaultID, second.ID(), 1)+"?"+version, registerBody)
	require.Equal(t, http.StatusBadRequest, r.status)
	require.Contains(t, r.at("error/message"), "azurefilesvault")
}

func TestRegistration_OfASecondVaultAtTheSameTimeFails(t *testing.T) {
	t.Parallel()
	w := armsim.DemoWorld()
	second := w.Vaults[0]
	second.Name = "second"
	w.Vaults = append(w.Vaults, second)
	b := start(t, func(c *armsim.Config) { c.World = &w }).refreshed()
	b.started(http.MethodPost, second.ID()+"/backupFabrics/Azure/refreshContainers", "")
	b.clock.Advance(12 * time.Second)
	b.started(http.MethodPut, container, registerBody)
	late := b.started(http.MethodPut, strings.Replace(container, vaultID, second.ID(), 1), registerBody)
	b.clock.Advance(37 * time.Second)
	status := b.get(late.header.Get("Azure-AsyncOperation"))
	require.Equal(t, "Failed", status.at("status"))
	require.NotEmpty(t, status.at("error/code"))
	require.Equal(t, http.StatusBadRequest, b.get(late.header.Get("Location")).status)
}

func TestInquire_RevealsNewShares(t *testing.T) {
	t.Parallel()
	b := start(t).inquired()
	require.NoError(t, b.sim.CreateShare(accountID, armsim.Share{Name: "newshare"}))
	require.Error(t, b.sim.CreateShare(accountID, armsim.Share{Name: "NEWSHARE"}))
	require.Len(t, b.list("backupProtectableItems", allShares).list(), 1)
	b.started(http.MethodPost, container+"/inquire", "")
	b.clock.Advance(20 * time.Second)
	items := b.list("backupProtectableItems", allShares)
	require.Len(t, items.list(), 2)
	require.Regexp(t, `^azurefileshare;[0-9a-f]{64}$`, items.at("value/1/name"))
	require.Equal(t, "newshare", items.at("value/1/properties/friendlyName"))
	require.Equal(t, accountID, items.at("value/1/properties/parentContainerFabricId"))
	require.Equal(t, "NotProtected", items.at("value/1/properties/protectionState"))
}

func TestProtection_OfAnUnlistedShareFailsLater(t *testing.T) {
	t.Parallel()
	b := start(t).registered()
	r := b.started(http.MethodPut, shareItem, protectBody)
	b.clock.Advance(45 * time.Second)
	status := b.get(r.header.Get("Azure-AsyncOperation"))
	require.Equal(t, "Failed", status.at("status"))
	require.Equal(t, "BMSUserErrorDataSourceObjectNotFound", status.at("error/code"))
	require.Empty(t, b.sim.Jobs())
	require.Equal(t, http.StatusNotFound, b.get(shareItem+"?"+version).status)
}

func TestProtection_ItemMatchesTheRecording(t *testing.T) {
	t.Parallel()
	b := start(t).protected()
	i := b.get(shareItem + "?" + version)
	require.Equal(t, "AzureFileShare;testshare", i.at("name"))
	p, _ := i.at("properties").(map[string]any)
	require.Equal(t, map[string]any{
		"friendlyName": "testshare", "protectionStatus": "Healthy", "protectionState": "IRPending", "lastBackupStatus": "IRPending",
		"protectedItemType": "AzureFileShareProtectedItem", "backupManagementType": "AzureStorage", "workloadType": "AzureFileShare",
		"containerName":    "StorageContainer;storage;azurefiles;testvault2",
		"sourceResourceId": strings.Replace(accountID, "Microsoft.Storage", "Microsoft.storage", 1),
		"policyId":         policyID, "vaultId": b.sim.Endpoint() + vaultID,
		"isArchiveEnabled": false, "softDeleteRetentionPeriod": 0.0,
	}, p)
	require.Len(t, b.list("backupProtectedItems", "backupManagementType eq 'AzureStorage' and itemType eq 'AzureFileShare'").list(), 1)
	require.Len(t, b.list("backupProtectedItems", "").list(), 4, "the machine and the databases too")
	require.InDelta(t, 1, b.get(policyID+"?"+version).at("properties/protectedItemsCount"), 0)
	all := b.sim.ProtectedItems()
	require.Equal(t, "schedule1", all[len(all)-1].Policy)
	require.Equal(t, i.at("id"), all[len(all)-1].ID)
}

func TestProtection_RepeatedChangesThePolicy(t *testing.T) {
	t.Parallel()
	w := armsim.DemoWorld()
	w.Vaults[0].Policies = append(w.Vaults[0].Policies, armsim.Policy{
		Name: "other", BackupManagementType: "AzureStorage", WorkLoadType: "AzureFileShare",
	})
	b := start(t, func(c *armsim.Config) { c.World = &w }).protected()
	b.started(http.MethodPut, shareItem, strings.Replace(protectBody, "schedule1", "other", 1))
	require.Equal(t, policyID, b.get(shareItem+"?"+version).at("properties/policyId"), "not before its end")
	b.clock.Advance(45 * time.Second)
	require.Equal(t, vaultID+"/backupPolicies/other", b.get(shareItem+"?"+version).at("properties/policyId"))
	require.Len(t, b.sim.ProtectedItems(), 4)
}

func TestProtection_DeletedMakesTheShareProtectableAgain(t *testing.T) {
	t.Parallel()
	b := start(t).protected()
	require.Empty(t, b.list("backupProtectableItems", allShares).list())
	require.Equal(t, http.StatusBadRequest, b.send(http.MethodDelete, container+"?"+version, "").status, "it has an item")
	b.started(http.MethodDelete, shareItem, "")
	b.clock.Advance(26 * time.Second)
	require.Equal(t, http.StatusNotFound, b.get(shareItem+"?"+version).status)
	require.Equal(t, http.StatusNoContent, b.send(http.MethodDelete, shareItem+"?"+version, "").status)
	require.Len(t, b.list("backupProtectableItems", allShares).list(), 1)
	jobs := b.list("backupJobs", "operation eq 'DeleteBackupData'")
	require.Equal(t, "Completed", jobs.at("value/0/properties/status"))
	b.started(http.MethodDelete, container, "")
	b.clock.Advance(24 * time.Second)
	require.Equal(t, http.StatusNoContent, b.send(http.MethodDelete, container+"?"+version, "").status)
	require.Len(t, b.list("backupFabrics/Azure/protectableContainers", "backupManagementType eq 'AzureStorage'").list(), 1)
}

func TestWorld_AddFileSharesProtectsFromTheStart(t *testing.T) {
	t.Parallel()
	w := armsim.DemoWorld()
	ids := w.AddFileShares(3, 4, "schedule1")
	b := start(t, func(c *armsim.Config) { c.World = &w })
	require.Len(t, ids, 3)
	require.Len(t, b.list("backupProtectedItems", "backupManagementType eq 'AzureStorage'").list(), 12)
	require.Len(t, b.sim.ProtectedItems(), 15)
	for _, i := range b.sim.ProtectedItems() {
		require.Equal(t, "Protected", i.ProtectionState)
	}
}

func TestWorld_InconsistentIsRejected(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*armsim.World){
		"vault twice":                func(w *armsim.World) { w.Vaults = append(w.Vaults, w.Vaults[0]) },
		"account twice":              func(w *armsim.World) { w.StorageAccounts = append(w.StorageAccounts, w.StorageAccounts[0]) },
		"unknown vault":              func(w *armsim.World) { w.StorageAccounts[0].RegisteredWith = "/nowhere" },
		"unknown policy":             func(w *armsim.World) { w.VirtualMachines[0].Policy = "nothing" },
		"policy of another workload": func(w *armsim.World) { w.Databases[0].Policy = "schedule1" },
		"unknown database type":      func(w *armsim.World) { w.Databases[0].Type = "Oracle" },
		"share's policy": func(w *armsim.World) {
			w.StorageAccounts[0].RegisteredWith = w.Vaults[0].ID()
			w.StorageAccounts[0].Shares[0].Policy = "nothing"
		},
	} {
		w := armsim.DemoWorld()
		spoil(&w)
		_, err := armsim.New(armsim.Config{World: &w})
		require.Error(t, err, name)
	}
}
