// Package jobcache lets the operations that wait for backup jobs of one vault
// share one list of its jobs.
//
// A vault allows about 150 reads of jobs per hour; a list counts as one read per
// page. The package therefore keeps a snapshot of each vault's jobs in a row
// that all instances share. Each operation still schedules its own checks, and
// each check looks into the snapshot. If the snapshot is older than the polling
// interval of the job, the check takes the lease of the row by its ETag, lists
// the vault's jobs once and saves the new snapshot. Other checks use that
// snapshot and come back when the next one is due. There is no background
// process that can crash, and a lease expires by itself.
//
// A job is read directly if the snapshot does not contain it, or if it ended
// with an error or warnings: a list has no details. If only a few operations
// wait in a vault, each reads its job directly, which costs less.
//
// The package must not know flows or the engine: callers pass the function that
// lists the jobs of a vault.
package jobcache
