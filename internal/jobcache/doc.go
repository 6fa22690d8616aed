// Package jobcache lets operations that wait for backup jobs of one vault read
// the vault's jobs together.
//
// A vault allows some 150 reads of jobs in an hour, whether one job is read or
// a list. So the vault's jobs are kept in a row that all instances share. Each
// operation keeps its own delayed re-checks; at each it looks into the row.
// Whoever finds the row older than the interval that its own job deserves takes
// the row's lease under its ETag, lists the vault's jobs once and writes them
// down. Everyone else reads what was written, and comes back when the row will
// be due. Nobody else runs, so there is nothing else to crash: a lease ends by
// itself.
//
// A job that is not listed is read alone, and so is one that ended otherwise
// than well: a list has no details. Where few operations wait in a vault, each
// reads its job alone, which is cheaper.
package jobcache
