package armsim

import "time"

// Quotas limits requests as Azure does. The zero value limits nothing (the
// answers then still carry remaining counts like the recorded ones).
//
// All rates are at speed 1: windows are divided by Config.SpeedFactor and buckets
// refill that much faster.
type Quotas struct {
	// VaultReads is the number of reads per Window of each read action of a
	// vault, such as Microsoft.RecoveryServices/vaults/backupProtectedItems/read.
	// Polls of operations count too. 0 is no limit.
	VaultReads int
	// JobReads is the same for Microsoft.RecoveryServices/vaults/backupJobs/read,
	// where the list and single jobs share one count. 0 is no limit.
	JobReads int
	// BackupVaults limits the requests per Window to Microsoft.DataProtection
	// to the recorded numbers, per vault or location: 2000 reads of backup
	// instances, 1000 of operationStatus, 100 of recovery points, 200 of jobs
	// and of everything else, and 200 PUTs and DELETEs each. (Their window is
	// not known: 83 reads of a job in 15 min left 196 of 200 at the least.)
	BackupVaults bool
	// Window is the time after which the counts start anew; 1 h if 0.
	Window time.Duration
	// RetryAfter sends a Retry-After header with the 429 of the counts above,
	// beside the seconds in its text. (The recorder removed that header, so it
	// is not known whether Azure sends it.)
	RetryAfter bool
	// Reads, Writes and Deletes are Resource Manager's own token buckets, per
	// subscription. Their 429 always has a Retry-After.
	Reads, Writes, Deletes Bucket
}

// Bucket is a token bucket. The zero value is no limit.
type Bucket struct {
	Size      int     // tokens it holds when full
	PerSecond float64 // tokens that it gets back per second
}

// AzureQuotas is what the recordings and the throttling page say: 150 reads an
// hour of each of a vault's read actions, jobs included, the numbers of Backup
// vaults, and token buckets of 250 reads at 25/s, 200 writes and 200 deletes at
// 10/s.
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
