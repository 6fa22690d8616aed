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
	ManagedDisk           Resource = "managed disk"
	AKSCluster            Resource = "AKS cluster"
	MySQLServer           Resource = "MySQL server"
	ServiceBusNamespace   Resource = "app's Service Bus namespace"
	DrillTarget           Resource = "target of restore drills"
	AnyResource           Resource = "any of them"
	// TaggedSubscription is a subscription whose resources are scored by a tag. The
	// preflight does not check it: only the readiness report with a tag reads it.
	TaggedSubscription Resource = "subscription, for tags"
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
	// descriptions name them. Of two operations with one name, that of Recovery
	// Services starts with Item.
	Calls []string
	// After are the API operations that require the action in addition to their
	// own: Azure returns the URL of a status or a result, or requires a permission
	// on the resource that is backed up.
	After []string
	// Uses are the places outside of the flows that require the action.
	Uses []Use
	// For describes what the app does with it.
	For string
}

// Use is a place outside of the flows that makes a call.
type Use struct {
	// Package is a folder of the repository, Text a part of its source.
	Package, Text string
}

const (
	rs         = "Microsoft.RecoveryServices/Vaults"
	containers = rs + "/backupFabrics/protectionContainers"
	items      = containers + "/protectedItems"
	dp         = "Microsoft.DataProtection/backupVaults"
	instances  = dp + "/backupInstances"
	locations  = "Microsoft.DataProtection/locations"
)

// call returns the permission for API operations.
func call(action string, on Resource, purpose string, calls ...string) Permission {
	return Permission{Action: action, On: on, Calls: calls, For: purpose}
}

// follow returns the permission for a URL that Azure returns to the API operations
// in after. calls are the names of reading that URL, if it has any.
func follow(action string, on Resource, purpose string, calls, after []string) Permission {
	return Permission{Action: action, On: on, Calls: calls, After: after, For: purpose}
}

// alsoCalled returns a permission that API operations of flows require, too.
func alsoCalled(p Permission, calls ...string) Permission {
	p.Calls = calls
	return p
}

// use returns the permission for a call outside of the flows.
func use(action string, on Resource, purpose, folder, text string) Permission {
	return Permission{Action: action, On: on, Uses: []Use{{Package: folder, Text: text}}, For: purpose}
}

// Catalog returns every permission that the app could need. A new API call is one
// line here. Which of them the app needs, and which role grants it, follows from
// the flows: see Derive.
func Catalog() []Permission {
	return append(append(recoveryServices(), dataProtection()...), otherResources()...)
}

func recoveryServices() []Permission {
	const on = RecoveryServicesVault
	refresh := []string{"ProtectionContainers_Refresh", "ProtectionContainers_Unregister"}
	containerCalls := []string{"ProtectionContainers_Register", "ProtectionContainers_Inquire", "ProtectionContainers_Unregister"}
	itemCalls := []string{"ProtectedItems_CreateOrUpdate", "Backups_Trigger", "Restores_Trigger"}
	deletion := []string{"ProtectedItems_Delete", "ProtectionContainers_Unregister"}
	cancel := []string{"JobCancellations_Trigger"}
	return []Permission{
		call(rs+"/read", on, "see the vault and its identity", "Vaults_Get"),
		call(rs+"/backupJobs/read", on, "follow jobs", "BackupJobs_List", "JobDetails_Get"),
		follow(rs+"/backupJobs/operationResults/read", on, "follow the cancellation of a job", []string{"JobOperationResults_Get"}, cancel),
		follow(rs+"/backupJobs/operationsStatus/read", on, "follow the cancellation of a job", nil, cancel),
		follow(rs+"/backupOperations/read", on, "follow deletions", []string{"BackupOperationStatuses_Get"}, deletion),
		follow(rs+"/backupOperationResults/read", on, "follow deletions", []string{"BackupOperationResults_Get"}, deletion),
		follow(rs+"/backupFabrics/operationResults/read", on, "follow discovery and unregistration", []string{"ProtectionContainerRefreshOperationResults_Get"}, refresh),
		follow(rs+"/backupFabrics/operationsStatus/read", on, "follow discovery and unregistration; Azure returns both kinds of URL", nil, refresh),
		follow(containers+"/operationResults/read", on, "follow registration and inquiry", []string{"ProtectionContainerOperationResults_Get"}, containerCalls),
		follow(containers+"/operationsStatus/read", on, "follow registration and inquiry", nil, containerCalls),
		follow(items+"/operationResults/read", on, "follow operations on an item", []string{"ProtectedItemOperationResults_Get"}, itemCalls),
		follow(items+"/operationsStatus/read", on, "follow operations on an item", []string{"ProtectedItemOperationStatuses_Get"}, itemCalls),
		call(rs+"/backupPolicies/read", on, "see that a policy exists", "ProtectionPolicies_Get", "ItemBackupPolicies_List"),
		call(rs+"/backupResourceGuardProxies/read", on, "detect in advance that a Resource Guard must approve", "ResourceGuardProxies_Get"),
		call(rs+"/backupFabrics/protectableContainers/read", on, "find storage accounts that can be registered", "ProtectableContainers_List"),
		call(rs+"/backupProtectionContainers/read", on, "find registered storage accounts", "BackupProtectionContainers_List"),
		call(rs+"/backupProtectableItems/read", on, "find file shares that can be protected", "BackupProtectableItems_List"),
		call(rs+"/backupProtectedItems/read", on, "find protected items", "BackupProtectedItems_List"),
		call(containers+"/read", on, "see a registered storage account", "ProtectionContainers_Get"),
		call(items+"/read", on, "see a protected item", "ProtectedItems_Get"),
		call(items+"/recoveryPoints/read", on, "find recovery points", "ItemRecoveryPoints_List", "ItemRecoveryPoints_Get"),
		call(containers+"/items/read", on, "see the directories of a SQL Server instance", "BackupWorkloadItems_List"),
		call(rs+"/backupProtectionIntents/read", on, "see which instances are protected automatically", "BackupProtectionIntent_List"),

		call("Microsoft.RecoveryServices/Locations/backupStatus/action", Subscription, "find out which vault protects a virtual machine", "BackupStatus_Get"),

		call(items+"/backup/action", on, "back up now", "Backups_Trigger"),
		call(rs+"/backupJobs/cancel/action", on, "cancel the job of a canceled operation", "JobCancellations_Trigger"),

		call(rs+"/backupFabrics/refreshContainers/action", on, "discover storage accounts", "ProtectionContainers_Refresh"),
		call(containers+"/write", on, "register a storage account", "ProtectionContainers_Register"),
		call(containers+"/inquire/action", on, "discover file shares", "ProtectionContainers_Inquire"),
		call(items+"/write", on, "protect an item, stop and resume its protection", "ProtectedItems_CreateOrUpdate"),

		call(rs+"/backupFabrics/backupProtectionIntent/write", on, "protect the databases of an instance automatically", "ProtectionIntent_CreateOrUpdate"),

		call(containers+"/delete", on, "unregister a storage account or virtual machine", "ProtectionContainers_Unregister"),
		call(items+"/delete", on, "delete the backups of an item", "ProtectedItems_Delete"),
		call(items+"/recoveryPoints/restore/action", on, "restore", "Restores_Trigger"),
	}
}

func dataProtection() []Permission {
	const on = BackupVault
	changes := []string{
		"BackupInstances_ValidateForBackup", "BackupInstances_CreateOrUpdate", "BackupInstances_AdhocBackup",
		"BackupInstances_ValidateForRestore", "BackupInstances_TriggerRestore", "BackupInstances_Delete",
		"BackupInstances_StopProtection", "BackupInstances_SuspendBackups", "BackupInstances_ResumeProtection", "DeletedBackupInstances_Undelete",
	}
	status := follow(locations+"/operationStatus/read", Subscription, "follow operations, whose status Azure keeps by region", []string{"OperationStatus_Get"}, changes)
	result := follow(locations+"/operationResults/read", Subscription, "follow operations, whose result Azure keeps by region", []string{"OperationResult_Get"}, changes)
	status.Role, result.Role = Status, Status
	return []Permission{
		call(dp+"/read", on, "see the vault and its identity", "BackupVaults_Get"),
		call(instances+"/read", on, "find and see backup instances", "BackupInstances_List", "BackupInstances_Get"),
		call(dp+"/deletedBackupInstances/read", on, "detect that an instance is soft-deleted", "DeletedBackupInstances_List", "DeletedBackupInstances_Get"),
		call(instances+"/recoveryPoints/read", on, "find recovery points", "RecoveryPoints_List", "RecoveryPoints_Get"),
		follow(instances+"/operationResults/read", on, "follow operations on an instance", []string{"BackupInstances_GetBackupInstanceOperationResult"}, changes),
		call(dp+"/backupPolicies/read", on, "see that a policy exists", "BackupPolicies_Get", "BackupPolicies_List"),
		call(dp+"/backupJobs/read", on, "follow jobs", "Jobs_List", "Jobs_Get"),
		follow(dp+"/operationStatus/read", on, "follow operations", []string{"OperationStatusBackupVaultContext_Get"}, changes),
		call(dp+"/backupResourceGuardProxies/read", on, "detect in advance that a Resource Guard must approve", "DppResourceGuardProxy_List"),

		status,
		result,

		call(instances+"/backup/action", on, "back up now", "BackupInstances_AdhocBackup"),

		call(dp+"/validateForBackup/action", on, "validate a backup before it is configured", "BackupInstances_ValidateForBackup"),
		call(instances+"/write", on, "configure the backup of a server", "BackupInstances_CreateOrUpdate"),
		call(instances+"/stopProtection/action", on, "stop backups and keep the existing ones without expiry", "BackupInstances_StopProtection"),
		call(instances+"/suspendBackups/action", on, "stop backups and keep the existing ones by the policy", "BackupInstances_SuspendBackups"),
		call(dp+"/deletedBackupInstances/undelete/action", on, "bring back a soft-deleted instance", "DeletedBackupInstances_Undelete"),
		call(instances+"/resumeProtection/action", on, "resume protection that was stopped or suspended", "BackupInstances_ResumeProtection"),

		call(instances+"/findRestorableTimeRanges/action", on, "find the times to which a continuous backup can be restored", "RestorableTimeRanges_Find"),
		call(instances+"/validateRestore/action", on, "validate a restore", "BackupInstances_ValidateForRestore"),
		call(instances+"/restore/action", on, "restore", "BackupInstances_TriggerRestore"),
		call(instances+"/delete", on, "delete the backups of an instance", "BackupInstances_Delete"),
	}
}

// otherResources lists what the app reads of the resources that are backed up, and
// what Azure requires there when the app calls the vault.
func otherResources() []Permission {
	const autoprotect, preflight = "internal/autoprotect", "internal/preflight"
	// Azure checks both on the machine when the app changes its protected item.
	// https://learn.microsoft.com/azure/backup/backup-rbac-rs-vault
	change := []string{"ProtectedItems_CreateOrUpdate"}
	readMachine := follow("Microsoft.Compute/virtualMachines/read", VirtualMachine, "protect a virtual machine, and stop and resume its protection", []string{"VirtualMachines_Get"}, change)
	writeMachine := follow("Microsoft.Compute/virtualMachines/write", VirtualMachine, "protect a virtual machine, and stop and resume its protection, for which Azure requires this on the machine", nil, change)
	readMachine.Role, writeMachine.Role = VirtualMachines, VirtualMachines
	const matched = "see that the resource exists, and its tags, for rules of automatic protection"
	disks := use("Microsoft.Compute/disks/read", ManagedDisk, matched, autoprotect, "kinds.DatasourceDisk")
	clusters := use("Microsoft.ContainerService/managedClusters/read", AKSCluster, matched, autoprotect, "kinds.DatasourceCluster")
	mySQL := use("Microsoft.DBforMySQL/flexibleServers/read", MySQLServer, matched, autoprotect, "kinds.DatasourceMySQL")
	disks.Role, clusters.Role, mySQL.Role = Datasources, Datasources, Datasources
	return []Permission{
		alsoCalled(use("Microsoft.Storage/storageAccounts/read", StorageAccount, "see that the account exists, its tags, and what could block Azure Backup", autoprotect, "TypeStorageAccount"), "StorageAccounts_GetProperties"),
		alsoCalled(use("Microsoft.Storage/storageAccounts/fileServices/shares/read", StorageAccount, "find unprotected file shares, and read those of drills", autoprotect, "ListFileShares("), "FileShares_Get"),
		use("Microsoft.DBforPostgreSQL/flexibleServers/read", PostgreSQLServer, "see that the server exists, and its tags", autoprotect, "kinds.DatasourceFlexibleServer"),
		use("Microsoft.Resources/subscriptions/resources/read", TaggedSubscription, "score the readiness of resources by a tag", "internal/readiness/scan", "ListResources("),
		use("Microsoft.ServiceBus/namespaces/queues/read", ServiceBusNamespace, "check the properties of the queues that the engine relies on", preflight, `"/queues/"`),
		use("Microsoft.Authorization/permissions/read", AnyResource, "find out before a call what the app may not do", preflight, `"/providers/Microsoft.Authorization/permissions"`),
		use("Microsoft.Authorization/roleAssignments/read", AnyResource, "find out which role a vault's own identity lacks", preflight, `"/providers/Microsoft.Authorization/roleAssignments"`),

		readMachine,
		writeMachine,
		alsoCalled(disks, "Disks_Get", "Disks_ListByResourceGroup"),
		clusters,
		mySQL,

		call("Microsoft.Storage/storageAccounts/fileServices/shares/write", DrillTarget, "make the place of a drill", "FileShares_Create"),
		call("Microsoft.Storage/storageAccounts/fileServices/shares/delete", DrillTarget, "delete the place of a drill", "FileShares_Delete"),
		call("Microsoft.Storage/storageAccounts/blobServices/containers/read", DrillTarget, "read the place of a drill", "BlobContainers_Get"),
		call("Microsoft.Storage/storageAccounts/blobServices/containers/write", DrillTarget, "make and mark the place of a drill", "BlobContainers_Create", "BlobContainers_Update"),
		call("Microsoft.Storage/storageAccounts/blobServices/containers/delete", DrillTarget, "delete the place of a drill", "BlobContainers_Delete"),
		call("Microsoft.Compute/disks/write", DrillTarget, "mark the disks of a drill", "Disks_Update"),
		call("Microsoft.Compute/disks/delete", DrillTarget, "delete the disks of a drill", "Disks_Delete"),
	}
}
