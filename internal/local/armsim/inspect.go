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
	// Path is the decoded path.
	Path string
	// Kind is the method and the last resource type or action of the path, in the
	// spelling of the API documents, such as "PUT protectedItems", "POST backup",
	// "GET operationsStatus", "GET backupJobs" (for the list and for a single
	// job), "GET vaults", "GET storageAccounts" or "GET token".
	Kind string
	// Query excludes the signature of poll URLs (t, c, s and h).
	Query url.Values
	Body  string
	// ClientRequestID is the x-ms-client-request-id.
	ClientRequestID string
	// Status is the status of the answer; 0 if the connection was reset.
	Status int
}

// Backup is one on-demand backup that took effect.
type Backup struct {
	Time time.Time
	// Vault is the ARM ID of the vault. Container and Item are the names as the
	// vault lists them. FriendlyName is the name of the share, machine or
	// database.
	Vault, Container, Item, FriendlyName string
	// OperationID and JobID are GUIDs. JobID is empty if an Outcome failed the
	// operation.
	OperationID, JobID string
	// ActivityID is the x-ms-client-request-id of the request.
	ActivityID string
	// ObjectType and BackupType are from the request body.
	ObjectType, BackupType string
	// RuleName is from the body of a backup of a backup instance. Such a backup
	// has the instance name as Item, and neither Container nor ObjectType.
	RuleName string
}

// Restore is one restore of a backup instance that took effect.
type Restore struct {
	Time time.Time
	// Vault is the ARM ID of the Backup vault, Instance the name of the backup
	// instance, RecoveryPoint the ID of the recovery point.
	Vault, Instance, RecoveryPoint string
	// PointInTime is the time that a continuous backup was restored to.
	PointInTime time.Time
	// OperationID is the name of the operation, JobID a GUID. JobID is empty if an
	// Outcome failed the operation.
	OperationID, JobID string
	// ActivityID is the x-ms-client-request-id of the request.
	ActivityID string
	// ObjectType, SourceDataStore, RehydrationPriority and RehydrationRetention
	// are from the request body.
	ObjectType, SourceDataStore               string
	RehydrationPriority, RehydrationRetention string
	// TargetType is RestoreTargetInfo, ItemLevelRestoreTargetInfo or
	// RestoreFilesTargetInfo.
	TargetType string
	// Target is the ARM ID of the target, or the URL of the container.
	Target string
	// FilePrefix is the prefix of a restore as files. SecretURI names the
	// credentials of a restore as database.
	FilePrefix, SecretURI string
}

// BackupInstance is one backup instance of a Backup vault.
type BackupInstance struct {
	// ID is the ARM ID, below backupInstances even if the instance is deleted.
	ID string
	// Vault is the ARM ID of the Backup vault, Datasource the ARM ID of the
	// datasource, Policy the name of the policy.
	Vault, Name, FriendlyName, Datasource, Policy string
	// ProtectionState is the currentProtectionState.
	ProtectionState string
	// Deleted is set if the instance is soft-deleted.
	Deleted bool
	// RecoveryPoints are the IDs of the recovery points.
	RecoveryPoints []string
}

// ProtectedItem is one item that a vault protects.
type ProtectedItem struct {
	// ID is the ARM ID as the vault lists it.
	ID string
	// Vault is the ARM ID of the vault, Policy the name of the policy.
	Vault, Container, Name, FriendlyName, Policy string
	ProtectionState                              string
	// Deleted is set if the item is soft-deleted.
	Deleted bool
}

// Job is one job of a vault. Jobs of Backup vaults have no
// BackupManagementType.
type Job struct {
	Vault, ID, Operation, Status   string
	EntityFriendlyName, ActivityID string
	BackupManagementType           string
	Start                          time.Time
	End                            time.Time // zero while it runs
}

// Requests returns all requests received so far, in order of arrival.
func (s *Simulator) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]Request, 0, len(s.requests))
	for _, r := range s.requests {
		all = append(all, *r)
	}
	return all
}

// Backups returns the on-demand backups that took effect, in order. Each
// accepted POST has one, even if its answer was lost.
func (s *Simulator) Backups() []Backup {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.backups)
}

// Restores returns the restores that took effect, in order. Each accepted POST
// has one, even if its answer was lost.
func (s *Simulator) Restores() []Restore {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.restores)
}

// BackupInstances returns the backup instances of all Backup vaults, including
// soft-deleted ones.
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

// ProtectedItems returns the protected items of all vaults.
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

// Jobs returns all jobs of all vaults, including those that reads do not show
// yet.
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
