package dataprotection

import (
	"context"
	"flag"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm/armtest"
	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/arm/resourceid"
)

var update = flag.Bool("update", false, "rewrite the golden requests")

// The resources of Learn's pages.
const (
	demoSubscription = "/subscriptions/00000000-0000-0000-0000-000000000000"
	demoServer       = demoSubscription + "/resourceGroups/pgflextest/providers/Microsoft.DBforPostgreSQL/flexibleServers/pgflextestserver"
	demoDatabase     = demoSubscription + "/resourceGroups/ossdemoRG/providers/Microsoft.DBforPostgreSQL/servers/testpostgresql/databases/empdb11"
	demoTarget       = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/targetrg/providers/Microsoft.DBforPostgreSQL/servers/targetossserver/databases/emprestored21"
	demoSecret       = "https://vikottur-test.vault.azure.net/secrets/dbauth3"
	demoContainer    = "https://testossstorageaccount.blob.core.windows.net/testcontainerrestore"
	demoPrefix       = "empdb11_postgresql-westus_1628853549768"
	demoPoint        = "eb006fde78cb47198be5a320fbe45e9b"
	demoJob          = "cccc2c2c-dd3d-ee4e-ff5f-aaaaaa6a6a6a"
)

func demoVault() resourceid.VaultID {
	return resourceid.VaultID{Type: resourceid.BackupVault, SubscriptionID: "00000000-0000-0000-0000-000000000000", ResourceGroup: "testBkpVaultRG", Name: "testBkpVault"}
}

func demoInstance() InstanceID {
	return InstanceID{Vault: demoVault(), Name: "pgflextestserver-857d23b1-c679-4c94-ade6-c4d34635e149"}
}

// datasource returns a resource of the demo as a datasource in westus.
func datasource(t testing.TB, id string) (Datasource, *Datasource) {
	t.Helper()
	ds, set, err := datasourceOf(id, "westus")
	require.NoError(t, err)
	return ds, set
}

// datasourceOf describes a resource as the first kind that has its type.
func datasourceOf(id, location string) (ds Datasource, set *Datasource, err error) {
	for _, k := range kinds.All() {
		if ds, set, err = Describe(k, id, location); err == nil {
			return ds, set, nil
		}
	}
	return ds, set, err
}

// flexibleServer returns the request of Learn's page.
func flexibleServer(t testing.TB) InstanceRequest {
	t.Helper()
	ds, set := datasource(t, demoServer)
	return InstanceRequest{FriendlyName: "pgflextestserver", Datasource: ds, DatasourceSet: set, PolicyID: demoVault().PolicyID("pgflexpol1")}
}

// singleServerDatabase returns a database with credentials in a secret.
func singleServerDatabase(t testing.TB) InstanceRequest {
	t.Helper()
	ds, set := datasource(t, demoDatabase)
	return InstanceRequest{
		FriendlyName: `testpostgresql\empdb11`, Datasource: ds, DatasourceSet: set, PolicyID: demoVault().PolicyID("osspol3"),
		SecretURI: demoSecret,
	}
}

// protectedDisk returns a disk's instance as Azure returns it.
func protectedDisk() InstanceBody {
	return InstanceBody{
		properties: map[string]any{
			"friendlyName": "disk", "objectType": "BackupInstance", "currentProtectionState": StateProtectionConfigured, "provisioningState": "Succeeded",
			"protectionStatus": map[string]any{"status": StateProtectionConfigured},
			"dataSourceInfo": map[string]any{
				"objectType": "Datasource", "datasourceType": kinds.DatasourceDisk, "resourceType": kinds.DatasourceDisk, "resourceName": "disk",
				"resourceID": demoSubscription + "/resourceGroups/disks/providers/Microsoft.Compute/disks/disk", "resourceLocation": "westus",
			},
			"policyInfo": map[string]any{
				"policyId": demoVault().PolicyID("shorter"), "policyVersion": "",
				"policyParameters": map[string]any{"dataStoreParametersList": []any{map[string]any{
					"objectType": "AzureOperationalStoreParameters", "dataStoreType": StoreOperational, "resourceGroupId": demoSubscription + "/resourceGroups/snapshots",
				}}},
			},
		},
		tags: map[string]any{"owner": "storage"},
	}
}

func asDatabase(t testing.TB) RestoreRequest {
	t.Helper()
	ds, set := datasource(t, demoTarget)
	return RestoreRequest{
		RecoveryPointID: demoPoint, SourceDataStoreType: StoreVault, SourceResourceID: demoDatabase, RestoreLocation: "westus",
		Database: &DatabaseTarget{Datasource: ds, DatasourceSet: set, SecretURI: demoSecret},
	}
}

func asFiles() RestoreRequest {
	return RestoreRequest{
		RecoveryPointID: demoPoint, SourceDataStoreType: StoreVault, RestoreLocation: "westus",
		Files: &FilesTarget{URL: demoContainer, FilePrefix: demoPrefix},
	}
}

// fromArchive returns the request for a recovery point in the archive.
func fromArchive(r RestoreRequest) RestoreRequest {
	r.SourceDataStoreType = StoreArchive
	r.Rehydration = &Rehydration{Priority: PriorityStandard, RetentionDuration: "P15D"}
	return r
}

// call is one API call and the operation of the API description that it must
// match.
type call struct {
	operation string
	make      func(context.Context, *Client) error
}

func start(_ lro.Submission, err error) error { return err }

func read[T any](_ T, err error) error { return err }

func calls(t testing.TB) map[string]call {
	t.Helper()
	v, i := demoVault(), demoInstance()
	toOther := asFiles()
	toOther.Files.TargetResourceID = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/targetrg/providers/Microsoft.Storage/storageAccounts/testossstorageaccount/blobServices/default/containers/testcontainerrestore"
	urgent := fromArchive(asDatabase(t))
	urgent.Rehydration.Priority = PriorityHigh
	byIdentity := flexibleServer(t)
	byIdentity.UserAssignedIdentityID = demoSubscription + "/resourceGroups/testBkpVaultRG/providers/Microsoft.ManagedIdentity/userAssignedIdentities/backup"
	reads := map[string]call{
		"get-vault": {"BackupVaults_Get", func(ctx context.Context, c *Client) error { return read(c.GetVault(ctx, v)) }},
		"list-resource-guard-proxies": {"DppResourceGuardProxy_List", func(ctx context.Context, c *Client) error {
			return read(c.ListResourceGuardProxies(ctx, v))
		}},
		"get-policy":             {"BackupPolicies_Get", func(ctx context.Context, c *Client) error { return read(c.GetPolicy(ctx, v, "pgflexpol1")) }},
		"list-policies":          {"BackupPolicies_List", func(ctx context.Context, c *Client) error { return read(c.ListPolicies(ctx, v)) }},
		"get-instance":           {"BackupInstances_Get", func(ctx context.Context, c *Client) error { return read(c.GetInstance(ctx, i)) }},
		"list-instances":         {"BackupInstances_List", func(ctx context.Context, c *Client) error { return read(c.ListInstances(ctx, v)) }},
		"get-deleted-instance":   {"DeletedBackupInstances_Get", func(ctx context.Context, c *Client) error { return read(c.GetDeletedInstance(ctx, i)) }},
		"list-deleted-instances": {"DeletedBackupInstances_List", func(ctx context.Context, c *Client) error { return read(c.ListDeletedInstances(ctx, v)) }},
		"get-recovery-point":     {"RecoveryPoints_Get", func(ctx context.Context, c *Client) error { return read(c.GetRecoveryPoint(ctx, i, demoPoint)) }},
		"list-recovery-points": {"RecoveryPoints_List", func(ctx context.Context, c *Client) error {
			return read(c.ListRecoveryPoints(ctx, i, RecoveryPointFilter{}))
		}},
		"list-recovery-points-between": {"RecoveryPoints_List", func(ctx context.Context, c *Client) error {
			return read(c.ListRecoveryPoints(ctx, i, RecoveryPointFilter{
				Start: time.Date(2024, 6, 1, 2, 0, 0, 0, time.FixedZone("CEST", 7200)), End: time.Date(2024, 6, 26, 8, 8, 2, 918866300, time.UTC),
			}))
		}},
		"find-restorable-times": {"RestorableTimeRanges_Find", func(ctx context.Context, c *Client) error {
			return read(c.RestorableTimes(ctx, i, time.Time{}, time.Time{}))
		}},
		"find-restorable-times-between": {"RestorableTimeRanges_Find", func(ctx context.Context, c *Client) error {
			return read(c.RestorableTimes(ctx, i, time.Date(2024, 6, 1, 0, 0, 0, 0, time.UTC), time.Date(2024, 6, 2, 0, 0, 0, 0, time.UTC)))
		}},
		"get-job":   {"Jobs_Get", func(ctx context.Context, c *Client) error { return read(c.GetJob(ctx, v, demoJob)) }},
		"list-jobs": {"Jobs_List", func(ctx context.Context, c *Client) error { return read(c.ListJobs(ctx, v, JobFilter{})) }},
	}
	starts := map[string]call{
		"validate-for-backup": {"BackupInstances_ValidateForBackup", func(ctx context.Context, c *Client) error {
			return start(c.ValidateForBackup(ctx, v, flexibleServer(t)))
		}},
		"put-instance":             {"BackupInstances_CreateOrUpdate", func(ctx context.Context, c *Client) error { return start(c.PutInstance(ctx, i, flexibleServer(t))) }},
		"put-instance-by-identity": {"BackupInstances_CreateOrUpdate", func(ctx context.Context, c *Client) error { return start(c.PutInstance(ctx, i, byIdentity)) }},
		"put-instance-of-database": {"BackupInstances_CreateOrUpdate", func(ctx context.Context, c *Client) error {
			return start(c.PutInstance(ctx, InstanceID{Vault: v, Name: "testpostgresql-empdb11-957d23b1"}, singleServerDatabase(t)))
		}},
		"delete-instance":   {"BackupInstances_Delete", func(ctx context.Context, c *Client) error { return start(c.DeleteInstance(ctx, i)) }},
		"stop-protection":   {"BackupInstances_StopProtection", func(ctx context.Context, c *Client) error { return start(c.StopProtection(ctx, i)) }},
		"suspend-backups":   {"BackupInstances_SuspendBackups", func(ctx context.Context, c *Client) error { return start(c.SuspendBackups(ctx, i)) }},
		"resume-protection": {"BackupInstances_ResumeProtection", func(ctx context.Context, c *Client) error { return start(c.ResumeProtection(ctx, i)) }},
		"undelete-instance": {"DeletedBackupInstances_Undelete", func(ctx context.Context, c *Client) error { return start(c.UndeleteInstance(ctx, i)) }},
		"put-instance-with-another-policy": {"BackupInstances_CreateOrUpdate", func(ctx context.Context, c *Client) error {
			return start(c.PutInstanceBody(ctx, i, protectedDisk().WithPolicy(v.PolicyID("longer"))))
		}},
		"backup": {"BackupInstances_AdhocBackup", func(ctx context.Context, c *Client) error {
			return start(c.Backup(ctx, i, BackupRuleOptions{RuleName: "BackupWeekly"}, "attempt-1"))
		}},
		"backup-kept-longer": {"BackupInstances_AdhocBackup", func(ctx context.Context, c *Client) error {
			return start(c.Backup(ctx, i, BackupRuleOptions{RuleName: "BackupWeekly", RetentionTagOverride: "yearly"}, "attempt-2"))
		}},
	}
	for name, r := range datasourceRequests(t) {
		starts["validate-"+name] = call{"BackupInstances_ValidateForBackup", func(ctx context.Context, c *Client) error {
			return start(c.At(r.Kind.APIVersion).ValidateForBackup(ctx, v, r))
		}}
		starts["put-"+name] = call{"BackupInstances_CreateOrUpdate", func(ctx context.Context, c *Client) error {
			return start(c.At(r.Kind.APIVersion).PutInstance(ctx, i, r))
		}}
	}
	for name, r := range resourceRestores(t) {
		starts["validate-restore-"+name] = call{"BackupInstances_ValidateForRestore", func(ctx context.Context, c *Client) error {
			return start(c.At(r.version).ValidateRestore(ctx, i, r.RestoreRequest))
		}}
		starts["restore-"+name] = call{"BackupInstances_TriggerRestore", func(ctx context.Context, c *Client) error {
			return start(c.At(r.version).Restore(ctx, i, r.RestoreRequest, "attempt-4"))
		}}
	}
	for name, r := range map[string]RestoreRequest{
		"as-database": asDatabase(t), "as-files": asFiles(), "as-files-elsewhere": toOther,
		"as-database-from-archive": fromArchive(asDatabase(t)), "as-files-from-archive": fromArchive(asFiles()), "as-database-soon": urgent,
	} {
		starts["validate-restore-"+name] = call{"BackupInstances_ValidateForRestore", func(ctx context.Context, c *Client) error {
			return start(c.ValidateRestore(ctx, i, r))
		}}
		starts["restore-"+name] = call{"BackupInstances_TriggerRestore", func(ctx context.Context, c *Client) error {
			return start(c.Restore(ctx, i, r, "attempt-3"))
		}}
	}
	for name, c := range reads {
		starts[name] = c
	}
	return starts
}

func TestRequests_MatchTheGoldenFiles(t *testing.T) {
	t.Parallel()
	for name, c := range calls(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer := http.HandlerFunc(armtest.AnyAnswer)
			if c.operation == "RestorableTimeRanges_Find" { // answered at once
				answer = armtest.Says(`{"properties":{"restorableTimeRanges":[]}}`)
			}
			server, sent := armtest.Serve(t, answer)
			require.NoError(t, c.make(t.Context(), New(armtest.Client(t, server))))
			got := sent()
			require.Len(t, got, 1)
			got[0].Operation = c.operation
			armtest.Golden(t, name, got[0], *update)
		})
	}
}

func TestRequests_EveryGoldenFileHasACall(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "*.json"))
	require.NoError(t, err)
	known := calls(t)
	require.Len(t, files, len(known))
	for _, f := range files {
		require.Contains(t, known, strings.TrimSuffix(filepath.Base(f), ".json"))
	}
}

func TestRequests_MatchTheAPIDescription(t *testing.T) {
	t.Parallel()
	apis := map[string]*armtest.Description{}
	for name := range calls(t) {
		golden := armtest.ReadGolden(t, name)
		_, version, _ := strings.Cut(golden.URL, "api-version=")
		version, _, _ = strings.Cut(version, "&")
		if apis[version] == nil {
			apis[version] = armtest.Describe(t, "Microsoft.DataProtection", version, "dataprotection.json")
		}
		require.NoError(t, apis[version].Problem(t.Context(), golden), name)
	}
	require.Len(t, apis, 2, "the usual api-version, and that of Data Lake Storage and of renames")
}

func describe(t *testing.T) *armtest.Description {
	t.Helper()
	return armtest.Describe(t, "Microsoft.DataProtection", APIVersion, "dataprotection.json")
}
