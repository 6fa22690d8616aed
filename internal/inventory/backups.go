package inventory

import (
	"context"
	"fmt"
	"strings"
	"time"

	"azbackupflow/internal/arm/backupjob"
	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/arm/resourceid"
)

// Backups summarizes the backup jobs of an item.
type Backups struct {
	// LastSuccess is the start of the last backup that completed, also with
	// warnings; zero if the vault lists none.
	LastSuccess time.Time
	// FailedSince counts the backups that failed after that.
	FailedSince int
}

// Backups summarizes the backup jobs of a Backup vault, by the lower-case ID of the
// backup instance. Azure lists the jobs of a limited time. It returns nothing for a
// Recovery Services vault, whose list of items has the last backups, and whose jobs
// name no items.
//
// Jobs - List: GET {vault}/backupJobs.
func (r *Reader) Backups(ctx context.Context, vaultID string) (map[string]Backups, error) {
	vault, err := vaultOf(vaultID)
	if err != nil || vault.Type != resourceid.BackupVault {
		return nil, err
	}
	jobs, err := dataprotection.New(r.arm).ListJobs(ctx, vault, dataprotection.JobFilter{OperationCategory: dataprotection.CategoryBackup})
	if err != nil {
		return nil, fmt.Errorf("list the jobs of %s: %w", vault.Name, err)
	}
	all := map[string]Backups{}
	completed := func(j dataprotection.Job) bool {
		return j.State() == backupjob.Completed || j.State() == backupjob.CompletedWithWarnings
	}
	for _, j := range jobs {
		key := strings.ToLower(j.BackupInstanceID)
		if b := all[key]; completed(j) && j.StartTime.After(b.LastSuccess) {
			b.LastSuccess = j.StartTime
			all[key] = b
		}
	}
	for _, j := range jobs {
		key := strings.ToLower(j.BackupInstanceID)
		if b := all[key]; j.State() == backupjob.Failed && !j.StartTime.Before(b.LastSuccess) {
			b.FailedSince++
			all[key] = b
		}
	}
	return all, nil
}

// LatestPoint is the newest recovery point of an item that can be restored.
type LatestPoint struct {
	// Time is zero if the item has none.
	Time time.Time
	// Tiers are the tiers that hold it, in Azure's words, such as HardenedRP or
	// VaultStore; empty if Azure does not report them.
	Tiers []string
}

// LatestPoint returns the newest recovery point of a protected item or backup
// instance that a restore can read now, or one in the archive tier if there is no
// other. It reads all pages of the list.
//
// RecoveryPoints - List: GET {item}/recoveryPoints, of both providers.
func (r *Reader) LatestPoint(ctx context.Context, itemID string) (LatestPoint, error) {
	if id, err := dataprotection.ParseInstanceID(itemID); err == nil {
		return r.latestOfInstance(ctx, id)
	}
	if _, err := recoveryservices.ParseItemID(itemID); err != nil {
		return LatestPoint{}, invalid("item", err.Error(), "the resource ID of a protected item or of a backup instance")
	}
	points, err := recoveryservices.New(r.arm).ListRecoveryPoints(ctx, itemID)
	if err != nil {
		return LatestPoint{}, fmt.Errorf("list the recovery points of %s: %w", resourceid.LastName(itemID), err)
	}
	var latest, archived LatestPoint
	for _, p := range points {
		var tiers []string
		for _, t := range p.Tiers {
			if strings.EqualFold(t.Status, "Valid") || strings.EqualFold(t.Status, "Rehydrated") {
				tiers = append(tiers, t.Type)
			}
		}
		switch expired := !p.Expiry.IsZero() && !p.Expiry.After(r.now()); {
		case p.Restorable(r.now()):
			latest = latest.or(p.Time, tiers)
		case len(tiers) == 1 && strings.EqualFold(tiers[0], "ArchivedRP") && !p.SoftDeleted && !expired:
			archived = archived.or(p.Time, tiers)
		}
	}
	if latest.Time.IsZero() {
		return archived, nil
	}
	return latest, nil
}

func (r *Reader) latestOfInstance(ctx context.Context, id dataprotection.InstanceID) (latest LatestPoint, err error) {
	points, err := dataprotection.New(r.arm).ListRecoveryPoints(ctx, id, dataprotection.RecoveryPointFilter{})
	if err != nil {
		return latest, fmt.Errorf("list the recovery points of %s: %w", id.Name, err)
	}
	for _, p := range points {
		var tiers []string
		for _, s := range p.DataStores {
			if p.Usable(s.Type, r.now()) {
				tiers = append(tiers, s.Type)
			}
		}
		if len(tiers) > 0 {
			latest = latest.or(p.Time, tiers)
		}
	}
	return latest, nil
}

// or returns the newer of two recovery points.
func (p LatestPoint) or(at time.Time, tiers []string) LatestPoint {
	if at.After(p.Time) {
		return LatestPoint{Time: at, Tiers: tiers}
	}
	return p
}
