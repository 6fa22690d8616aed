// Package inventory reads what a vault has: protected items, recovery points, what
// can be protected, policies, and what is soft-deleted. People need it to write a
// request. Its calls keep Azure's limits like those of operations. It changes
// nothing, and knows no flows.
package inventory

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/ratelimit"
	"azbackupflow/internal/step"
)

// Entry is one thing that a vault has.
type Entry struct {
	// ID is the ID that requests name: the resource ID, or the ID of a recovery point.
	ID string
	// Name is for people, Type the type in Azure's words.
	Name, Type string
	// Source is the resource that is backed up.
	Source string
	State  string
	// Policy is the name of the policy; Detail describes the entry further.
	Policy, Detail string
	// Time is when a recovery point was made. LastRecoveryPoint is the time of an
	// item's newest one. Purge is when Azure purges a soft-deleted entry.
	Time, LastRecoveryPoint, Purge time.Time
	// LastBackup is the time of an item's last backup that succeeded; zero if the
	// list does not have it. BackupFailed is why the last backup, or the protection,
	// failed; empty if Azure reports no failure.
	LastBackup   time.Time
	BackupFailed string
	// Workload is the type of a protected item as policies name it, such as
	// AzureFileShare. Parent is the instance of a database.
	Workload, Parent string
}

// Config configures a Reader. Both fields are required.
type Config struct {
	ARM *arm.Client
	Now func() time.Time
}

// Reader reads vaults.
type Reader struct {
	arm *arm.Client
	now func() time.Time
}

// New returns a Reader. It makes no call.
func New(c Config) (*Reader, error) {
	if c.ARM == nil || c.Now == nil {
		return nil, errors.New("inventory: Config.ARM and Now are required")
	}
	client := c.ARM.With(arm.CallOptions{Caller: ratelimit.Caller{Priority: operation.PriorityOther}})
	return &Reader{arm: client, now: c.Now}, nil
}

// With returns a copy of the Reader whose calls have these options.
func (r *Reader) With(o arm.CallOptions) *Reader { return &Reader{arm: r.arm.With(o), now: r.now} }

// vaultOf parses the ID of a vault of either type.
func vaultOf(id string) (resourceid.VaultID, error) {
	vault, err := resourceid.ParseVaultID(id, resourceid.RecoveryServicesVault)
	if err == nil {
		return vault, nil
	}
	if vault, other := resourceid.ParseVaultID(id, resourceid.BackupVault); other == nil {
		return vault, nil
	}
	return vault, invalid("vault", err.Error(), "the resource ID of a Recovery Services vault or of a Backup vault")
}

// CheckVault returns a *step.Invalid if an ID is not that of a vault.
func CheckVault(id string) error {
	_, err := vaultOf(id)
	return err
}

func invalid(field, problem, want string) error {
	return &step.Invalid{Fields: []step.FieldError{{Field: field, Problem: problem, Want: want}}}
}

// Items lists the protected items of a vault, soft-deleted ones included.
func (r *Reader) Items(ctx context.Context, vaultID string) ([]Entry, error) {
	vault, err := vaultOf(vaultID)
	if err != nil {
		return nil, err
	}
	if vault.Type == resourceid.BackupVault {
		instances, err := dataprotection.New(r.arm).ListInstances(ctx, vault)
		if err != nil {
			return nil, fmt.Errorf("list the backup instances of %s: %w", vault.Name, err)
		}
		all := make([]Entry, len(instances))
		for n, i := range instances {
			all[n] = instanceEntry(i)
		}
		return all, nil
	}
	items, err := recoveryservices.New(r.arm).ListProtectedItems(ctx, vault, "")
	if err != nil {
		return nil, fmt.Errorf("list the protected items of %s: %w", vault.Name, err)
	}
	all := make([]Entry, len(items))
	for n, i := range items {
		all[n] = r.itemEntry(i)
	}
	return all, nil
}

func instanceEntry(i dataprotection.Instance) Entry {
	e := Entry{
		ID: i.ID, Name: i.FriendlyName, Type: i.DatasourceType, Source: i.DatasourceID, State: i.CurrentProtectionState,
		Policy: resourceid.LastName(i.PolicyID), Workload: i.DatasourceType,
	}
	if failure := i.Failure(); failure != nil {
		e.BackupFailed = failure.Code
	}
	return e
}

func (r *Reader) itemEntry(i recoveryservices.ProtectedItem) Entry {
	e := Entry{
		ID: i.ID, Name: i.FriendlyName, Type: i.Type, Source: i.SourceResourceID, State: i.ProtectionState,
		Policy: resourceid.LastName(i.PolicyID), LastRecoveryPoint: happened(i.LastRecoveryPoint), Workload: i.WorkloadType, Parent: i.Parent,
	}
	switch strings.ToLower(i.LastBackupStatus) {
	case "completed", "completedwithwarnings", "healthy":
		e.LastBackup = happened(i.LastBackupTime)
	case "failed", "unhealthy":
		e.BackupFailed = i.LastBackupStatus
	}
	if i.LastBackupStatus != "" {
		e.Detail = "last backup " + i.LastBackupStatus
	}
	// Azure reports a soft-deleted item as ProtectionStopped.
	if i.SoftDeleted {
		e.State = "SoftDeleted"
		if i.PurgedAfter > 0 {
			e.Purge = r.now().Add(i.PurgedAfter)
		}
	}
	return e
}

// happened returns a time of a protected item; zero for the times that stand for
// "never": Azure was recorded to report 2001-01-01 before the first backup.
func happened(at time.Time) time.Time {
	if at.Year() <= 2001 {
		return time.Time{}
	}
	return at
}

// Deleted lists the soft-deleted items of a vault.
func (r *Reader) Deleted(ctx context.Context, vaultID string) ([]Entry, error) {
	vault, err := vaultOf(vaultID)
	if err != nil {
		return nil, err
	}
	if vault.Type == resourceid.RecoveryServicesVault {
		items, err := r.Items(ctx, vaultID)
		var deleted []Entry
		for _, i := range items {
			if i.State == "SoftDeleted" {
				deleted = append(deleted, i)
			}
		}
		return deleted, err
	}
	instances, err := dataprotection.New(r.arm).ListDeletedInstances(ctx, vault)
	if err != nil {
		return nil, fmt.Errorf("list the deleted backup instances of %s: %w", vault.Name, err)
	}
	all := make([]Entry, len(instances))
	for n, i := range instances {
		all[n] = instanceEntry(i.Instance)
		all[n].ID, all[n].State, all[n].Purge = vault.String()+"/backupInstances/"+i.Name, "SoftDeleted", i.ScheduledPurgeTime
	}
	return all, nil
}

// RecoveryPoints lists the recovery points of a protected item or backup
// instance, newest first. The entry that stands for a log chain is not one.
func (r *Reader) RecoveryPoints(ctx context.Context, itemID string) ([]Entry, error) {
	if id, err := dataprotection.ParseInstanceID(itemID); err == nil {
		points, err := dataprotection.New(r.arm).ListRecoveryPoints(ctx, id, dataprotection.RecoveryPointFilter{})
		if err != nil {
			return nil, fmt.Errorf("list the recovery points of %s: %w", id.Name, err)
		}
		var all []Entry
		for _, p := range points {
			e := Entry{ID: p.RecoveryPointID, Name: p.FriendlyName, Type: p.Type, State: p.State, Time: p.Time, Purge: p.ExpiryTime}
			for _, s := range p.DataStores {
				e.Detail = strings.TrimPrefix(e.Detail+", "+s.Type, ", ")
			}
			all = append(all, e)
		}
		return all, nil
	}
	if _, err := recoveryservices.ParseItemID(itemID); err != nil {
		return nil, invalid("item", err.Error(), "the resource ID of a protected item or of a backup instance")
	}
	points, err := recoveryservices.New(r.arm).ListRecoveryPoints(ctx, itemID)
	if err != nil {
		return nil, fmt.Errorf("list the recovery points of %s: %w", resourceid.LastName(itemID), err)
	}
	var all []Entry
	for _, p := range points {
		if strings.EqualFold(p.Name, recoveryservices.RangeRecoveryPoint) {
			continue
		}
		e := Entry{ID: p.Name, Name: p.Name, Type: p.Type, Time: p.Time, Purge: p.Expiry, State: "usable"}
		if !p.Restorable(r.now()) {
			e.State = "not usable"
		}
		for _, t := range p.Tiers {
			e.Detail = strings.TrimPrefix(e.Detail+", "+t.Type+" "+t.Status, ", ")
		}
		all = append(all, e)
	}
	return all, nil
}

// Types returns the types that Protectable lists.
func Types() []string { return []string{"AzureFileShare", "VM", "SQLDataBase", "SAPHanaDatabase"} }

// Protectable lists what a Recovery Services vault has discovered and does not
// protect, of one of the Types.
func (r *Reader) Protectable(ctx context.Context, vaultID, kind string) ([]Entry, error) {
	vault, err := resourceid.ParseVaultID(vaultID, resourceid.RecoveryServicesVault)
	if err != nil {
		return nil, invalid("vault", err.Error(), "the resource ID of a Recovery Services vault")
	}
	client := recoveryservices.New(r.arm)
	var items []recoveryservices.ProtectableItem
	switch kind {
	case "AzureFileShare":
		shares, err := client.ListProtectableFileShares(ctx, vault)
		if err != nil {
			return nil, fmt.Errorf("list what vault %s can protect: %w", vault.Name, err)
		}
		var all []Entry
		for _, s := range shares {
			all = append(all, Entry{ID: s.ParentContainerFabricID + "/fileServices/default/shares/" + s.FriendlyName, Name: s.FriendlyName, Type: kind, Source: s.ParentContainerFabricID, State: s.ProtectionState})
		}
		return all, nil
	case "VM":
		items, err = client.ListProtectableMachines(ctx, vault)
	case "SQLDataBase", "SAPHanaDatabase":
		items, err = client.ListProtectableDatabases(ctx, vault, recoveryservices.Workload(kind))
	default:
		return nil, invalid("type", fmt.Sprintf("%q is not a type", kind), "one of "+strings.Join(Types(), ", "))
	}
	if err != nil {
		return nil, fmt.Errorf("list what vault %s can protect: %w", vault.Name, err)
	}
	var all []Entry
	for _, i := range items {
		e := Entry{ID: i.ID, Name: i.FriendlyName, Type: i.Type, Source: i.MachineID, State: "NotProtected", Detail: i.Problem}
		if i.MachineID != "" {
			e.ID = i.MachineID
		} else if e.Detail == "" {
			e.Detail = "instance " + i.Parent + " on " + i.Server
		}
		all = append(all, e)
	}
	return all, nil
}

// Policies lists the policies of a vault.
func (r *Reader) Policies(ctx context.Context, vaultID string) ([]Entry, error) {
	vault, err := vaultOf(vaultID)
	if err != nil {
		return nil, err
	}
	var all []Entry
	if vault.Type == resourceid.BackupVault {
		policies, err := dataprotection.New(r.arm).ListPolicies(ctx, vault)
		if err != nil {
			return nil, fmt.Errorf("list the policies of %s: %w", vault.Name, err)
		}
		for _, p := range policies {
			all = append(all, Entry{ID: p.ID, Name: p.Name, Type: strings.Join(p.DatasourceTypes, ", ")})
		}
		return all, nil
	}
	policies, err := recoveryservices.New(r.arm).ListPolicies(ctx, vault)
	if err != nil {
		return nil, fmt.Errorf("list the policies of %s: %w", vault.Name, err)
	}
	for _, p := range policies {
		e := Entry{ID: p.ID, Name: p.Name, Type: strings.TrimSpace(p.BackupManagementType + " " + p.WorkloadType), Detail: "keeps " + p.Retention.String()}
		if p.Enhanced {
			e.Detail += ", enhanced"
		}
		all = append(all, e)
	}
	return all, nil
}
