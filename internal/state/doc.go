// Package state stores operations and the records around them in Azure Table
// Storage.
//
// It uses nine tables, whose names have an optional prefix:
//
//   - operations: one partition per operation, with its row ("operation") and its
//     history ("event-…"). Both are saved in one entity-group transaction.
//   - operationindex: live markers and index entries. There is one marker for each
//     operation that is not finalized. The sweep reads only the markers, so its
//     cost grows with the number of live operations. Index entries are for lists,
//     newest first: of all operations, by flow, label, bulk and final status. One
//     transaction writes marker and entries before the row, so each row is live
//     and listed. A list loads each row and checks it, so outdated entries do no
//     harm. Entries can be rewritten from the row at any time.
//   - operationlive: live markers that version 0.1.0 wrote.
//   - rejected: rejected requests, and the records of their removal.
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
