package recoveryservices

import (
	"context"
	"strings"
	"time"
)

const (
	demoPoint        = "377325209393485"
	demoStaging      = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/testrg/providers/Microsoft.Storage/storageAccounts/staging1"
	demoGroup        = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/restored"
	demoNewMachine   = demoGroup + "/providers/Microsoft.Compute/virtualMachines/vm1restored"
	demoNetwork      = demoGroup + "/providers/Microsoft.Network/virtualNetworks/net1"
	demoServer       = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/testrg/providers/Microsoft.Compute/virtualMachines/sqlvm"
	demoWorkload     = "VMAppContainer;Compute;testrg;sqlvm"
	demoHanaDatabase = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/azurefiles/providers/Microsoft.RecoveryServices/vaults/azurefilesvault/backupFabrics/Azure/protectionContainers/VMAppContainer;compute;testrg;hanavm/protectedItems/SAPHanaDatabase;hxe;systemdb"
)

func restores(item string, r Restore) call {
	return call{"Restores_Trigger", func(ctx context.Context, c *Client) error {
		return start(c.TriggerRestore(ctx, item, demoPoint, r, "attempt-4"))
	}}
}

// inTheLogChain is a restore of a time.
func inTheLogChain(item string, r Restore) call {
	return call{"Restores_Trigger", func(ctx context.Context, c *Client) error {
		return start(c.TriggerRestore(ctx, item, RangeRecoveryPoint, r, "attempt-5"))
	}}
}

func restoreCalls() map[string]call {
	at := time.Date(2026, 3, 1, 9, 30, 0, 0, time.FixedZone("CET", 3600))
	disks := MachineRestore{SourceResourceID: demoVMSource, Region: "westeurope", StagingAccountID: demoStaging}
	managed, osDisk, created, replaced := disks, disks, disks, disks
	managed.TargetResourceGroupID, managed.DiskLUNs = demoGroup, []int32{0, 1}
	osDisk.TargetResourceGroupID, osDisk.DiskLUNs = demoGroup, []int32{}
	created.TargetResourceGroupID, created.Zones = demoGroup, []string{"1"}
	created.New = &NewMachine{MachineID: demoNewMachine, VirtualNetworkID: demoNetwork, SubnetID: demoNetwork + "/subnets/default"}
	replaced.ReplaceDisks = true
	container := demoVault().String() + "/backupFabrics/Azure/protectionContainers/" + demoWorkload
	target := DatabaseTarget{SourceMachineID: demoServer, MachineID: demoServer, ContainerID: container}
	database, files := target, target
	database.Database, database.Overwrite = "MSSQLSERVER/model2", true
	database.Files = []DatabaseFile{{Type: "Data", LogicalName: "model", SourcePath: `C:\Data\model.mdf`, TargetPath: `D:\Data\model_1570710179.mdf`}}
	archived := managed
	archived.Rehydration = &Rehydration{Priority: "Standard", RetentionDuration: "P15D"}
	files.Directory = `F:\restored`
	return map[string]call{
		"restore-file-share": restores(demoItemID(), FileShareRestore{SourceResourceID: demoAccount, Conflict: "Overwrite"}),
		"restore-file-share-elsewhere": restores(demoItemID(), FileShareRestore{
			SourceResourceID: demoAccount, Conflict: "Skip", Target: &ShareTarget{StorageAccountID: demoStaging, Share: "other"},
		}),
		"restore-files": restores(demoItemID(), FileShareRestore{
			SourceResourceID: demoAccount, Conflict: "FailOnConflict",
			Files: []RestoredFile{{Path: "a/b.txt"}, {Path: "c", Folder: true, TargetFolder: "folder1"}},
		}),
		"restore-virtual-machine-disks":           restores(demoVM, managed),
		"restore-virtual-machine-disks-unmanaged": restores(demoVM, disks),
		"restore-virtual-machine-os-disk":         restores(demoVM, osDisk),
		"restore-virtual-machine-new":             restores(demoVM, created),
		"restore-virtual-machine-replace":         restores(demoVM, replaced),
		"restore-virtual-machine-archived":        restores(demoVM, archived),
		"restore-sql-database-archived":           restores(demoDatabase, DatabaseRestore{ItemType: ItemSQLDatabase, Target: &database, Rehydration: archived.Rehydration}),
		"restore-sap-hana-database-archived":      restores(demoHanaDatabase, DatabaseRestore{ItemType: ItemSAPHanaDatabase, Rehydration: archived.Rehydration}),
		"restore-sql-database":                    restores(demoDatabase, DatabaseRestore{ItemType: ItemSQLDatabase}),
		"restore-sql-database-elsewhere":          restores(demoDatabase, DatabaseRestore{ItemType: ItemSQLDatabase, Target: &database}),
		"restore-sql-database-files":              restores(demoDatabase, DatabaseRestore{ItemType: ItemSQLDatabase, Target: &files}),
		"restore-sql-database-time":               inTheLogChain(demoDatabase, DatabaseRestore{ItemType: ItemSQLDatabase, PointInTime: at}),
		"restore-sap-hana-database":               restores(demoHanaDatabase, DatabaseRestore{ItemType: ItemSAPHanaDatabase}),
		"restore-sap-hana-database-files":         restores(demoHanaDatabase, DatabaseRestore{ItemType: ItemSAPHanaDatabase, Target: &files}),
		"restore-sap-hana-database-time":          inTheLogChain(demoHanaDatabase, DatabaseRestore{ItemType: ItemSAPHanaDatabase, PointInTime: at}),
		"list-recovery-points": {"RecoveryPoints_List", func(ctx context.Context, c *Client) error {
			_, err := c.ListRecoveryPoints(ctx, demoItemID())
			return err
		}},
		"get-log-range": {"RecoveryPoints_List", func(ctx context.Context, c *Client) error {
			_, err := c.GetLogRange(ctx, demoDatabase)
			return err
		}},
		"get-recovery-point": {"RecoveryPoints_Get", func(ctx context.Context, c *Client) error {
			_, err := c.GetRecoveryPoint(ctx, demoDatabase, demoPoint)
			return err
		}},
	}
}

func workloadCalls() map[string]call {
	v := demoVault()
	instance := v.String() + "/backupFabrics/Azure/protectionContainers/vmappcontainer;compute;testrg;sqlvm/protectableItems/sqlinstance;mssqlserver"
	return map[string]call{
		"refresh-virtual-machines": {"ProtectionContainers_Refresh", func(ctx context.Context, c *Client) error {
			return start(c.RefreshFor(ctx, v, ManagementAzureIaasVM))
		}},
		"refresh-workloads": {"ProtectionContainers_Refresh", func(ctx context.Context, c *Client) error {
			return start(c.RefreshFor(ctx, v, ManagementAzureWorkload))
		}},
		"list-protectable-virtual-machines": {"BackupProtectableItems_List", func(ctx context.Context, c *Client) error {
			_, err := c.ListProtectableMachines(ctx, v)
			return err
		}},
		"list-protectable-databases": {"BackupProtectableItems_List", func(ctx context.Context, c *Client) error {
			_, err := c.ListProtectableDatabases(ctx, v, WorkloadSQL)
			return err
		}},
		"list-protectable-workload-containers": {"ProtectableContainers_List", func(ctx context.Context, c *Client) error {
			_, err := c.ListProtectableWorkloadContainers(ctx, v)
			return err
		}},
		"list-registered-workload-containers": {"BackupProtectionContainers_List", func(ctx context.Context, c *Client) error {
			_, err := c.ListRegisteredWorkloadContainers(ctx, v)
			return err
		}},
		"register-virtual-machine": {"ProtectionContainers_Register", func(ctx context.Context, c *Client) error {
			return start(c.RegisterMachine(ctx, v, demoWorkload, demoServer, WorkloadSQL))
		}},
		"inquire-databases": {"ProtectionContainers_Inquire", func(ctx context.Context, c *Client) error {
			return start(c.InquireDatabases(ctx, v, demoWorkload, WorkloadHana))
		}},
		"unregister-container": {"ProtectionContainers_Unregister", func(ctx context.Context, c *Client) error {
			return start(c.UnregisterContainer(ctx, v, demoContainer))
		}},
		"list-sql-instances": {"BackupWorkloadItems_List", func(ctx context.Context, c *Client) error {
			_, err := c.ListSQLInstances(ctx, v, demoWorkload)
			return err
		}},
		"protect-virtual-machine": {"ProtectedItems_CreateOrUpdate", func(ctx context.Context, c *Client) error {
			return start(c.ProtectMachine(ctx, v, "IaasVMContainer;iaasvmcontainerv2;testrg;v1win2012r", "vm;iaasvmcontainerv2;testrg;v1win2012r", demoVMSource, v.PolicyID("DefaultPolicy"), nil))
		}},
		"protect-virtual-machine-disks": {"ProtectedItems_CreateOrUpdate", func(ctx context.Context, c *Client) error {
			return start(c.ProtectMachine(ctx, v, "IaasVMContainer;iaasvmcontainerv2;testrg;v1win2012r", "vm;iaasvmcontainerv2;testrg;v1win2012r", demoVMSource, v.PolicyID("DefaultPolicy"),
				&DiskExclusion{LUNs: []int32{}, Included: true}))
		}},
		"protect-database": {"ProtectedItems_CreateOrUpdate", func(ctx context.Context, c *Client) error {
			return start(c.ProtectDatabase(ctx, v, "vmappcontainer;compute;testrg;sqlvm", "sqldatabase;mssqlserver;model", v.PolicyID("HourlyLogBackup"), WorkloadSQL))
		}},
		"auto-protect": {"ProtectionIntent_CreateOrUpdate", func(ctx context.Context, c *Client) error {
			return c.AutoProtect(ctx, v, "249d9b07-2d23-5f5e-a5e4-3a6f6a3c5a3c", instance, v.PolicyID("HourlyLogBackup"))
		}},
		"list-intents": {"BackupProtectionIntent_List", func(ctx context.Context, c *Client) error {
			_, err := c.ListIntents(ctx, v, WorkloadSQL)
			return err
		}},
		"get-backup-status": {"BackupStatus_Get", func(ctx context.Context, c *Client) error {
			_, err := c.GetMachineStatus(ctx, v.SubscriptionID, "westeurope", demoVMSource)
			if err != nil && !strings.Contains(err.Error(), "the body is empty") { // AnyAnswer's
				return err
			}
			return nil
		}},
		"find-protected-virtual-machines": {"BackupProtectedItems_List", func(ctx context.Context, c *Client) error {
			_, err := c.FindProtectedItems(ctx, v, ManagementAzureIaasVM, "VM", "v1win2012r")
			return err
		}},
	}
}

func lifeCalls() map[string]call {
	machine := ProtectedItem{ID: demoVM, Type: ItemVirtualMachine, SourceResourceID: demoVMSource}
	database := ProtectedItem{ID: demoDatabase, Type: ItemSQLDatabase, SourceResourceID: demoServer}
	return map[string]call{
		"suspend-virtual-machine": {"ProtectedItems_CreateOrUpdate", func(ctx context.Context, c *Client) error {
			return start(c.SuspendBackups(ctx, machine))
		}},
		"undelete-virtual-machine": {"ProtectedItems_CreateOrUpdate", func(ctx context.Context, c *Client) error {
			return start(c.Undelete(ctx, machine))
		}},
		"undelete-database": {"ProtectedItems_CreateOrUpdate", func(ctx context.Context, c *Client) error {
			return start(c.Undelete(ctx, database))
		}},
		"stop-protection-database": {"ProtectedItems_CreateOrUpdate", func(ctx context.Context, c *Client) error {
			return start(c.StopProtection(ctx, database))
		}},
		"list-policies": {"BackupPolicies_List", func(ctx context.Context, c *Client) error {
			_, err := c.ListPolicies(ctx, demoVault())
			return err
		}},
	}
}
