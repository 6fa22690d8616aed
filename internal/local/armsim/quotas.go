package armsim

import "time"

// Quotas limits requests as Azure does. The zero value limits nothing; answers
// then carry the recorded remaining counts.
//
// All rates are before scaling: windows are divided by Config.SpeedFactor, and
// buckets refill that much faster.
type Quotas struct {
	// VaultReads is the number of reads per Window of each read action of a vault,
	// such as Microsoft.RecoveryServices/vaults/backupProtectedItems/read. Polls
	// of operations count too. 0 means no limit.
	VaultReads int
	// JobReads is the same for Microsoft.RecoveryServices/vaults/backupJobs/read.
	// The list and single jobs share one count. 0 means no limit.
	JobReads int
	// BackupVaults limits the requests per Window to Microsoft.DataProtection to
	// the recorded numbers, per vault or location: 2000 reads of backup instances,
	// 1000 of operationStatus, 100 of recovery points, 200 of jobs and of
	// everything else, and 200 PUTs and DELETEs each. The window is not known: 83
	// reads of a job in 15 min left at least 196 of 200.
	BackupVaults bool
	// Window is the time after which the counts restart; 1 h if 0.
	Window time.Duration
	// RetryAfter sends a Retry-After header with the 429 of the counts above, in
	// addition to the seconds in its text. The recorder removed that header, so it
	// is not known whether Azure sends it.
	RetryAfter bool
	// Reads, Writes and Deletes are the token buckets of Resource Manager itself,
	// per subscription. Their 429 always has a Retry-After.
	Reads, Writes, Deletes Bucket
}

// Bucket is a token bucket. The zero value means no limit.
type Bucket struct {
	Size      int     // tokens of a full bucket
	PerSecond float64 // tokens refilled per second
}

// AzureQuotas returns the quotas of the recordings and the throttling page: 150
// reads an hour of each read action of a vault, jobs included, the numbers of
// Backup vaults, and token buckets of 250 reads at 25/s, 200 writes and 200
// deletes at 10/s.
func AzureQuotas() Quotas {
	return Quotas{
		VaultReads:   150,
		JobReads:     150,
		BackupVaults: true,
		Window:       time.Hour,
		Reads:        Bucket{Size: 250, PerSecond: 25},
		Writes:       Bucket{Size: 200, PerSecond: 10},
		Deletes:      Bucket{Size: 200, PerSecond: 10},
	}
}
