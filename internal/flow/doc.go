// Package flow holds what Azure Backup can do, one file per flow. A flow's file
// declares everything about it: its parameters with their checks and JSON Schema
// rules, its steps with the API operations that they call, its role, its
// documentation and its examples. Schemas, docs/flows.md, docs/roles.md, the
// files in examples/, the demo and docs/cost.md follow from these declarations.
//
// A step makes one ARM call and interprets its answer. The package does not know
// how steps are run, stored or scheduled: it must not import the engine, storage
// or the queues.
//
// The steps of a released version never change, because the rows of operations
// in flight name them. testdata/steps.golden freezes the lists; a changed flow is
// a new version next to the old one.
package flow
