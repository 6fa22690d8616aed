package flow

// The examples use the resources of Azure's own documentation, which the local
// stack simulates.
const (
	exampleSubscription = "/subscriptions/00000000-0000-0000-0000-000000000000"
	exampleVault        = exampleSubscription + "/resourceGroups/azurefiles/providers/Microsoft.RecoveryServices/vaults/azurefilesvault"
	exampleAccount      = exampleSubscription + "/resourceGroups/AzureFiles/providers/Microsoft.Storage/storageAccounts/testvault2"
	exampleContainers   = exampleVault + "/backupFabrics/Azure/protectionContainers"
	exampleMachine      = exampleContainers + "/IaasVMContainer;iaasvmcontainerv2;machines;vm1/protectedItems/VM;iaasvmcontainerv2;machines;vm1"
	exampleMachines     = exampleSubscription + "/resourceGroups/machines/providers/Microsoft.Compute/virtualMachines/"
	exampleRestoreGroup = exampleSubscription + "/resourceGroups/restored"
	exampleDatabase     = exampleContainers + "/VMAppContainer;Compute;machines;sqlvm/protectedItems/SQLDataBase;MSSQLSERVER;orders"

	exampleBackupVault  = exampleSubscription + "/resourceGroups/TestBkpVaultRG/providers/Microsoft.DataProtection/backupVaults/TestBkpVault"
	exampleInstance     = exampleBackupVault + "/backupInstances/testpostgresql-empdb11-aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e"
	exampleServer       = exampleSubscription + "/resourceGroups/pgflextest/providers/Microsoft.DBforPostgreSQL/flexibleServers/pgflextestserver"
	exampleMySQL        = exampleSubscription + "/resourceGroups/mysqltest/providers/Microsoft.DBforMySQL/flexibleServers/mysqltestserver"
	exampleDisk         = exampleSubscription + "/resourceGroups/disks/providers/Microsoft.Compute/disks/datadisk1"
	exampleSnapshots    = exampleSubscription + "/resourceGroups/snapshots"
	exampleBlobs        = exampleSubscription + "/resourceGroups/blobs/providers/Microsoft.Storage/storageAccounts/blobaccount1"
	exampleVaulted      = exampleSubscription + "/resourceGroups/blobs/providers/Microsoft.Storage/storageAccounts/vaultedaccount1"
	exampleDataLake     = exampleSubscription + "/resourceGroups/blobs/providers/Microsoft.Storage/storageAccounts/datalake1"
	exampleCluster      = exampleSubscription + "/resourceGroups/clusters/providers/Microsoft.ContainerService/managedClusters/akscluster1"
	exampleCluster2     = exampleSubscription + "/resourceGroups/clusters/providers/Microsoft.ContainerService/managedClusters/akscluster2"
	exampleRestored     = exampleSubscription + "/resourceGroups/blobs/providers/Microsoft.Storage/storageAccounts/restoredblobs"
	exampleDrillAccount = exampleSubscription + "/resourceGroups/drills/providers/Microsoft.Storage/storageAccounts/drillaccount"
	exampleDrillGroup   = exampleSubscription + "/resourceGroups/drills"
	exampleTargetServer = exampleSubscription + "/resourceGroups/targetrg/providers/Microsoft.DBforPostgreSQL/servers/targetossserver"
	exampleContainer    = "https://testossstorageaccount.blob.core.windows.net/testcontainerrestore"
	exampleKeyVaultURI  = "https://contoso.vault.azure.net/secrets/dbauth3"
)

// ExampleGuardrails allow what the examples do.
func ExampleGuardrails() Guardrails {
	return Guardrails{Delete: true, RestoreTargets: []string{
		exampleContainer, exampleTargetServer, exampleAccount, exampleRestoreGroup, exampleMachines + "sqlvm", exampleBlobs, exampleRestored, exampleCluster2,
	}, DrillTargets: []string{exampleDrillAccount, exampleDrillGroup}}
}

func exampleFileShare() *FileShare {
	return &FileShare{VaultID: exampleVault, StorageAccountID: exampleAccount, Name: "testshare"}
}

func team(name string) map[string]string { return map[string]string{"team": name} }
