package recoveryservices

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/azjson"
	"azbackupflow/internal/arm/vaultapi"
)

// RangeRecoveryPoint is the name of the entry that stands for all times of a
// database's log chain. It is not a backup.
const RangeRecoveryPoint = "DefaultRangeRecoveryPoint"

// RecoveryPoint is a recovery point of a protected item.
type RecoveryPoint struct {
	ID   string
	Name string
	Time time.Time
	// Type is Full, Differential and so on for databases, and AppConsistent,
	// CrashConsistent or FileSystemConsistent for machines and file shares.
	Type string
	// Expiry is when the recovery point expires; zero if Azure does not report it.
	Expiry time.Time
	// SoftDeleted reports that it was deleted and is kept for a while.
	SoftDeleted bool
	// Tiers are where the recovery point is stored; empty if Azure does not
	// report it.
	Tiers []RecoveryPointTier
	// Ranges are the times that can be restored, for the RangeRecoveryPoint only.
	Ranges []TimeRange
	// Directories are the files of a SQL database. Only a single read has them.
	Directories []DataDirectory
	// ManagedDisks reports that the machine has managed disks.
	ManagedDisks bool
	// Disks is the number of the machine's disks in the recovery point; 0 if Azure does
	// not report it.
	Disks int
}

// RecoveryPointTier is a tier of a recovery point, such as InstantRP, HardenedRP
// or ArchivedRP, with its status, such as Valid, Disabled, Deleted or Rehydrated.
type RecoveryPointTier struct{ Type, Status string }

// TimeRange is a part of a database's log chain.
type TimeRange struct{ Start, End time.Time }

// DataDirectory is a file of a SQL database, or a directory of an instance.
type DataDirectory struct {
	// Type is Data or Log.
	Type, Path, LogicalName string
}

// isRange reports whether the recovery point is the entry that stands for the log
// chain.
func (p RecoveryPoint) isRange() bool { return strings.EqualFold(p.Name, RangeRecoveryPoint) }

// Restorable reports whether a restore can read the recovery point now: it is a
// backup, not soft-deleted, not expired, and in a tier that is readable.
func (p RecoveryPoint) Restorable(now time.Time) bool {
	return p.exists(now) && (len(p.Tiers) == 0 || slices.ContainsFunc(p.Tiers, func(t RecoveryPointTier) bool {
		return !t.archive() && (strings.EqualFold(t.Status, "Valid") || strings.EqualFold(t.Status, "Rehydrated"))
	}))
}

// Archived reports whether the recovery point is only in the archive tier: a restore
// can read it after its rehydration.
func (p RecoveryPoint) Archived(now time.Time) bool {
	return p.exists(now) && !p.Restorable(now) && slices.ContainsFunc(p.Tiers, func(t RecoveryPointTier) bool {
		return t.archive() && strings.EqualFold(t.Status, "Valid")
	})
}

// exists reports whether the recovery point is a backup that is neither soft-deleted
// nor expired.
func (p RecoveryPoint) exists(now time.Time) bool {
	return !p.isRange() && !p.SoftDeleted && !p.Time.IsZero() && (p.Expiry.IsZero() || p.Expiry.After(now))
}

func (t RecoveryPointTier) archive() bool { return strings.EqualFold(t.Type, "ArchivedRP") }

// Covers reports whether a time is within the log chain.
func (p RecoveryPoint) Covers(at time.Time) bool {
	return slices.ContainsFunc(p.Ranges, func(r TimeRange) bool { return !at.Before(r.Start) && !at.After(r.End) })
}

type itemPointBody struct {
	ID         string
	Name       string
	Properties struct {
		RecoveryPointTime, RecoveryPointTimeInUTC azjson.Time
		RecoveryPointType, Type                   azjson.Text
		RecoveryPointTierDetails                  []struct{ Type, Status azjson.Text }
		RecoveryPointProperties                   struct {
			ExpiryTime    azjson.Time
			IsSoftDeleted azjson.Text
		}
		TimeRanges              []struct{ StartTime, EndTime azjson.Time }
		IsManagedVirtualMachine azjson.Text
		// Azure reports it for machines of which it backs up selected disks.
		RecoveryPointDiskConfiguration struct{ NumberOfDisksIncludedInBackup azjson.Text }
		ExtendedInfo                   struct{ DataDirectoryPaths []directoryBody }
	}
}

type directoryBody struct{ Type, Path, LogicalName azjson.Text }

func (b directoryBody) directory() DataDirectory {
	return DataDirectory{Type: string(b.Type), Path: string(b.Path), LogicalName: string(b.LogicalName)}
}

func (b itemPointBody) point() RecoveryPoint {
	p := b.Properties
	point := RecoveryPoint{
		ID: b.ID, Name: b.Name, Time: p.RecoveryPointTime.Time, Type: string(p.RecoveryPointType),
		Expiry: p.RecoveryPointProperties.ExpiryTime.Time, SoftDeleted: p.RecoveryPointProperties.IsSoftDeleted.Bool(),
		ManagedDisks: p.IsManagedVirtualMachine.Bool(),
	}
	point.Disks, _ = strconv.Atoi(string(p.RecoveryPointDiskConfiguration.NumberOfDisksIncludedInBackup)) // absent for most items
	if point.Time.IsZero() {
		point.Time = p.RecoveryPointTimeInUTC.Time
	}
	if point.Type == "" {
		point.Type = string(p.Type)
	}
	for _, t := range p.RecoveryPointTierDetails {
		point.Tiers = append(point.Tiers, RecoveryPointTier{Type: string(t.Type), Status: string(t.Status)})
	}
	for _, r := range p.TimeRanges {
		point.Ranges = append(point.Ranges, TimeRange{Start: r.StartTime.Time, End: r.EndTime.Time})
	}
	for _, d := range p.ExtendedInfo.DataDirectoryPaths {
		point.Directories = append(point.Directories, d.directory())
	}
	return point
}

// ListRecoveryPoints lists an item's recovery points, all pages, newest first.
// Azure documents no order. The list of a database has an entry
// RangeRecoveryPoint, even without a backup.
//
// RecoveryPoints - List: GET {item}/recoveryPoints.
func (c *Client) ListRecoveryPoints(ctx context.Context, itemID string) ([]RecoveryPoint, error) {
	id, err := ParseItemID(itemID)
	if err != nil {
		return nil, azerr.Malformed(err)
	}
	points, err := vaultapi.List(ctx, c.api, itemPointBody.point, "", id.Vault, id.names("recoveryPoints")...)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(points, func(a, b RecoveryPoint) int { return b.Time.Compare(a.Time) })
	return points, nil
}

// GetLogRange reads the times of a database's log chain that can be restored. It
// returns a RangeRecoveryPoint without ranges if there are none.
//
// RecoveryPoints - List: GET {item}/recoveryPoints with restorePointQueryType Log.
func (c *Client) GetLogRange(ctx context.Context, itemID string) (RecoveryPoint, error) {
	id, err := ParseItemID(itemID)
	if err != nil {
		return RecoveryPoint{}, azerr.Malformed(err)
	}
	points, err := vaultapi.List(ctx, c.api, itemPointBody.point, equal("restorePointQueryType", "Log"), id.Vault, id.names("recoveryPoints")...)
	if err != nil {
		return RecoveryPoint{}, err
	}
	all := RecoveryPoint{Name: RangeRecoveryPoint}
	for _, p := range points {
		if p.isRange() {
			all.ID = p.ID
			all.Ranges = append(all.Ranges, p.Ranges...)
		}
	}
	return all, nil
}

// GetRecoveryPoint reads a recovery point with its details.
//
// RecoveryPoints - Get: GET {item}/recoveryPoints/{point}.
func (c *Client) GetRecoveryPoint(ctx context.Context, itemID, point string) (RecoveryPoint, error) {
	id, err := ParseItemID(itemID)
	if err != nil {
		return RecoveryPoint{}, azerr.Malformed(err)
	}
	return vaultapi.Get(ctx, c.api, itemPointBody.point, id.Vault, id.names("recoveryPoints", point)...)
}
