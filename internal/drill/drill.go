// Package drill holds the restore drills that drills.yaml declares.
//
// The package may not know how a drill is stored or started.
package drill

import (
	"time"

	"azbackupflow/internal/schedule"
)

// Drill is one entry of drills.yaml.
type Drill struct {
	Name    string
	Timing  schedule.Timing
	Enabled bool
	Select  Selection
	Point   PointRule
	Target  Target
	// MaxRestoreTime and MaxPointAge are the objectives (RTO and RPO); 0 means that
	// none is declared.
	MaxRestoreTime, MaxPointAge time.Duration
	// ValidationWindow is how long to wait for a validator; 0 means that the drill has
	// none.
	ValidationWindow time.Duration
	CleanUp          CleanUp
	// Retention is how long the evidence is kept.
	Retention time.Duration
}

// Selection selects the items of a vault that a run restores.
type Selection struct {
	// VaultID is the resource ID of a Recovery Services vault or a Backup vault.
	VaultID string `json:"vaultId"`
	// Type is a workload type of a Recovery Services vault, or a datasource type of a
	// Backup vault.
	Type Type `json:"type"`
	// Names and Except are patterns with * and ?, compared case-insensitively.
	Names  []string `json:"names"`
	Except []string `json:"except"`
	// Tags are the tags that an item's source must have.
	Tags map[string]string `json:"tags"`
	// Count or Percent is the number of items of a run; if both are 0, all.
	Count   int `json:"count"`
	Percent int `json:"percent"`
}

// Type is a type of item that can be restored in a drill.
type Type string

// The types of items.
const (
	FileShare Type = "AzureFileShare"
	// VirtualMachine items are restored as disks.
	VirtualMachine Type = "VM"
	Disk           Type = "Microsoft.Compute/disks"
	Blobs          Type = "Microsoft.Storage/storageAccounts/blobServices"
	Postgres       Type = "Microsoft.DBforPostgreSQL/flexibleServers"
)

// Rule is how the recovery point is chosen.
type Rule string

// The rules for recovery points.
const (
	Latest       Rule = "latest"
	LatestWithin Rule = "latestWithin"
	RandomWithin Rule = "randomWithin"
)

// PointRule chooses the recovery point.
type PointRule struct {
	Rule Rule
	// Window is the maximum age of the point; 0 with Latest.
	Window time.Duration
}

// Target is where drills make the place for the restored data.
type Target struct {
	// StorageAccountID is the account for file shares and containers, and the staging
	// account for virtual machines.
	StorageAccountID string `json:"storageAccountId"`
	// ResourceGroupID is the resource group for disks.
	ResourceGroupID string `json:"resourceGroupId"`
}

// CleanUp names the treatment of the restored data after the drill.
type CleanUp string

// The kinds of clean-up. There is no default: a drill that deletes something must
// say so.
const (
	Delete CleanUp = "delete"
	Keep   CleanUp = "keep"
)
