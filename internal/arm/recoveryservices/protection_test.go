package recoveryservices

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm/armtest"
	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/resourceguard"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
)

// demoShare returns the file share as the API returns it.
func demoShare() ProtectedItem {
	return ProtectedItem{ID: demoItemID(), Name: demoItem, Type: ItemAzureFileShare, SourceResourceID: demoAccount}
}

func TestStopProtection_KeepsTheItemType(t *testing.T) {
	t.Parallel()
	server, sent := armtest.Serve(t, armtest.AnyAnswer)
	c := New(armtest.Client(t, server))
	kinds := []string{
		ItemAzureFileShare, ItemVirtualMachine, ItemClassicVirtualMachine, ItemSQLDatabase, ItemSAPHanaDatabase, ItemSAPHanaDBInstance, ItemSAPAseDatabase,
	}
	for _, kind := range kinds {
		i := ProtectedItem{ID: demoVM, Type: kind, SourceResourceID: "/s"}
		require.NoError(t, start(c.StopProtection(t.Context(), i)))
		require.NoError(t, start(c.ResumeProtection(t.Context(), i, "/p")))
		bodies := sent()[len(sent())-2:]
		require.JSONEq(t, `{"properties":{"protectedItemType":"`+kind+`","sourceResourceId":"/s","policyId":"","protectionState":"ProtectionStopped"}}`, string(bodies[0].Body))
		require.JSONEq(t, `{"properties":{"protectedItemType":"`+kind+`","sourceResourceId":"/s","policyId":"/p"}}`, string(bodies[1].Body))
	}
}

func TestStopProtection_DoesNotSendInvalidItems(t *testing.T) {
	t.Parallel()
	server, sent := armtest.Serve(t, armtest.AnyAnswer)
	c := New(armtest.Client(t, server))
	for _, change := range []func(*ProtectedItem){
		func(i *ProtectedItem) { i.ID = demoVault().String() },
		func(i *ProtectedItem) { i.Type = "MabFileFolderProtectedItem" },
		func(i *ProtectedItem) { i.SourceResourceID = "" },
	} {
		i := demoShare()
		change(&i)
		for _, err := range []error{start(c.StopProtection(t.Context(), i)), start(c.ResumeProtection(t.Context(), i, "p"))} {
			var e *operation.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, azerr.CodeMalformedRequest, e.Code)
		}
	}
	require.Error(t, start(c.ResumeProtection(t.Context(), demoShare(), "")))
	require.Error(t, start(c.DeleteProtectedItem(t.Context(), demoVault().String())))
	require.Empty(t, sent())
}

func TestDeleteProtectedItem_MissingItemIsDone(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 204} {
		server, _ := armtest.Serve(t, armtest.Answers(status))
		s, err := New(armtest.Client(t, server)).DeleteProtectedItem(t.Context(), demoItemID())
		require.NoError(t, err)
		require.True(t, s.Done)
	}
}

func TestGetVault_ReadsTheSettings(t *testing.T) {
	t.Parallel()
	v, err := reader(t, `{"id":"i","name":"v","location":"westus","identity":{"type":"SystemAssigned","principalId":"p"},"properties":{"provisioningState":"Succeeded",
		"securitySettings":{"immutabilitySettings":{"state":"Unlocked"},"softDeleteSettings":{"softDeleteRetentionPeriodInDays":14,"softDeleteState":"AlwaysON"},
		"multiUserAuthorization":"Enabled"}}}`).GetVault(t.Context(), demoVault())
	require.NoError(t, err)
	require.Equal(t, Vault{
		ID: "i", Name: "v", Location: "westus", IdentityType: "SystemAssigned", PrincipalID: "p", Immutability: ImmutabilityUnlocked,
		SoftDelete: "AlwaysON", SoftDeleteRetentionDays: "14", MultiUserAuthorization: "Enabled", ProvisioningState: "Succeeded",
	}, v)
	require.True(t, v.Immutable())
	require.True(t, v.SoftDeletes())
	require.True(t, v.ProtectedByResourceGuard())
	for _, v := range []Vault{{}, {Immutability: ImmutabilityDisabled, SoftDelete: "Disabled", MultiUserAuthorization: "Disabled"}} {
		require.False(t, v.Immutable())
		require.False(t, v.SoftDeletes())
		require.False(t, v.ProtectedByResourceGuard())
	}
}

func TestListResourceGuardProxies_ReadsTheOperations(t *testing.T) {
	t.Parallel()
	found, err := reader(t, `{"value":[{"id":"i","name":"VaultProxy","properties":{"resourceGuardResourceId":"/g","resourceGuardOperationDetails":
		[{"vaultCriticalOperation":"Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/delete"}]}}]}`).
		ListResourceGuardProxies(t.Context(), demoVault())
	require.NoError(t, err)
	require.Equal(t, []resourceguard.Proxy{{
		ID: "i", Name: "VaultProxy", ResourceGuardID: "/g",
		CriticalOperations: []string{"Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/delete"},
	}}, found)
}

func TestRecording_Vault(t *testing.T) {
	t.Parallel()
	var vaults, guards int
	for _, x := range armtest.Recording(t, "azure-cli_afs_backup_scenario.yaml") {
		path, query, _ := strings.Cut(x.Request.URI, "?")
		if x.Request.Method != "GET" || x.Response.Status.Code != 200 {
			continue
		}
		if strings.HasSuffix(path, "/backupResourceGuardProxies") {
			all, err := reader(t, x.Response.Body.String).ListResourceGuardProxies(t.Context(), demoVault())
			require.NoError(t, err)
			require.Empty(t, all)
			guards++
		}
		if _, err := resourceid.ParseVaultID(strings.TrimPrefix(path, armtest.PublicARM), resourceid.RecoveryServicesVault); err != nil {
			continue
		}
		require.Equal(t, "api-version="+VaultAPIVersion, query)
		v, err := reader(t, x.Response.Body.String).GetVault(t.Context(), demoVault())
		require.NoError(t, err)
		require.Equal(t, Vault{
			ID: v.ID, Name: "clitest-vault000002", Location: "eastus2euap", SoftDelete: "Enabled", SoftDeleteRetentionDays: "14",
			MultiUserAuthorization: "Disabled", ProvisioningState: "Succeeded",
		}, v)
		require.False(t, v.Immutable())
		require.True(t, v.SoftDeletes())
		vaults++
	}
	require.Positive(t, vaults)
	require.Positive(t, guards)
}
