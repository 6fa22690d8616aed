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

func TestFilter_EscapesQuotes(t *testing.T) {
	t.Parallel()
	require.Equal(t, "friendlyName eq 'a'' or ''1'", equal("friendlyName", "a' or '1"))
}
