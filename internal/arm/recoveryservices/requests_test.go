package recoveryservices

import (
	"context"
	"flag"
	"maps"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm/armtest"
	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/arm/resourceid"
)

var update = flag.Bool("update", false, "rewrite the golden requests")

func demoVault() resourceid.VaultID {
	return resourceid.VaultID{Type: resourceid.RecoveryServicesVault, SubscriptionID: "00000000-0000-0000-0000-000000000000", ResourceGroup: "azurefiles", Name: "azurefilesvault"}
}

const (
	demoAccount   = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/AzureFiles/providers/Microsoft.Storage/storageAccounts/testvault2"
	demoContainer = "StorageContainer;Storage;AzureFiles;testvault2"
	demoItem      = "azurefileshare;testshare"
	demoJob       = "e2ca2cf4-2eb9-4d4b-b16a-8e592d2a658b"
	demoVM        = "/Subscriptions/00000000-0000-0000-0000-000000000000/resourcegroups/azurefiles/providers/microsoft.recoveryservices/vaults/azurefilesvault/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;testrg;v1win2012r/protectedItems/VM;iaasvmcontainerv2;testrg;v1win2012r"
	demoDatabase  = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/azurefiles/providers/Microsoft.RecoveryServices/vaults/azurefilesvault/backupFabrics/Azure/protectionContainers/VMAppContainer;compute;testrg;sqlvm/protectedItems/SQLDataBase;mssqlserver;model"
)

func demoItemID() string {
	return ItemID{Vault: demoVault(), Fabric: "Azure", Container: "storagecontainer;storage;azurefiles;testvault2", Item: demoItem}.String()
}

const demoVMSource = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/testrg/providers/Microsoft.Compute/virtualMachines/v1win2012r"

// vaultsGet is the only operation that is not in Azure Backup's API description;
// see VaultAPIVersion.
const vaultsGet = "Vaults_Get"

// call is one API call and the operation of the OpenAPI document that it must
// match.
type call struct {
	operation string
	make      func(context.Context, *Client) error
}

func start(_ lro.Submission, err error) error { return err }

func calls() map[string]call {
	all := baseCalls()
	for _, more := range []map[string]call{restoreCalls(), workloadCalls(), lifeCalls()} {
		maps.Copy(all, more)
	}
	return all
}

func baseCalls() map[string]call {
	v := demoVault()
	yes := true
	return map[string]call{
		"get-policy": {"ProtectionPolicies_Get", func(ctx context.Context, c *Client) error {
			_, err := c.GetPolicy(ctx, v, "schedule1")
			return err
		}},
		"refresh-containers": {"ProtectionContainers_Refresh", func(ctx context.Context, c *Client) error {
			return start(c.RefreshContainers(ctx, v))
		}},
		"list-protectable-containers": {"ProtectableContainers_List", func(ctx context.Context, c *Client) error {
			_, err := c.ListProtectableContainers(ctx, v)
			return err
		}},
		"list-registered-containers": {"BackupProtectionContainers_List", func(ctx context.Context, c *Client) error {
			_, err := c.ListRegisteredContainers(ctx, v, "")
			return err
		}},
		"list-registered-containers-by-name": {"BackupProtectionContainers_List", func(ctx context.Context, c *Client) error {
			_, err := c.ListRegisteredContainers(ctx, v, "testvault2")
			return err
		}},
		"get-container": {"ProtectionContainers_Get", func(ctx context.Context, c *Client) error {
			_, err := c.GetContainer(ctx, v, demoContainer)
			return err
		}},
		"register-storage-account": {"ProtectionContainers_Register", func(ctx context.Context, c *Client) error {
			return start(c.RegisterStorageAccount(ctx, v, demoContainer, demoAccount))
		}},
		"inquire": {"ProtectionContainers_Inquire", func(ctx context.Context, c *Client) error {
			return start(c.Inquire(ctx, v, demoContainer))
		}},
		"list-protectable-file-shares": {"BackupProtectableItems_List", func(ctx context.Context, c *Client) error {
			_, err := c.ListProtectableFileShares(ctx, v)
			return err
		}},
		"find-protected-file-shares": {"BackupProtectedItems_List", func(ctx context.Context, c *Client) error {
			_, err := c.FindProtectedFileShares(ctx, demoVault(), "testshare")
			return err
		}},
		"list-protected-file-shares": {"BackupProtectedItems_List", func(ctx context.Context, c *Client) error {
			_, err := c.ListProtectedFileShares(ctx, v)
			return err
		}},
		"list-protected-items": {"BackupProtectedItems_List", func(ctx context.Context, c *Client) error {
			_, err := c.ListProtectedItems(ctx, v, "")
			return err
		}},
		"list-protected-virtual-machines": {"BackupProtectedItems_List", func(ctx context.Context, c *Client) error {
			_, err := c.ListProtectedItems(ctx, v, "VM")
			return err
		}},
		"list-protected-databases": {"BackupProtectedItems_List", func(ctx context.Context, c *Client) error {
			_, err := c.ListProtectedItems(ctx, v, "SQLDataBase")
			return err
		}},
		"get-protected-item": {"ProtectedItems_Get", func(ctx context.Context, c *Client) error {
			_, err := c.GetProtectedItem(ctx, demoItemID())
			return err
		}},
		"protect-file-share": {"ProtectedItems_CreateOrUpdate", func(ctx context.Context, c *Client) error {
			return start(c.ProtectFileShare(ctx, v, "storagecontainer;storage;azurefiles;testvault2", demoItem, demoAccount, v.PolicyID("schedule1")))
		}},
		"trigger-backup-file-share": {"Backups_Trigger", func(ctx context.Context, c *Client) error {
			return start(c.TriggerBackup(ctx, demoItemID(), BackupRequest{
				ObjectType:                   BackupAzureFileShare,
				RecoveryPointExpiryTimeInUTC: time.Date(2020, 3, 7, 18, 29, 59, 0, time.UTC),
			}, "attempt-1"))
		}},
		"trigger-backup-virtual-machine": {"Backups_Trigger", func(ctx context.Context, c *Client) error {
			return start(c.TriggerBackup(ctx, demoVM, BackupRequest{ObjectType: BackupIaasVM}, "attempt-2"))
		}},
		"trigger-backup-workload": {"Backups_Trigger", func(ctx context.Context, c *Client) error {
			return start(c.TriggerBackup(ctx, demoDatabase, BackupRequest{
				ObjectType: BackupAzureWorkload, BackupType: "CopyOnlyFull", EnableCompression: &yes,
				RecoveryPointExpiryTimeInUTC: time.Date(2020, 3, 7, 19, 29, 59, 0, time.FixedZone("CET", 3600)),
				ETag:                         "etag", Location: "westeurope", Tags: map[string]string{"team": "db"},
			}, "attempt-3"))
		}},
		"delete-protected-item": {"ProtectedItems_Delete", func(ctx context.Context, c *Client) error {
			return start(c.DeleteProtectedItem(ctx, demoItemID()))
		}},
		"stop-protection-file-share": {"ProtectedItems_CreateOrUpdate", func(ctx context.Context, c *Client) error {
			return start(c.StopProtection(ctx, demoShare()))
		}},
		"resume-protection-file-share": {"ProtectedItems_CreateOrUpdate", func(ctx context.Context, c *Client) error {
			return start(c.ResumeProtection(ctx, demoShare(), v.PolicyID("schedule1")))
		}},
		"stop-protection-virtual-machine": {"ProtectedItems_CreateOrUpdate", func(ctx context.Context, c *Client) error {
			return start(c.StopProtection(ctx, ProtectedItem{ID: demoVM, Type: ItemVirtualMachine, SourceResourceID: demoVMSource}))
		}},
		"list-resource-guard-proxies": {"ResourceGuardProxies_Get", func(ctx context.Context, c *Client) error {
			_, err := c.ListResourceGuardProxies(ctx, v)
			return err
		}},
		"get-vault": {vaultsGet, func(ctx context.Context, c *Client) error {
			_, err := c.GetVault(ctx, v)
			return err
		}},
		"get-job": {"JobDetails_Get", func(ctx context.Context, c *Client) error {
			_, err := c.GetJob(ctx, v, v.String()+"/backupJobs/"+demoJob)
			return err
		}},
		"list-jobs": {"BackupJobs_List", func(ctx context.Context, c *Client) error {
			_, err := c.ListJobs(ctx, v, JobFilter{
				Operation: OperationBackup, BackupManagementType: ManagementAzureStorage,
				StartTime: time.Date(2024, 6, 11, 0, 30, 0, 0, time.UTC), EndTime: time.Date(2024, 6, 11, 13, 0, 0, 1, time.UTC),
			})
			return err
		}},
		"list-all-jobs": {"BackupJobs_List", func(ctx context.Context, c *Client) error {
			_, err := c.ListJobs(ctx, v, JobFilter{})
			return err
		}},
		"cancel-job": {"JobCancellations_Trigger", func(ctx context.Context, c *Client) error {
			return start(c.CancelJob(ctx, v, demoJob))
		}},
	}
}

func TestRequests_MatchTheGoldenFiles(t *testing.T) {
	t.Parallel()
	for name, c := range calls() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, sent := armtest.Serve(t, armtest.AnyAnswer)
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
	known := calls()
	require.Len(t, files, len(known))
	for _, f := range files {
		require.Contains(t, known, strings.TrimSuffix(filepath.Base(f), ".json"))
	}
}

func TestRequests_MatchTheAPIDescription(t *testing.T) {
	t.Parallel()
	api := armtest.Describe(t, "Microsoft.RecoveryServices.Backup", APIVersion, "bms.json")
	for name, c := range calls() {
		if c.operation == vaultsGet {
			continue
		}
		require.NoError(t, api.Problem(t.Context(), armtest.ReadGolden(t, name)), name)
	}
}
