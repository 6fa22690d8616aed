// Package state stores operations and the records around them in Azure Table
// Storage.
//
// It uses nine tables, whose names have an optional prefix:
//
//   - operations: one partition per operation, with its row ("operation") and its
//     history ("event-…"). Both are saved in one entity-group transaction.
//   - operationlive: one marker for each operation that is not finalized, written
//     before the row. The sweep reads only this table, so its cost grows with the
//     number of live operations.
//   - operationindex: entries for lists, newest first: of all operations, by flow,
//     by label and by final status. Entries are written before the row, so each
//     row is listed. A list loads each row and checks it, so outdated entries do
//     no harm. Entries can be rewritten from the row at any time.
//   - rejected: rejected requests.
//   - exclusions: resources that automatic protection must not protect.
//   - decisions: the last decision of automatic protection about each resource.
//   - scheduleruns: how far each schedule has run.
//   - itemlocks: the operation that may change a protected item.
//   - shared: rate limits and job lists that all instances share.
//
// Package memory implements the same contract for tests. Both pass the suite in
// package statetest.
//
// The package must not know why a record is saved: it decides nothing about an
// operation, a rejected request or a schedule.
package state
