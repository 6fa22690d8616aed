package roles

// Resource is the kind of resource that a permission is about. The role that
// grants the permission is assigned on it, or above it.
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
	// Action is the name in Learn's list, which ARM compares without regard to
	// casing.
	Action string
	// Role grants the action. In the catalog it is empty for actions whose role
	// follows from the flows; see Derive.
	Role Role
	On   Resource
	// Calls are the API operations that require the action, as the providers' API
	// descriptions name them; empty if a call requires it in addition to its own
	// action, on another resource.
	Calls []string
	// For describes what the app does with it.
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

// fromFlows marks an action whose role follows from the flows; see Derive.
const fromFlows = ""

// catalog lists every permission. A new API call is one line here.
func catalog() []Permission {
	return append(append(recoveryServices(), dataProtection()...), otherResources()...)
}

func recoveryServices() []Permission {
	const on = RecoveryServicesVault
	return []Permission{
		{rs + "/read", fromFlows, on, []string{"Vaults_Get"}, "see the vault and its identity"},
		{rs + "/backupJobs/read", fromFlows, on, []string{"BackupJobs_List", "JobDetails_Get"}, "follow jobs"},
		{rs + "/backupJobs/operationResults/read", fromFlows, on, []string{"JobOperationResults_Get"}, "follow the cancellation of a job"},
		{rs + "/backupJobs/operationsStatus/read", fromFlows, on, nil, "follow the cancellation of a job"},
		{rs + "/backupOperations/read", fromFlows, on, []string{"BackupOperationStatuses_Get"}, "follow operations"},
		{rs + "/backupOperationResults/read", fromFlows, on, []string{"BackupOperationResults_Get"}, "follow operations"},
		{rs + "/operationStatus/read", fromFlows, on, nil, "follow operations on the vault itself"},
		{rs + "/backupFabrics/operationResults/read", fromFlows, on, []string{"ProtectionContainerRefreshOperationResults_Get"}, "follow the discovery of storage accounts"},
		{rs + "/backupFabrics/operationsStatus/read", fromFlows, on, nil, "follow the discovery of storage accounts; Azure returns both kinds of URL"},
		{containers + "/operationResults/read", fromFlows, on, []string{"ProtectionContainerOperationResults_Get"}, "follow registration and inquiry"},
		{containers + "/operationsStatus/read", fromFlows, on, nil, "follow registration and inquiry"},
		{items + "/operationResults/read", fromFlows, on, []string{"ProtectedItemOperationResults_Get"}, "follow operations on an item"},
		{items + "/operationsStatus/read", fromFlows, on, []string{"ProtectedItemOperationStatuses_Get"}, "follow operations on an item"},
		{rs + "/backupPolicies/read", fromFlows, on, []string{"ProtectionPolicies_Get"}, "see that a policy exists"},
		{rs + "/backupResourceGuardProxies/read", fromFlows, on, []string{"ResourceGuardProxies_Get"}, "detect in advance that a Resource Guard must approve"},
		{rs + "/backupFabrics/protectableContainers/read", fromFlows, on, []string{"ProtectableContainers_List"}, "find storage accounts that can be registered"},
		{rs + "/backupProtectionContainers/read", fromFlows, on, []string{"BackupProtectionContainers_List"}, "find registered storage accounts"},
		{rs + "/backupProtectableItems/read", fromFlows, on, []string{"BackupProtectableItems_List"}, "find file shares that can be protected"},
		{rs + "/backupProtectedItems/read", fromFlows, on, []string{"BackupProtectedItems_List"}, "find protected items"},
		{containers + "/read", fromFlows, on, []string{"ProtectionContainers_Get"}, "see a registered storage account"},
		{items + "/read", fromFlows, on, []string{"ProtectedItems_Get"}, "see a protected item"},

		{items + "/backup/action", fromFlows, on, []string{"Backups_Trigger"}, "back up now"},
		{rs + "/backupJobs/cancel/action", fromFlows, on, []string{"JobCancellations_Trigger"}, "cancel the job of a canceled operation"},

		{rs + "/backupFabrics/refreshContainers/action", fromFlows, on, []string{"ProtectionContainers_Refresh"}, "discover storage accounts"},
		{containers + "/write", fromFlows, on, []string{"ProtectionContainers_Register"}, "register a storage account"},
		{containers + "/inquire/action", fromFlows, on, []string{"ProtectionContainers_Inquire"}, "discover file shares"},
		{items + "/write", fromFlows, on, []string{"ProtectedItems_CreateOrUpdate"}, "protect an item, stop and resume its protection"},

		{items + "/delete", fromFlows, on, []string{"ProtectedItems_Delete"}, "delete the backups of an item"},
	}
}

func dataProtection() []Permission {
	const on = BackupVault
	return []Permission{
		{dp + "/read", fromFlows, on, []string{"BackupVaults_Get"}, "see the vault and its identity"},
		{instances + "/read", fromFlows, on, []string{"BackupInstances_List", "BackupInstances_Get"}, "find and see backup instances"},
		{dp + "/deletedBackupInstances/read", fromFlows, on, []string{"DeletedBackupInstances_List", "DeletedBackupInstances_Get"}, "detect that an instance is soft-deleted"},
		{instances + "/recoveryPoints/read", fromFlows, on, []string{"RecoveryPoints_List", "RecoveryPoints_Get"}, "find recovery points"},
		{instances + "/operationResults/read", fromFlows, on, []string{"BackupInstances_GetBackupInstanceOperationResult"}, "follow operations on an instance"},
		{dp + "/backupPolicies/read", fromFlows, on, []string{"BackupPolicies_Get"}, "see that a policy exists"},
		{dp + "/backupJobs/read", fromFlows, on, []string{"Jobs_List", "Jobs_Get"}, "follow jobs"},
		{dp + "/operationStatus/read", fromFlows, on, []string{"OperationStatusBackupVaultContext_Get"}, "follow operations"},
		{dp + "/operationResults/read", fromFlows, on, []string{"BackupVaultOperationResults_Get"}, "follow operations"},
		{dp + "/backupResourceGuardProxies/read", fromFlows, on, []string{"DppResourceGuardProxy_List"}, "detect in advance that a Resource Guard must approve"},

		{locations + "/operationStatus/read", Status, Subscription, []string{"OperationStatus_Get"}, "follow operations, whose status Azure keeps by region"},
		{locations + "/operationResults/read", Status, Subscription, []string{"OperationResult_Get"}, "follow operations, whose result Azure keeps by region"},

		{instances + "/backup/action", fromFlows, on, []string{"BackupInstances_AdhocBackup"}, "back up now"},

		{dp + "/validateForBackup/action", fromFlows, on, []string{"BackupInstances_ValidateForBackup"}, "validate a backup before it is configured"},
		{instances + "/write", fromFlows, on, []string{"BackupInstances_CreateOrUpdate"}, "configure the backup of a server"},
		{instances + "/stopProtection/action", fromFlows, on, []string{"BackupInstances_StopProtection"}, "stop backups and keep the existing ones without expiry"},
		{instances + "/suspendBackups/action", Protect, on, []string{"BackupInstances_SuspendBackups"}, "stop backups and keep the existing ones by the policy"},
		{instances + "/resumeProtection/action", fromFlows, on, []string{"BackupInstances_ResumeProtection"}, "resume protection that was stopped or suspended"},

		{instances + "/validateRestore/action", fromFlows, on, []string{"BackupInstances_ValidateForRestore"}, "validate a restore"},
		{instances + "/restore/action", fromFlows, on, []string{"BackupInstances_TriggerRestore"}, "restore"},
		{instances + "/delete", fromFlows, on, []string{"BackupInstances_Delete"}, "delete the backups of an instance"},
	}
}

// otherResources lists what the app reads of the resources that are backed up, and
// what Azure requires there when the app calls the vault.
func otherResources() []Permission {
	return []Permission{
		{"Microsoft.Storage/storageAccounts/read", fromFlows, StorageAccount, nil, "see that the account exists, its tags, and what could block Azure Backup"},
		{"Microsoft.Storage/storageAccounts/fileServices/shares/read", fromFlows, StorageAccount, nil, "find unprotected file shares"},
		{"Microsoft.DBforPostgreSQL/flexibleServers/read", fromFlows, PostgreSQLServer, nil, "see that the server exists, and its tags"},
		{"Microsoft.Compute/virtualMachines/read", fromFlows, VirtualMachine, nil, "see the machine of a backup"},
		{"Microsoft.ServiceBus/namespaces/queues/read", fromFlows, ServiceBusNamespace, nil, "check the properties of the queues that the engine relies on"},
		{"Microsoft.Authorization/permissions/read", fromFlows, AnyResource, nil, "find out before a call what the app may not do"},
		{"Microsoft.Authorization/roleAssignments/read", fromFlows, AnyResource, nil, "find out which role a vault's own identity lacks"},

		{"Microsoft.Compute/virtualMachines/write", Protect, VirtualMachine, nil, "stop and resume the protection of a virtual machine, for which Azure requires this on the machine"},
	}
}
