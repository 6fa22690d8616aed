package armsim

import (
	"net/url"
	"slices"
	"time"
)

// Request is one request that the simulator received.
type Request struct {
	Time   time.Time
	Method string
	// Path is as sent, decoded.
	Path string
	// Kind is the method and the last resource type or action of the path, as
	// the API documents spell it, such as "PUT protectedItems", "POST backup",
	// "GET operationsStatus", "GET backupJobs" (the list and a single job
	// alike), "GET vaults", "GET storageAccounts" or "GET token".
	Kind string
	// Query is without the signature of poll URLs (t, c, s and h).
	Query url.Values
	Body  string
	// ClientRequestID is the x-ms-client-request-id.
	ClientRequestID string
	// Status is what was answered; 0 if the connection was reset.
	Status int
}

// Backup is one on-demand backup that took effect.
type Backup struct {
	Time time.Time
	// Vault is the vault's ARM id, Container and Item the names as the vault
	// lists them, FriendlyName the share's, machine's or database's name.
	Vault, Container, Item, FriendlyName string
	// OperationID and JobID are GUIDs. There is no job if an Outcome failed the
	// operation.
	OperationID, JobID string
	// ActivityID is the x-ms-client-request-id of the request.
	ActivityID string
	// ObjectType and BackupType are from the request's body.
	ObjectType, BackupType string
	// RuleName is from the body of a backup instance's backup; its Item is the
	// backup instance's name, and it has no Container and no ObjectType.
	RuleName string
}

// Restore is one restore of a backup instance that took effect.
type Restore struct {
	Time time.Time
	// Vault is the Backup vault's ARM id, Instance the backup instance's name,
	// RecoveryPoint the recovery point's id.
	Vault, Instance, RecoveryPoint string
	// OperationID is the operation's name, JobID a GUID; there is no job if an
	// Outcome failed the operation.
	OperationID, JobID string
	// ActivityID is the x-ms-client-request-id of the request.
	ActivityID string
	// ObjectType, SourceDataStore, RehydrationPriority and
	// RehydrationRetention are from the request's body.
	ObjectType, SourceDataStore               string
	RehydrationPriority, RehydrationRetention string
	// TargetType is RestoreTargetInfo or RestoreFilesTargetInfo.
	TargetType string
	// Target is the ARM id of the database to be made, or the container's URL.
	Target string
	// FilePrefix is that of a restore as files, SecretURI that of the
	// credentials of a restore as database.
	FilePrefix, SecretURI string
}

// BackupInstance is one backup instance of a Backup vault.
type BackupInstance struct {
	// ID is its ARM id (below backupInstances, even if it is deleted).
	ID string
	// Vault is the Backup vault's ARM id, Datasource that of what is backed
	// up, Policy the policy's name.
	Vault, Name, FriendlyName, Datasource, Policy string
	// ProtectionState is its currentProtectionState.
	ProtectionState string
	// Deleted says that it is soft-deleted.
	Deleted bool
	// RecoveryPoints are the ids of its recovery points.
	RecoveryPoints []string
}

// ProtectedItem is one item that a vault protects.
type ProtectedItem struct {
	// ID is the item's ARM id as the vault lists it.
	ID string
	// Vault is the vault's ARM id, Policy the policy's name.
	Vault, Container, Name, FriendlyName, Policy string
	ProtectionState                              string
	// Deleted says that it is soft-deleted.
	Deleted bool
}

// Job is one job of a vault. Those of Backup vaults have no
// BackupManagementType.
type Job struct {
	Vault, ID, Operation, Status   string
	EntityFriendlyName, ActivityID string
	BackupManagementType           string
	Start                          time.Time
	End                            time.Time // zero while it runs
}

// Requests returns the requests so far, in order of arrival.
func (s *Simulator) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Request, 0, len(s.requests))
	for _, r := range s.requests {
		all = append(all, *r)
	}
	return all
}

// Backups returns the on-demand backups that took effect, in order: one per
// accepted POST, whether or not its answer arrived.
func (s *Simulator) Backups() []Backup {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.backups)
}

// Restores returns the restores that took effect, in order: one per accepted
// POST, whether or not its answer arrived.
func (s *Simulator) Restores() []Restore {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.restores)
}

// BackupInstances returns the backup instances of all Backup vaults, those that
// are soft-deleted too.
func (s *Simulator) BackupInstances() []BackupInstance {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.events.advance(s.config.Now())
	var all []BackupInstance
	for _, v := range s.world.backupVaults {
		for n, i := range slices.Concat(v.instances, v.deleted) {
			seen := BackupInstance{
				ID: i.id(), Vault: v.ID(), Name: i.name, FriendlyName: i.friendly, Datasource: i.source.id, Policy: i.policy,
				ProtectionState: i.state, Deleted: n >= len(v.instances),
			}
			for _, r := range i.points {
				seen.RecoveryPoints = append(seen.RecoveryPoints, r.id)
			}
			all = append(all, seen)
		}
	}
	return all
}

// ProtectedItems returns what the vaults protect now.
func (s *Simulator) ProtectedItems() []ProtectedItem {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.events.advance(s.config.Now())
	var all []ProtectedItem
	for _, v := range s.world.vaults {
		for _, k := range v.containers {
			for _, i := range k.items {
				all = append(all, ProtectedItem{
					ID:    v.ID() + "/backupFabrics/Azure/protectionContainers/" + k.itemsName + "/protectedItems/" + i.name,
					Vault: v.ID(), Container: k.itemsName, Name: i.name, FriendlyName: i.friendly,
					Policy: i.policy, ProtectionState: i.state, Deleted: !i.purge.IsZero(),
				})
			}
		}
	}
	return all
}

// Jobs returns all jobs of all vaults, those that reads do not show yet too.
func (s *Simulator) Jobs() []Job {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.events.advance(s.config.Now())
	var all []Job
	for _, v := range s.world.vaults {
		for _, j := range v.jobs {
			all = append(all, Job{
				Vault: v.ID(), ID: j.id, Operation: j.operation, Status: j.status,
				EntityFriendlyName: j.item.friendly, ActivityID: j.activity,
				BackupManagementType: j.item.workload.names().managementType, Start: j.started, End: j.ended,
			})
		}
	}
	for _, v := range s.world.backupVaults {
		for _, j := range v.jobs {
			all = append(all, Job{
				Vault: v.ID(), ID: j.id, Operation: j.operation, Status: j.status,
				EntityFriendlyName: j.instance.friendly, ActivityID: j.activity, Start: j.started, End: j.ended,
			})
		}
	}
	return all
}
