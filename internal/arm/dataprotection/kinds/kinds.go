// Package kinds is the table of the datasources that Backup vaults protect. A new
// type of datasource is one entry. The package makes no call.
package kinds

import (
	"slices"
	"strings"
)

// SetInfo selects what a datasource names as its set (dataSourceSetInfo).
type SetInfo string

const (
	// NoSet leaves the field out.
	NoSet SetInfo = ""
	// SameSet names the datasource itself again.
	SameSet SetInfo = "same"
	// ParentSet names the resource that contains the datasource.
	ParentSet SetInfo = "parent"
)

// Kind describes everything that differs between the types of datasources of a
// Backup vault. A new type is one entry of All: flows, checks, schemas,
// preflight, documentation and the simulator read it.
type Kind struct {
	// Type is the datasourceType of policies and backup instances.
	Type string
	// Name names one such datasource for people, such as "managed disk".
	Name string
	// SourceType is the ARM type of the resource that is backed up. Several kinds
	// may have one type. SourceVersion is the api-version of its reads and lists;
	// empty if automatic protection does not read it, or if another entry of the
	// type has it.
	SourceType, SourceVersion string
	// ResourceType is the value of resourceType, in the casing that Azure uses.
	ResourceType string
	// APIVersion is the api-version of calls with bodies of this kind.
	APIVersion string
	Set        SetInfo
	// SnapshotGroup means that the instance names a resource group for snapshots.
	SnapshotGroup bool
	// Parameters is the objectType of the instance's backup parameters; empty if
	// it has none.
	Parameters string
	// OwnFriendlyName means that the user chooses a part of the friendly name.
	OwnFriendlyName bool
	// Retired means that Azure no longer protects new ones.
	Retired bool
	// Rules are the names that Azure's clients give the backup rules of policies.
	// A kind without rules is backed up continuously and not on demand.
	Rules []string
	// BackupType is the backupType of its rules.
	BackupType string
	// Restores are the ways to restore it.
	Restores []Restore
	// Roles are the built-in roles that identities need.
	Roles []RoleNeed
}

// TargetKind is a kind of restore target. Each has an allow-list of its own.
type TargetKind string

// The kinds of restore targets.
const (
	TargetDisk      TargetKind = "disk"
	TargetAccount   TargetKind = "storage account"
	TargetCluster   TargetKind = "cluster"
	TargetContainer TargetKind = "blob container"
	TargetDatabase  TargetKind = "database server"
)

// Restore is a way to restore a kind of datasource.
type Restore struct {
	// Store is the data store that holds the backups: one of the Store constants.
	Store string
	// ByTime means that a time is restored instead of a recovery point.
	ByTime bool
	// Target is the kind of resource that the restore writes to.
	Target TargetKind
	// InPlace means that the target must be the datasource itself.
	InPlace bool
	// TargetObject is the objectType of restoreTargetInfo, Criteria that of its
	// restoreCriteria; without criteria it is empty.
	TargetObject, Criteria string
	// TargetSet means that the target is named as the set of datasources, too.
	TargetSet bool
}

// Scope selects the resource that a role is assigned on.
type Scope string

// The scopes of roles.
const (
	OnSource        Scope = "the datasource"
	OnSourceGroup   Scope = "the datasource's resource group"
	OnSnapshotGroup Scope = "the snapshot resource group"
	OnTarget        Scope = "the restore target"
	OnTargetGroup   Scope = "the target's resource group"
)

// RoleNeed is a built-in role that an identity needs.
type RoleNeed struct {
	// ID is the GUID of the role definition.
	ID, Name string
	On       Scope
	// OfSource means that the datasource's own identity needs it; otherwise it is
	// the vault's identity.
	OfSource bool
	// Restore means that only restores need it.
	Restore bool
}

// Built-in roles of Azure.
// https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
const (
	roleReader         = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
	roleContributor    = "b24988ac-6180-42a0-ab88-20f7382dd24c"
	roleDiskReader     = "3e5e47e6-65f7-47ef-90b5-e5dd4d455f24"
	roleDiskSnapshots  = "7efff54f-a5b4-42b5-a1c5-5411624893ce"
	roleDiskRestore    = "b50d9833-a0cb-478e-945f-707fcc997c13"
	roleAccountBackup  = "e5e2a7ff-d759-4cd2-bb51-3152d37e2eb1"
	roleBlobData       = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
	roleMySQLBackup    = "d18ad5f3-1baf-4119-b49b-d944edb1f9d0"
	rolePostgresBackup = "c088a766-074b-43ba-90d4-1fb21feae531"
	roleKeyVaultUser   = "4633458b-17de-408a-b874-0445c86b69e6"
)

// Types of data stores, also called tiers.
const (
	StoreVault       = "VaultStore"
	StoreArchive     = "ArchiveStore"
	StoreOperational = "OperationalStore"
)

// BlobDataContributor is the role on the storage account of a restore as files.
func BlobDataContributor() RoleNeed {
	return RoleNeed{ID: roleBlobData, Name: "Storage Blob Data Contributor", On: OnTarget, Restore: true}
}

// Names of the types of datasources.
const (
	DatasourceDisk    = "Microsoft.Compute/disks"
	DatasourceBlob    = "Microsoft.Storage/storageAccounts/blobServices"
	DatasourceADLS    = "Microsoft.Storage/storageAccounts/adlsBlobServices"
	DatasourceCluster = "Microsoft.ContainerService/managedClusters"
	DatasourceMySQL   = "Microsoft.DBforMySQL/flexibleServers"
	// DatasourceFlexibleServer is a PostgreSQL flexible server with all its
	// databases.
	DatasourceFlexibleServer = "Microsoft.DBforPostgreSQL/flexibleServers"
	// DatasourceDatabase is a database of a PostgreSQL single server. That server
	// type is retired, but its backups remain.
	DatasourceDatabase = "Microsoft.DBforPostgreSQL/servers/databases"
)

const (
	typeStorageAccount = "Microsoft.Storage/storageAccounts"
	// apiVersion is the api-version of most bodies.
	apiVersion = "2024-04-01"
	// adlsVersion is the first api-version with the backup parameters of ADLS.
	adlsVersion = "2025-07-01"
)

// objectTypes of backup parameters.
const (
	ParametersBlob       = "BlobBackupDatasourceParameters"
	ParametersADLS       = "AdlsBlobBackupDatasourceParameters"
	ParametersKubernetes = "KubernetesClusterBackupDatasourceParameters"
)

// objectTypes of restore targets and criteria.
const (
	targetWhole = "RestoreTargetInfo"
	targetItems = "ItemLevelRestoreTargetInfo"
	targetFiles = "RestoreFilesTargetInfo"

	criteriaRange      = "RangeBasedItemLevelRestoreCriteria"
	criteriaPath       = "ItemPathBasedRestoreCriteria"
	criteriaKubernetes = "KubernetesClusterRestoreCriteria"
	criteriaVaultTier  = "KubernetesClusterVaultTierRestoreCriteria"
)

// All returns every type of datasource that azbackupflow knows. Sources: the
// API descriptions, the support matrices of Azure Backup and recorded traffic.
func All() []Kind {
	return []Kind{diskKind(), blobKind(), adlsKind(), clusterKind(), mySQLKind(), postgresKind(), postgresDatabaseKind()}
}

func diskKind() Kind {
	return Kind{
		Type: DatasourceDisk, Name: "managed disk", SourceType: DatasourceDisk, SourceVersion: "2024-03-02", ResourceType: DatasourceDisk, APIVersion: apiVersion,
		SnapshotGroup: true, Rules: []string{"BackupHourly", "BackupDaily"}, BackupType: "Incremental",
		Restores: []Restore{{Store: StoreOperational, Target: TargetDisk, TargetObject: targetWhole}},
		Roles: []RoleNeed{
			{ID: roleDiskReader, Name: "Disk Backup Reader", On: OnSource},
			{ID: roleDiskSnapshots, Name: "Disk Snapshot Contributor", On: OnSnapshotGroup},
			{ID: roleDiskRestore, Name: "Disk Restore Operator", On: OnTargetGroup, Restore: true},
		},
	}
}

// accountRoles are the roles for the blobs of a storage account.
func accountRoles() []RoleNeed {
	return []RoleNeed{
		{ID: roleAccountBackup, Name: "Storage Account Backup Contributor", On: OnSource},
		{ID: roleAccountBackup, Name: "Storage Account Backup Contributor", On: OnTarget, Restore: true},
	}
}

// blobKind backs up continuously to the operational store, and by rules to the
// vault store, as the policy says.
func blobKind() Kind {
	return Kind{
		Type: DatasourceBlob, Name: "storage account's blobs", SourceType: typeStorageAccount, ResourceType: typeStorageAccount, APIVersion: apiVersion,
		Parameters: ParametersBlob, Rules: []string{"BackupWeekly", "BackupDaily"}, BackupType: "Discrete",
		Restores: []Restore{
			{Store: StoreOperational, ByTime: true, Target: TargetAccount, InPlace: true, TargetObject: targetWhole},
			{Store: StoreOperational, ByTime: true, Target: TargetAccount, InPlace: true, TargetObject: targetItems, Criteria: criteriaRange},
			{Store: StoreVault, Target: TargetAccount, TargetObject: targetItems, Criteria: criteriaPath},
		},
		Roles: accountRoles(),
	}
}

func adlsKind() Kind {
	return Kind{
		Type: DatasourceADLS, Name: "Data Lake Storage Gen2 account", SourceType: typeStorageAccount, ResourceType: typeStorageAccount, APIVersion: adlsVersion,
		Set: SameSet, Parameters: ParametersADLS, Rules: []string{"BackupWeekly", "BackupDaily"}, BackupType: "Discrete",
		Restores: []Restore{{Store: StoreVault, Target: TargetAccount, TargetObject: targetItems, Criteria: criteriaPath, TargetSet: true}},
		Roles:    accountRoles(),
	}
}

// clusterKind has a resourceType in another casing than its datasourceType, as
// recorded. Even a restore of everything has criteria.
func clusterKind() Kind {
	return Kind{
		Type: DatasourceCluster, Name: "AKS cluster", SourceType: DatasourceCluster, SourceVersion: "2024-09-01", ResourceType: "Microsoft.ContainerService/managedclusters", APIVersion: apiVersion,
		Set: SameSet, SnapshotGroup: true, Parameters: ParametersKubernetes, OwnFriendlyName: true,
		Rules: []string{"BackupHourly", "BackupDaily"}, BackupType: "Incremental",
		Restores: []Restore{
			{Store: StoreOperational, Target: TargetCluster, TargetObject: targetItems, Criteria: criteriaKubernetes, TargetSet: true},
			{Store: StoreVault, Target: TargetCluster, TargetObject: targetItems, Criteria: criteriaVaultTier, TargetSet: true},
		},
		Roles: []RoleNeed{
			{ID: roleReader, Name: "Reader", On: OnSource},
			{ID: roleReader, Name: "Reader", On: OnSnapshotGroup},
			{ID: roleContributor, Name: "Contributor", On: OnSnapshotGroup, OfSource: true},
			{ID: roleReader, Name: "Reader", On: OnTarget, Restore: true},
		},
	}
}

// serverKind is a flexible server, which is restored as files.
func serverKind(kind, sourceVersion, name, roleID, role string) Kind {
	return Kind{
		Type: kind, Name: name, SourceType: kind, SourceVersion: sourceVersion, ResourceType: kind, APIVersion: apiVersion,
		Rules: []string{"BackupWeekly"}, BackupType: "Full",
		Restores: []Restore{{Store: StoreVault, Target: TargetContainer, TargetObject: targetFiles}},
		Roles: []RoleNeed{
			{ID: roleID, Name: role, On: OnSource},
			{ID: roleReader, Name: "Reader", On: OnSourceGroup},
			BlobDataContributor(),
		},
	}
}

func mySQLKind() Kind {
	return serverKind(DatasourceMySQL, "2023-12-30", "MySQL flexible server", roleMySQLBackup, "MySQL Backup And Export Operator")
}

func postgresKind() Kind {
	return serverKind(DatasourceFlexibleServer, "2024-08-01", "PostgreSQL flexible server", rolePostgresBackup, "PostgreSQL Flexible Server Long Term Retention Backup Role")
}

func postgresDatabaseKind() Kind {
	return Kind{
		Type: DatasourceDatabase, Name: "database of a PostgreSQL single server", SourceType: DatasourceDatabase, ResourceType: DatasourceDatabase,
		APIVersion: apiVersion, Set: ParentSet, Retired: true, Rules: []string{"BackupWeekly"}, BackupType: "Full",
		Restores: []Restore{
			{Store: StoreVault, Target: TargetDatabase, TargetObject: targetWhole, TargetSet: true},
			{Store: StoreArchive, Target: TargetDatabase, TargetObject: targetWhole, TargetSet: true},
			{Store: StoreVault, Target: TargetContainer, TargetObject: targetFiles},
			{Store: StoreArchive, Target: TargetContainer, TargetObject: targetFiles},
		},
		Roles: []RoleNeed{
			{ID: roleReader, Name: "Reader", On: OnSource},
			{ID: roleKeyVaultUser, Name: "Key Vault Secrets User", On: OnTarget, Restore: true},
			BlobDataContributor(),
		},
	}
}

// Find returns the entry of a datasourceType, in any casing.
func Find(all []Kind, datasourceType string) (k Kind, ok bool) {
	at := slices.IndexFunc(all, func(k Kind) bool { return strings.EqualFold(k.Type, datasourceType) })
	if at < 0 {
		return Kind{}, false
	}
	return all[at], true
}

// NameOf returns the name of a datasourceType for people; a type that the table
// does not have is its own name.
func NameOf(datasourceType string) string {
	if k, ok := Find(All(), datasourceType); ok {
		return k.Name
	}
	return datasourceType
}

// Restorable returns the way to restore from a store to a kind of target, with
// or without criteria; ok is false if there is none.
func (k Kind) Restorable(store string, target TargetKind, items bool) (r Restore, ok bool) {
	for _, r := range k.Restores {
		if strings.EqualFold(r.Store, store) && r.Target == target && (r.Criteria != "") == items {
			return r, true
		}
	}
	return Restore{}, false
}
