package recoveryservices

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm/armtest"
	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
)

func TestParseVaultID_IgnoresCasing(t *testing.T) {
	t.Parallel()
	for _, id := range []string{
		demoVault().String(),
		"/Subscriptions/00000000-0000-0000-0000-000000000000/resourcegroups/azurefiles/providers/microsoft.recoveryservices/Vaults/azurefilesvault",
	} {
		v, err := resourceid.ParseVaultID(id, resourceid.RecoveryServicesVault)
		require.NoError(t, err)
		require.Equal(t, demoVault(), v)
		require.True(t, v.Equal(demoVault()))
	}
}

func TestParseVaultID_RejectsOtherIDs(t *testing.T) {
	t.Parallel()
	const sub = "/subscriptions/00000000-0000-0000-0000-000000000000"
	const vaults = "/providers/Microsoft.RecoveryServices/vaults/"
	for id, says := range map[string]string{
		"":                "empty",
		"azurefilesvault": "not a resource ID",
		demoAccount:       "Microsoft.Storage/storageAccounts",
		demoItemID():      "protectedItems",
		"/subscriptions/mine/resourceGroups/g" + vaults + "vault":                       "not a GUID",
		sub + "/resourceGroups/g" + vaults + "1vault":                                   "not a valid name",
		sub + "/resourceGroups/g!" + vaults + "vault":                                   "not a valid name",
		sub + "/resourceGroups/../x" + vaults + "vault":                                 "invalid segment",
		sub + "/resourceGroups/g" + vaults + "vault?x=1":                                "control character",
		sub + "/resourceGroups//g" + vaults + "vault":                                   "invalid segment",
		sub + "/resourceGroups/g/providers/Microsoft.DataProtection/backupVaults/vault": "Microsoft.DataProtection/backupVaults",
		demoVault().String() + "/":                                                      "invalid segment",
		demoVault().String() + " ":                                                      "invalid segment",
	} {
		_, err := resourceid.ParseVaultID(id, resourceid.RecoveryServicesVault)
		require.ErrorContains(t, err, says, id)
	}
}

func TestParseItemID_ReturnsTheNames(t *testing.T) {
	t.Parallel()
	i, err := ParseItemID(demoVM)
	require.NoError(t, err)
	require.Equal(t, ItemID{
		Vault: demoVault(), Fabric: "Azure", Container: "IaasVMContainer;iaasvmcontainerv2;testrg;v1win2012r",
		Item: "VM;iaasvmcontainerv2;testrg;v1win2012r",
	}, i)
	require.True(t, resourceid.Equal(demoVM, i.String()))
	for _, id := range []string{"", "x", demoVault().String(), demoAccount, demoItemID() + "/recoveryPoints/1", strings.TrimSuffix(demoItemID(), "/"+demoItem)} {
		_, err := ParseItemID(id)
		require.Error(t, err, id)
	}
}

func TestEqual_IgnoresCasing(t *testing.T) {
	t.Parallel()
	require.True(t, resourceid.Equal("/Subscriptions/A/x", "/subscriptions/a/X/"))
	require.False(t, resourceid.Equal("/subscriptions/a/x", "/subscriptions/a/y"))
}

func TestClient_DoesNotSendNamesThatAddressAnotherResource(t *testing.T) {
	t.Parallel()
	server, sent := armtest.Serve(t, armtest.AnyAnswer)
	c := New(armtest.Client(t, server))
	ctx := t.Context()
	errs := []error{}
	for _, name := range []string{"", "a/b", "..", "."} {
		_, err := c.GetPolicy(ctx, demoVault(), name)
		errs = append(errs, err)
		_, err = c.GetContainer(ctx, demoVault(), name)
		errs = append(errs, err, start(c.Inquire(ctx, demoVault(), name)),
			start(c.RegisterStorageAccount(ctx, demoVault(), name, demoAccount)),
			start(c.ProtectFileShare(ctx, demoVault(), "c", name, demoAccount, "p")),
			start(c.TriggerBackup(ctx, name, BackupRequest{ObjectType: BackupIaasVM}, "a")))
	}
	_, err := c.GetProtectedItem(ctx, demoVault().String())
	errs = append(errs, err, start(c.CancelJob(ctx, demoVault(), "")))
	_, err = c.GetJob(ctx, resourceid.VaultID{}, demoJob)
	errs = append(errs, err)
	for _, err := range errs {
		var e *operation.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, azerr.CodeMalformedRequest, e.Code)
		require.Equal(t, operation.Fatal, e.Class)
	}
	require.Empty(t, sent())
}

func TestTriggerBackup_DoesNotSendInvalidRequests(t *testing.T) {
	t.Parallel()
	server, sent := armtest.Serve(t, armtest.AnyAnswer)
	yes := true
	for _, r := range []BackupRequest{
		{}, {ObjectType: "Other"}, {ObjectType: BackupIaasVM, BackupType: "Full"}, {ObjectType: BackupAzureFileShare, EnableCompression: &yes},
	} {
		require.Error(t, start(New(armtest.Client(t, server)).TriggerBackup(t.Context(), demoItemID(), r, "a")))
	}
	require.Empty(t, sent())
}

func TestEqual_EscapesQuotes(t *testing.T) {
	t.Parallel()
	require.Equal(t, "friendlyName eq 'a'' or ''1'", equal("friendlyName", "a' or '1"))
}
