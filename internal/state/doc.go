// Package state keeps operations in Azure Table Storage.
//
// Eight tables, their names behind an optional prefix:
//
//   - operations: one partition per operation, holding its row ("operation")
//     and its history ("event-…"), so that both are saved in one entity-group
//     transaction.
//   - operationlive: one marker per operation that has not been closed, written
//     before the row. The sweep reads nothing else, so its cost grows with live
//     operations.
//   - operationindex: for listing, newest first: entries by everything, flow,
//     label and ended status. They point at rows and are never believed alone:
//     every listed row is loaded and checked. They are written before the row,
//     so that what has a row is listed, and can be rewritten from it at any time.
//   - refusals: requests that were refused.
//   - exclusions: resources that are not to be protected automatically.
//   - schedules: how far each schedule has been handled.
//   - verdicts: what automatic protection last decided about each resource.
//   - itemlocks: which operation may change a protected item.
//
// The store in package memory keeps the same promises for tests; both pass
// the suite in package statetest.
package state
