package roles

// Resource is what kind of resource a permission is about, and thus where the
// role that grants it is assigned: there or above.
type Resource string

// The resources that the app deals with.
const (
	RecoveryServicesVault Resource = "Recovery Services vault"
	BackupVault           Resource = "Backup vault"
	Subscription          Resource = "subscription"
	StorageAccount        Resource = "storage account"
	PostgreSQLServer      Resource = "PostgreSQL server"
	VirtualMachine        Resource = "virtual machine"
	ServiceBusNamespace   Resource = "app's Service Bus namespace"
	AnyResource           Resource = "any of them"
)

// Permission is one action, and why the app needs it.
type Permission struct {
	// Action is its name as Learn has it, which ARM compares without regard to
	// casing.
	Action string
	Role   Role
	On     Resource
	// Calls are the API operations that Azure asks the action for, as the
	// providers' API descriptions name them; none where a call asks for it
	// beside its own action, on another resource.
	Calls []string
	// For says what the app does with it.
	For string
}

const (
	rs         = "Microsoft.RecoveryServices/Vaults"
	containers = rs + "/backupFabrics/protectionContainers"
	items      = containers + "/protectedItems"
	dp         = "Microsoft.DataProtection/backupVaults"
	instances  = dp + "/backupInstances"
	locations  = "Microsoft.DataProtection/locations"
)

// Table lists every permission that the app uses, role by role.
func Table() []Permission {
	return append(append(recoveryServices(), dataProtection()...), beside()...)
}

func recoveryServices() []Permission {
	const on = RecoveryServicesVault
	return []Permission{
		{rs + "/read", Read, on, []string{"Vaults_Get"}, "see the vault and its identity"},
		{rs + "/backupJobs/read", Read, on, []string{"BackupJobs_List", "JobDetails_Get"}, "follow jobs"},
		{rs + "/backupJobs/operationResults/read", Read, on, []string{"JobOperationResults_Get"}, "follow the cancellation of a job"},
		{rs + "/backupJobs/operationsStatus/read", Read, on, nil, "follow the cancellation of a job"},
		{rs + "/backupOperations/read", Read, on, []string{"BackupOperationStatuses_Get"}, "follow operations"},
		{rs + "/backupOperationResults/read", Read, on, []string{"BackupOperationResults_Get"}, "follow operations"},
		{rs + "/operationStatus/read", Read, on, nil, "follow operations on the vault itself"},
		{rs + "/backupFabrics/operationResults/read", Read, on, []string{"ProtectionContainerRefreshOperationResults_Get"}, "follow the discovery of storage accounts"},
		{rs + "/backupFabrics/operationsStatus/read", Read, on, nil, "follow the discovery of storage accounts; Azure hands out both kinds of URL"},
		{containers + "/operationResults/read", Read, on, []string{"ProtectionContainerOperationResults_Get"}, "follow registration and inquiry"},
		{containers + "/operationsStatus/read", Read, on, nil, "follow registration and inquiry"},
		{items + "/operationResults/read", Read, on, []string{"ProtectedItemOperationResults_Get"}, "follow operations on an item"},
		{items + "/operationsStatus/read", Read, on, []string{"ProtectedItemOperationStatuses_Get"}, "follow operations on an item"},
		{rs + "/backupPolicies/read", Read, on, []string{"ProtectionPolicies_Get"}, "see that a policy exists"},
		{rs + "/backupResourceGuardProxies/read", Read, on, []string{"ResourceGuardProxies_Get"}, "tell in advance that a Resource Guard must approve"},
		{rs + "/backupFabrics/protectableContainers/read", Read, on, []string{"ProtectableContainers_List"}, "find storage accounts that can be registered"},
		{rs + "/backupProtectionContainers/read", Read, on, []string{"BackupProtectionContainers_List"}, "find registered storage accounts"},
		{rs + "/backupProtectableItems/read", Read, on, []string{"BackupProtectableItems_List"}, "find file shares that can be protected"},
		{rs + "/backupProtectedItems/read", Read, on, []string{"BackupProtectedItems_List"}, "find protected items"},
		{containers + "/read", Read, on, []string{"ProtectionContainers_Get"}, "see a registered storage account"},
		{items + "/read", Read, on, []string{"ProtectedItems_Get"}, "see a protected item"},

		{items + "/backup/action", Backup, on, []string{"Backups_Trigger"}, "back up now"},
		{rs + "/backupJobs/cancel/action", Backup, on, []string{"JobCancellations_Trigger"}, "cancel the job of a canceled operation"},

		{rs + "/backupFabrics/refreshContainers/action", Protect, on, []string{"ProtectionContainers_Refresh"}, "discover storage accounts"},
		{containers + "/write", Protect, on, []string{"ProtectionContainers_Register"}, "register a storage account"},
		{containers + "/inquire/action", Protect, on, []string{"ProtectionContainers_Inquire"}, "discover file shares"},
		{items + "/write", Protect, on, []string{"ProtectedItems_CreateOrUpdate"}, "protect an item, stop and resume its protection"},

		{items + "/delete", Delete, on, []string{"ProtectedItems_Delete"}, "delete the backups of an item"},
	}
}

func dataProtection() []Permission {
	const on = BackupVault
	return []Permission{
		{dp + "/read", Read, on, []string{"BackupVaults_Get"}, "see the vault and its identity"},
		{instances + "/read", Read, on, []string{"BackupInstances_List", "BackupInstances_Get"}, "find and see backup instances"},
		{dp + "/deletedBackupInstances/read", Read, on, []string{"DeletedBackupInstances_List", "DeletedBackupInstances_Get"}, "tell that an instance is soft-deleted"},
		{instances + "/recoveryPoints/read", Read, on, []string{"RecoveryPoints_List", "RecoveryPoints_Get"}, "find recovery points"},
		{instances + "/operationResults/read", Read, on, []string{"BackupInstances_GetBackupInstanceOperationResult"}, "follow operations on an instance"},
		{dp + "/backupPolicies/read", Read, on, []string{"BackupPolicies_Get"}, "see that a policy exists"},
		{dp + "/backupJobs/read", Read, on, []string{"Jobs_List", "Jobs_Get"}, "follow jobs"},
		{dp + "/operationStatus/read", Read, on, []string{"OperationStatusBackupVaultContext_Get"}, "follow operations"},
		{dp + "/operationResults/read", Read, on, []string{"BackupVaultOperationResults_Get"}, "follow operations"},
		{dp + "/backupResourceGuardProxies/read", Read, on, []string{"DppResourceGuardProxy_List"}, "tell in advance that a Resource Guard must approve"},

		{locations + "/operationStatus/read", Status, Subscription, []string{"OperationStatus_Get"}, "follow operations, whose status Azure keeps by region"},
		{locations + "/operationResults/read", Status, Subscription, []string{"OperationResult_Get"}, "follow operations, whose result Azure keeps by region"},

		{instances + "/backup/action", Backup, on, []string{"BackupInstances_AdhocBackup"}, "back up now"},

		{dp + "/validateForBackup/action", Protect, on, []string{"BackupInstances_ValidateForBackup"}, "validate a backup before it is configured"},
		{instances + "/write", Protect, on, []string{"BackupInstances_CreateOrUpdate"}, "configure the backup of a server"},
		{instances + "/stopProtection/action", Protect, on, []string{"BackupInstances_StopProtection"}, "stop backups and keep what there is for ever"},
		{instances + "/suspendBackups/action", Protect, on, []string{"BackupInstances_SuspendBackups"}, "stop backups and keep what there is as the policy says"},
		{instances + "/resumeProtection/action", Protect, on, []string{"BackupInstances_ResumeProtection"}, "resume protection"},
		{instances + "/resumeBackups/action", Protect, on, []string{"BackupInstances_ResumeBackups"}, "resume backups"},

		{instances + "/validateRestore/action", Delete, on, []string{"BackupInstances_ValidateForRestore"}, "validate a restore"},
		{instances + "/restore/action", Delete, on, []string{"BackupInstances_TriggerRestore"}, "restore"},
		{instances + "/delete", Delete, on, []string{"BackupInstances_Delete"}, "delete the backups of an instance"},
	}
}

// beside are what the app asks of what is backed up, and what Azure asks for
// there when the app calls the vault.
func beside() []Permission {
	return []Permission{
		{"Microsoft.Storage/storageAccounts/read", Read, StorageAccount, nil, "see that the account exists, its tags, and what could keep Azure Backup from it"},
		{"Microsoft.Storage/storageAccounts/fileServices/shares/read", Read, StorageAccount, nil, "find file shares that nothing protects yet"},
		{"Microsoft.DBforPostgreSQL/flexibleServers/read", Read, PostgreSQLServer, nil, "see that the server exists, and its tags"},
		{"Microsoft.Compute/virtualMachines/read", Read, VirtualMachine, nil, "see the machine that a backup is of"},
		{"Microsoft.ServiceBus/namespaces/queues/read", Read, ServiceBusNamespace, nil, "see that the queues have the properties that the engine relies on"},
		{"Microsoft.Authorization/permissions/read", Read, AnyResource, nil, "tell before a call what the app may not do"},
		{"Microsoft.Authorization/roleAssignments/read", Read, AnyResource, nil, "tell which role a vault's own identity lacks"},

		{"Microsoft.Compute/virtualMachines/write", Protect, VirtualMachine, nil, "stop and resume the protection of a virtual machine, for which Azure asks this on the machine"},
	}
}
