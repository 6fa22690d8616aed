package dataprotection

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm/armtest"
	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
)

func TestParseInstanceID_IgnoresCasing(t *testing.T) {
	t.Parallel()
	const id = "/Subscriptions/00000000-0000-0000-0000-000000000000/resourcegroups/testBkpVaultRG/providers/microsoft.dataprotection/BackupVaults/testBkpVault"
	v, err := resourceid.ParseVaultID(id, resourceid.BackupVault)
	require.NoError(t, err)
	require.Equal(t, demoVault(), v)
	i, err := ParseInstanceID(id + "/BackupInstances/" + strings.ToUpper(demoInstance().Name))
	require.NoError(t, err)
	require.True(t, i.Equal(demoInstance()))
	require.True(t, i.Vault.Equal(demoVault()))
	require.False(t, i.Equal(InstanceID{Vault: demoVault(), Name: "other"}))
}

func TestParseInstanceID_RejectsOtherIDs(t *testing.T) {
	t.Parallel()
	for id, says := range map[string]string{
		"":             "empty",
		"testBkpVault": "not a resource ID",
		demoVault().String() + "/backupInstances": "add the name",
		demoServer:              "flexibleServers",
		demoVault().String():    "Microsoft.DataProtection/backupVaults; want a backup instance",
		demoInstance().String(): "want a Backup vault",
		demoVault().String() + "/backupJobs/" + demoJob:                                                            "backupJobs",
		demoSubscription + "/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/vault":                   "Microsoft.RecoveryServices/vaults",
		demoSubscription + "/resourceGroups/g/providers/Microsoft.DataProtection/backupVaults/1vault":              "not a valid name",
		demoSubscription + "/resourceGroups/g/providers/Microsoft.DataProtection/backupVaults/vault?x=1":           "control character",
		"/subscriptions/mine/resourceGroups/g/providers/Microsoft.DataProtection/backupVaults/vault":               "not a GUID",
		"/subscriptions/mine/resourceGroups/g/providers/Microsoft.DataProtection/backupVaults/v/backupInstances/i": "not a GUID",
	} {
		_, vault := resourceid.ParseVaultID(id, resourceid.BackupVault)
		_, instance := ParseInstanceID(id)
		require.True(t, vault != nil || instance != nil, id)
		text := ""
		for _, err := range []error{vault, instance} {
			if err != nil {
				text += err.Error() + "\n"
			}
		}
		require.Contains(t, text, says, id)
	}
}

func TestDatasourceOf_SetIsTheServerOfADatabase(t *testing.T) {
	t.Parallel()
	ds, set := datasource(t, demoServer)
	require.Nil(t, set)
	require.Equal(t, Datasource{
		ResourceID: demoServer, ResourceName: "pgflextestserver", ResourceType: kinds.DatasourceFlexibleServer, ResourceURI: demoServer,
		ResourceLocation: "westus", DatasourceType: kinds.DatasourceFlexibleServer,
	}, ds)
	ds, set = datasource(t, strings.ToLower(demoDatabase))
	require.Equal(t, kinds.DatasourceDatabase, ds.DatasourceType, "spelled as in policies")
	require.Equal(t, "empdb11", ds.ResourceName)
	require.Equal(t, &Datasource{
		ResourceID: strings.TrimSuffix(strings.ToLower(demoDatabase), "/databases/empdb11"), ResourceName: "testpostgresql",
		ResourceType: "Microsoft.DBforPostgreSQL/servers", ResourceLocation: "westus", DatasourceType: kinds.DatasourceDatabase,
	}, set)
	ds, set = datasource(t, demoSubscription+"/resourceGroups/g/providers/Microsoft.Compute/disks/d")
	require.Nil(t, set)
	require.Equal(t, "Microsoft.Compute/disks", ds.DatasourceType)
}

func TestDatasourceOf_RejectsOtherIDs(t *testing.T) {
	t.Parallel()
	for _, id := range []string{
		"", "x", "/providers/.0/0/0/0", demoSubscription, demoSubscription + "/resourceGroups/g", demoDatabase + "/tables/t", demoServer + "?a=b", demoServer + "/..",
	} {
		_, _, err := datasourceOf(id, "westus")
		require.Error(t, err, id)
	}
}

func TestClient_DoesNotSendNamesThatAddressAnotherResource(t *testing.T) {
	t.Parallel()
	server, sent := armtest.Serve(t, armtest.AnyAnswer)
	c, ctx, v := New(armtest.Client(t, server)), t.Context(), demoVault()
	var errs []error
	for _, name := range []string{"", "a/b", "..", "."} {
		i := InstanceID{Vault: v, Name: name}
		other := InstanceID{Vault: resourceid.VaultID{Type: resourceid.BackupVault, SubscriptionID: v.SubscriptionID, ResourceGroup: v.ResourceGroup, Name: name}, Name: "i"}
		errs = append(errs,
			read(c.GetPolicy(ctx, v, name)), read(c.GetInstance(ctx, i)), read(c.GetDeletedInstance(ctx, i)), read(c.GetVault(ctx, other.Vault)),
			read(c.GetRecoveryPoint(ctx, demoInstance(), name)), read(c.ListRecoveryPoints(ctx, other, RecoveryPointFilter{})),
			read(c.ListInstances(ctx, other.Vault)), read(c.ListDeletedInstances(ctx, other.Vault)), read(c.ListJobs(ctx, other.Vault, JobFilter{})),
			read(c.ListResourceGuardProxies(ctx, other.Vault)), start(c.ValidateForBackup(ctx, other.Vault, flexibleServer(t))),
			start(c.PutInstance(ctx, i, flexibleServer(t))), start(c.DeleteInstance(ctx, i)), start(c.StopProtection(ctx, i)),
			start(c.Backup(ctx, i, BackupRuleOptions{RuleName: "r"}, "a")), start(c.ValidateRestore(ctx, i, asFiles())), start(c.Restore(ctx, i, asFiles(), "a")))
	}
	for _, job := range []string{"", "x/", "..", "x/."} {
		errs = append(errs, read(c.GetJob(ctx, v, job)))
	}
	for n, err := range errs {
		var e *operation.Error
		require.ErrorAs(t, err, &e, "%d", n)
		require.Equal(t, azerr.CodeMalformedRequest, e.Code)
		require.Equal(t, operation.Fatal, e.Class)
	}
	require.Empty(t, sent())
}
