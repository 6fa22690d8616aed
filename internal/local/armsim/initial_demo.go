package armsim

import (
	"time"

	"azbackupflow/internal/arm/dataprotection/kinds"
)

// DemoSubscription is the subscription of DemoWorld and of the Learn page.
const DemoSubscription = "00000000-0000-0000-0000-000000000000"

// Names of the recovery points of DemoWorld: the one of the Learn page in the
// vault tier, and one in the archive tier.
const (
	DemoVaultPoint   = "eb006fde78cb47198be5a320fbe45e9b"
	DemoArchivePoint = "2f6e0f5b8d1c4a7e9b3a5c6d7e8f9012"
	// DemoArchivePointName is its friendly name: the Learn page's restore from the
	// archive names a recovery point by it.
	DemoArchivePointName = "794ead7c7661410da03997d210d469e7"
)

// DemoWorld returns the resources of the Learn pages.
//
// From "Backup Azure file share using Azure Backup via REST API": vault
// azurefilesvault in resource group azurefiles with policy schedule1, and
// storage account testvault2 in AzureFiles with file share testshare. Nothing
// is discovered yet. The vault also protects the virtual machine vm1, a SQL
// database and a HANA database. The virtual machine vm2, sqlvm2 with three SQL
// databases, and hanavm2, which is registered, are not protected yet.
//
// From "Back up Azure Database for PostgreSQL - Flexible servers" and "Restore
// PostgreSQL databases":
//
//   - Backup vault TestBkpVault in TestBkpVaultRG, with soft delete and the
//     policies pgflexpol1, pgflexpol2 (longer retention) and osspol3;
//   - policies for other datasources, and datasources that are not protected yet:
//     MySQL server mysqltestserver, disk datadisk1, storage accounts blobaccount1,
//     vaultedaccount1 and datalake1, and AKS cluster akscluster1;
//   - flexible server pgflextestserver in pgflextest, not protected yet;
//   - single server testpostgresql in ossdemoRG, deleted, with database empdb11
//     that the vault protects as instance testpostgresql-empdb11-…;
//   - as restore targets, single server targetossserver in targetrg and the
//     container testcontainerrestore of storage account testossstorageaccount.
func DemoWorld() World {
	w := demoRecoveryServices()
	w.addDemoPostgreSQL()
	return w
}

func demoRecoveryServices() World {
	const location = "westeurope"
	vault := Vault{
		Subscription: DemoSubscription, ResourceGroup: "azurefiles", Name: "azurefilesvault", Location: location,
		Policies: []Policy{
			{Name: "schedule1", BackupManagementType: "AzureStorage", WorkLoadType: "AzureFileShare"},
			{Name: "DefaultPolicy", BackupManagementType: "AzureIaasVM", WorkLoadType: "VM"},
			{Name: "HourlyLogBackup", BackupManagementType: "AzureWorkload", WorkLoadType: "SQLDataBase"},
			{Name: "DailyHana", BackupManagementType: "AzureWorkload", WorkLoadType: "SAPHanaDatabase"},
		},
	}
	account := StorageAccount{
		Subscription: DemoSubscription, ResourceGroup: "AzureFiles", Name: "testvault2", Location: location,
		Shares: []Share{{Name: "testshare", PlainItemName: true}},
	}
	return World{
		Vaults:          []Vault{vault},
		StorageAccounts: []StorageAccount{account},
		VirtualMachines: []VirtualMachine{
			{
				Subscription: DemoSubscription, ResourceGroup: "machines", Name: "vm1", Location: location,
				Vault: vault.ID(), Policy: "DefaultPolicy",
			},
			{Subscription: DemoSubscription, ResourceGroup: "machines", Name: "vm2", Location: location},
			{
				Subscription: DemoSubscription, ResourceGroup: "machines", Name: "sqlvm2", Location: location,
				Servers: []DatabaseServer{{Type: "SQLDataBase", Instance: "MSSQLSERVER", Databases: []string{"sales", "salesarchive", "stock"}}},
			},
			{
				Subscription: DemoSubscription, ResourceGroup: "machines", Name: "hanavm2", Location: location, RegisteredWith: vault.ID(),
				Servers: []DatabaseServer{{Type: "SAPHanaDatabase", Instance: "HDB", Databases: []string{"SYSTEMDB"}}},
			},
		},
		Databases: []Database{
			{
				Subscription: DemoSubscription, ResourceGroup: "machines", Server: "sqlvm", Type: "SQLDataBase",
				Instance: "MSSQLSERVER", Name: "orders", Vault: vault.ID(), Policy: "HourlyLogBackup",
			},
			{
				Subscription: DemoSubscription, ResourceGroup: "machines", Server: "hanavm", Type: "SAPHanaDatabase",
				Instance: "HDB", Name: "SYSTEMDB", Vault: vault.ID(), Policy: "DailyHana",
			},
		},
	}
}

func (w *World) addDemoPostgreSQL() {
	const location = "westus"
	vault := BackupVault{
		Subscription: DemoSubscription, ResourceGroup: "TestBkpVaultRG", Name: "TestBkpVault", Location: location,
		Policies: []BackupPolicy{
			{Name: "pgflexpol1", DatasourceTypes: []string{flexibleServerType}},
			{Name: "pgflexpol2", DatasourceTypes: []string{flexibleServerType}, Retention: "P24W"},
			{Name: "osspol3", DatasourceTypes: []string{databaseType}},
		},
		SoftDelete: "On",
	}
	vault.Policies = append(vault.Policies, demoPolicies()...)
	source := SingleServer{
		Subscription: DemoSubscription, ResourceGroup: "ossdemoRG", Name: "testpostgresql", Location: location,
		Databases: []string{"empdb11"}, Gone: true,
	}
	target := SingleServer{
		Subscription: DemoSubscription, ResourceGroup: "targetrg", Name: "targetossserver", Location: location,
		Databases: []string{"postgres"},
	}
	w.addDemoDatasources(location)
	w.BackupVaults = append(w.BackupVaults, vault)
	w.SingleServers = append(w.SingleServers, source, target)
	w.FlexibleServers = append(w.FlexibleServers, FlexibleServer{
		Subscription: DemoSubscription, ResourceGroup: "pgflextest", Name: "pgflextestserver", Location: location,
	})
	w.StorageAccounts = append(w.StorageAccounts, StorageAccount{
		Subscription: DemoSubscription, ResourceGroup: "targetrg", Name: "testossstorageaccount", Location: location,
		BlobContainers: []BlobContainer{{Name: "testcontainerrestore"}},
	})
	const day = 24 * time.Hour
	w.ProtectedDatasources = append(w.ProtectedDatasources, ProtectedDatasource{
		Vault: vault.ID(), Policy: "osspol3", Datasource: source.DatabaseID("empdb11"),
		Instance: "testpostgresql-empdb11-aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e",
		RecoveryPoints: []RecoveryPoint{
			{ID: DemoArchivePoint, FriendlyName: DemoArchivePointName, Age: 200 * day, Store: archiveStore},
			{ID: DemoVaultPoint, Age: 14 * day},
			{ID: "0c5a1d2f3b4e46978891a2b3c4d5e6f7", Age: 7 * day},
		},
	})
}

// demoPolicies returns the policies of datasources other than PostgreSQL.
func demoPolicies() []BackupPolicy {
	return []BackupPolicy{
		{Name: "mysqlpol1", DatasourceTypes: []string{kinds.DatasourceMySQL}},
		{Name: "diskpol1", DatasourceTypes: []string{kinds.DatasourceDisk}},
		{Name: "blobpol1", DatasourceTypes: []string{kinds.DatasourceBlob}, Continuous: true},
		{Name: "blobvaultpol1", DatasourceTypes: []string{kinds.DatasourceBlob}},
		{Name: "adlspol1", DatasourceTypes: []string{kinds.DatasourceADLS}},
		{Name: "akspol1", DatasourceTypes: []string{kinds.DatasourceCluster}},
	}
}

// addDemoDatasources adds datasources other than PostgreSQL, and targets for their
// restores.
func (w *World) addDemoDatasources(location string) {
	const group = "/subscriptions/" + DemoSubscription + "/resourceGroups/"
	for _, id := range []string{
		"mysqltest/providers/Microsoft.DBforMySQL/flexibleServers/mysqltestserver", "disks/providers/Microsoft.Compute/disks/datadisk1",
		"clusters/providers/Microsoft.ContainerService/managedClusters/akscluster1", "clusters/providers/Microsoft.ContainerService/managedClusters/akscluster2",
	} {
		w.Resources = append(w.Resources, Resource{ID: group + id, Location: location})
	}
	w.StorageAccounts = append(w.StorageAccounts, StorageAccount{Subscription: DemoSubscription, ResourceGroup: "drills", Name: "drillaccount", Location: location})
	for _, name := range []string{"blobaccount1", "vaultedaccount1", "datalake1", "restoredblobs"} {
		w.StorageAccounts = append(w.StorageAccounts, StorageAccount{
			Subscription: DemoSubscription, ResourceGroup: "blobs", Name: name, Location: location, Hierarchical: name == "datalake1",
		})
	}
}
