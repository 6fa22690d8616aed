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
	// Immutability is Disabled (if empty), Unlocked or Locked. In both of the
	// latter, backup data cannot be deleted.
	Immutability string
	// SoftDelete is Off (if empty), On or AlwaysOn.
	SoftDelete string
	// SoftDeleteDays is how long a deleted backup instance is kept; 14 if 0.
	SoftDeleteDays int
	// ResourceGuard says that multi-user authorization is on: deleting and
	// stopping protection are refused.
	ResourceGuard bool
}

// BackupPolicy is a policy of a Backup vault: weekly full backups by a rule
// named BackupWeekly.
type BackupPolicy struct {
	Name string
	// DatasourceTypes are Microsoft.DBforPostgreSQL/flexibleServers or
	// Microsoft.DBforPostgreSQL/servers/databases.
	DatasourceTypes []string
}

// FlexibleServer is an Azure Database for PostgreSQL flexible server.
type FlexibleServer struct {
	Subscription, ResourceGroup, Name, Location string
	// Version is PostgreSQL's major version; "15" if empty.
	Version string
	Tags    map[string]string
}

// SingleServer is an Azure Database for PostgreSQL single server, a server type
// that Azure has retired and whose backups remain.
type SingleServer struct {
	Subscription, ResourceGroup, Name, Location string
	// Version is PostgreSQL's version; "11" if empty.
	Version   string
	Databases []string
	// Gone says that the server itself is no more: its databases can neither be
	// backed up nor restored to.
	Gone bool
}

// BlobContainer is a container of a storage account, a target of restores.
type BlobContainer struct {
	Name string
	// Denied says that Backup vaults have no access to it.
	Denied bool
}

// ProtectedDatasource is a flexible server, or a database of a single server,
// that a Backup vault already protects.
type ProtectedDatasource struct {
	// Vault is the vault's ARM id, Policy the name of one of its policies.
	Vault, Policy string
	// Datasource is the ARM id of the flexible server or of the database.
	Datasource string
	// Instance is the backup instance's name.
	Instance string
	// State is its currentProtectionState; ProtectionConfigured if empty.
	State          string
	RecoveryPoints []RecoveryPoint
}

// RecoveryPoint is a recovery point of a protected datasource.
type RecoveryPoint struct {
	// ID is 32 hex digits.
	ID string
	// Age is how long before the simulator's start it was taken (not divided by
	// the speed).
	Age time.Duration
	// Store is VaultStore (if empty) or ArchiveStore.
	Store string
	// ServerVersion is the version of the server that it was taken from; the
	// server's own if empty.
	ServerVersion string
}

// ID is the Backup vault's ARM id.
func (v BackupVault) ID() string {
	return fmt.Sprintf("/subscriptions/%s/resourceGroups/%s/providers/Microsoft.DataProtection/backupVaults/%s",
		v.Subscription, v.ResourceGroup, v.Name)
}

// ID is the flexible server's ARM id.
func (f FlexibleServer) ID() string {
	return fmt.Sprintf("/subscriptions/%s/resourceGroups/%s/providers/Microsoft.DBforPostgreSQL/flexibleServers/%s",
		f.Subscription, f.ResourceGroup, f.Name)
}

// ID is the single server's ARM id.
func (s SingleServer) ID() string {
	return fmt.Sprintf("/subscriptions/%s/resourceGroups/%s/providers/Microsoft.DBforPostgreSQL/servers/%s",
		s.Subscription, s.ResourceGroup, s.Name)
}

// DatabaseID is the ARM id of a database of the server, existing or not.
func (s SingleServer) DatabaseID(database string) string { return s.ID() + "/databases/" + database }
