package armsim_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
)

const stopBody = `{"properties":{"protectedItemType":"AzureFileShareProtectedItem","sourceResourceId":"` + accountID + `","protectionState":"ProtectionStopped"}}`

func (b *bench) itemState() any {
	b.t.Helper()
	return b.get(shareItem + "?" + version).at("properties/protectionState")
}

func TestItemProtection_StopsAndResumes(t *testing.T) {
	t.Parallel()
	b := start(t).protected()
	b.started(http.MethodPost, shareItem+"/backup", backupBody)
	b.clock.Advance(10 * time.Minute)
	stop := b.started(http.MethodPut, shareItem, stopBody, "x-ms-client-request-id", "s-1")
	b.clock.Advance(26 * time.Second)
	require.Equal(t, "Succeeded", b.get(stop.header.Get("Azure-AsyncOperation")).at("status"))
	require.Equal(t, "DisableBackup", b.job().at("properties/operation"))
	require.Equal(t, "Completed", b.job().at("properties/status"))
	require.Equal(t, "s-1", b.job().at("properties/activityId"))
	require.Equal(t, "ProtectionStopped", b.itemState())
	require.Nil(t, b.get(shareItem+"?"+version).at("properties/policyId"))
	require.Equal(t, http.StatusBadRequest, b.send(http.MethodPost, shareItem+"/backup?"+version, backupBody).status)

	b.started(http.MethodPut, shareItem, protectBody)
	b.clock.Advance(45 * time.Second)
	require.Equal(t, "Protected", b.itemState())
	require.Equal(t, policyID, b.get(shareItem+"?"+version).at("properties/policyId"))
	b.started(http.MethodPost, shareItem+"/backup", backupBody)
}

func TestItemProtection_InvalidStopIsRejected(t *testing.T) {
	t.Parallel()
	b := start(t).protected()
	for field, body := range map[string]string{
		"properties.protectionState":   instead(stopBody, "ProtectionStopped", "Protected"),
		"properties.policyId":          instead(stopBody, `"protectionState"`, `"policyId":"`+policyID+`","protectionState"`),
		"properties.sourceResourceId":  instead(stopBody, accountID, accountID+"x"),
		"properties.protectedItemType": instead(stopBody, "AzureFileShareProtectedItem", "x"),
	} {
		r := b.send(http.MethodPut, shareItem+"?"+version, body)
		require.Equal(t, http.StatusBadRequest, r.status, field)
		require.Equal(t, field, r.at("error/target"))
	}
	require.Equal(t, http.StatusNotFound, b.send(http.MethodPut, shareItem+"x?"+version, stopBody).status)
}

func TestStopItem_OfADatabaseNeedsNoSource(t *testing.T) {
	t.Parallel()
	b := start(t)
	body := `{"properties":{"protectedItemType":"AzureVmWorkloadSQLDatabase","policyId":"","protectionState":"ProtectionStopped"}}`
	b.started(http.MethodPut, databaseItem, body)
	b.clock.Advance(time.Minute)
	require.Equal(t, "ProtectionStopped", b.get(databaseItem+"?"+version).at("properties/protectionState"))
	other := instead(body, `"policyId"`, `"sourceResourceId":"/x","policyId"`)
	require.Equal(t, "properties.sourceResourceId", b.send(http.MethodPut, databaseItem+"?"+version, other).at("error/target"))
}

func TestItemDeletion_SoftDeletes(t *testing.T) {
	t.Parallel()
	b := demo(t, func(w *armsim.World) { w.Vaults[0].SoftDelete = "Enabled" }).protected()
	require.Equal(t, "Enabled", b.get(vaultID+"?"+version).at("properties/securitySettings/softDeleteSettings/softDeleteState"))
	b.started(http.MethodDelete, shareItem, "")
	b.clock.Advance(26 * time.Second)
	require.Equal(t, "DeleteBackupData", b.job().at("properties/operation"))
	require.Equal(t, "ProtectionStopped", b.itemState())
	require.Equal(t, true, b.get(shareItem+"?"+version).at("properties/isScheduledForDeferredDelete"))
	require.True(t, slices.ContainsFunc(b.sim.ProtectedItems(), func(i armsim.ProtectedItem) bool {
		return i.FriendlyName == "testshare" && i.Deleted
	}))
	require.Equal(t, http.StatusNoContent, b.send(http.MethodDelete, shareItem+"?"+version, "").status)
	require.Equal(t, "protectedItemName", b.send(http.MethodPut, shareItem+"?"+version, protectBody).at("error/target"))
	b.clock.Advance(14 * 24 * time.Hour)
	b.token = b.sim.Token()
	require.Equal(t, http.StatusNotFound, b.get(shareItem+"?"+version).status)
}

func TestRecoveryServicesVault_RejectsProtectedOperations(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change     func(*armsim.Vault)
		code, text string
		stops      bool
		proxies    int
	}{
		"locked":  {func(v *armsim.Vault) { v.Immutability = "Locked" }, "UserErrorOperationDeniedOnImmutableItem", "immutable", true, 0},
		"guarded": {func(v *armsim.Vault) { v.ResourceGuard = true }, "BMSUserErrorInvalidInput", "ResourceGuard Operation requestid", false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := demo(t, func(w *armsim.World) { c.change(&w.Vaults[0]) }).protected()
			vault := b.get(vaultID + "?" + version)
			require.Equal(t, name == "locked", vault.at("properties/securitySettings/immutabilitySettings/state") == "Locked")
			require.Equal(t, "SystemAssigned", vault.at("identity/type"))
			require.Len(t, b.list("backupResourceGuardProxies", "").list(), c.proxies)
			r := b.send(http.MethodDelete, shareItem+"?"+version, "")
			require.Equal(t, http.StatusBadRequest, r.status)
			require.Equal(t, c.code, r.at("error/code"))
			require.Contains(t, r.at("error/message"), c.text)
			stop := b.send(http.MethodPut, shareItem+"?"+version, stopBody)
			require.Equal(t, c.stops, stop.status == http.StatusAccepted, stop.text)
		})
	}
}

func TestJobCancel_AfterTheEndIsRejected(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.started(http.MethodPost, machineItem+"/backup", `{"properties":{"objectType":"IaasVMBackupRequest"}}`)
	b.clock.Advance(time.Minute)
	cancel := vaultID + "/backupJobs/" + b.sim.Jobs()[0].ID + "/cancel"
	b.sim.AddOutcome(armsim.Outcome{Operation: "Cancel", OperationCode: "UserErrorJobCannotBeCancelled", OperationMessage: "too late"})
	r := b.started(http.MethodPost, cancel, "")
	b.clock.Advance(20 * time.Second)
	require.Equal(t, "Failed", b.get(r.header.Get("Azure-AsyncOperation")).at("status"))
	b.clock.Advance(20 * time.Minute)
	require.Equal(t, "Completed", b.job().at("properties/status"), "the job continued")
	rejected := b.send(http.MethodPost, cancel+"?"+version, "")
	require.Equal(t, http.StatusBadRequest, rejected.status)
	require.Equal(t, "BMSUserErrorJobNotCancellable", rejected.at("error/code"))
}
