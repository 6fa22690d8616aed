package armsim

import (
	"fmt"
	"time"
)

// BackupVault is a Backup vault (Microsoft.DataProtection/backupVaults).
type BackupVault struct {
	Subscription, ResourceGroup, Name string
	// Location is a region such as "westus".
	Location string
	Policies []BackupPolicy
	// Immutability is Disabled (if empty), Unlocked or Locked. Unlocked and Locked
	// vaults reject the deletion of backup data.
	Immutability string
	// SoftDelete is Off (if empty), On or AlwaysOn.
	SoftDelete string
	// SoftDeleteDays is the retention of a deleted backup instance in days; 14 if
	// 0.
	SoftDeleteDays int
	// ResourceGuard turns on multi-user authorization: the vault rejects deleting
	// and stopping protection.
	ResourceGuard bool
	// Identities are the ARM IDs of the vault's user-assigned identities.
	Identities []string
}

// BackupPolicy is a policy of a Backup vault. Its backup rule has the first of
// the names that the type of its datasources has, such as BackupWeekly.
type BackupPolicy struct {
	Name string
	// DatasourceTypes are types such as Microsoft.DBforPostgreSQL/flexibleServers.
	DatasourceTypes []string
	// Retention is how long backups are kept, in ISO 8601; P12W if empty.
	Retention string
	// Store is the data store of the backups; the usual one of the type if empty.
	Store string
	// Continuous makes a policy of blobs without a backup rule.
	Continuous bool
}

// FlexibleServer is an Azure Database for PostgreSQL flexible server.
type FlexibleServer struct {
	Subscription, ResourceGroup, Name, Location string
	// Version is PostgreSQL's major version; "15" if empty.
	Version string
	Tags    map[string]string
}

// SingleServer is an Azure Database for PostgreSQL single server. Azure has
// retired this server type; its backups remain.
type SingleServer struct {
	Subscription, ResourceGroup, Name, Location string
	// Version is PostgreSQL's version; "11" if empty.
	Version   string
	Databases []string
	// Gone marks a deleted server: its databases can neither be backed up nor be a
	// restore target.
	Gone bool
}

// BlobContainer is a container of a storage account, a target of restores.
type BlobContainer struct {
	Name string
	// Denied denies Backup vaults access to the container.
	Denied   bool
	Metadata map[string]string

	modified time.Time // zero: at the start
}

// ProtectedDatasource is a datasource that a Backup vault already protects.
type ProtectedDatasource struct {
	// Vault is the ARM ID of the vault, Policy the name of one of its policies.
	Vault, Policy string
	// Datasource is the ARM ID of the datasource, Type its type. If empty, it is
	// the first type that such a resource has.
	Datasource, Type string
	// Instance is the name of the backup instance.
	Instance string
	// SnapshotGroup is the ARM ID of the resource group for the snapshots of a disk
	// or a cluster.
	SnapshotGroup string
	// State is its currentProtectionState; ProtectionConfigured if empty.
	State          string
	RecoveryPoints []RecoveryPoint
	// Past describes its earlier backups; nil means that the vault lists no jobs.
	Past *Past
}

// RecoveryPoint is a recovery point of a protected datasource.
type RecoveryPoint struct {
	// ID is 32 hex digits.
	ID string
	// Age is the age of the recovery point when the simulator starts. It is not
	// divided by the speed factor.
	Age time.Duration
	// Store is VaultStore, ArchiveStore or OperationalStore; the usual one of the
	// type if empty.
	Store string
	// FriendlyName is its friendly name; the ID if empty.
	FriendlyName string
	// Properties and StoreDetails replace properties of the recovery point and of
	// its entry in recoveryPointDataStoresDetails, such as visible.
	Properties, StoreDetails map[string]any
	// ServerVersion is the version of the server at the time of the backup; the
	// current version of the server if empty.
	ServerVersion string
}

// ID returns the ARM ID of the Backup vault.
func (v BackupVault) ID() string {
	return fmt.Sprintf("/subscriptions/%s/resourceGroups/%s/providers/Microsoft.DataProtection/backupVaults/%s",
		v.Subscription, v.ResourceGroup, v.Name)
}

// ID returns the ARM ID of the flexible server.
func (f FlexibleServer) ID() string {
	return fmt.Sprintf("/subscriptions/%s/resourceGroups/%s/providers/Microsoft.DBforPostgreSQL/flexibleServers/%s",
		f.Subscription, f.ResourceGroup, f.Name)
}

// ID returns the ARM ID of the single server.
func (s SingleServer) ID() string {
	return fmt.Sprintf("/subscriptions/%s/resourceGroups/%s/providers/Microsoft.DBforPostgreSQL/servers/%s",
		s.Subscription, s.ResourceGroup, s.Name)
}

// DatabaseID returns the ARM ID of a database of the server. The database need
// not exist.
func (s SingleServer) DatabaseID(database string) string { return s.ID() + "/databases/" + database }
