// Package flows generates what follows from the definitions of the flows: the
// sections of docs/flows.md, the table of flows in docs/roles.md, the files in
// examples/, the plan of the demo, and internal/roles/granted.go. Its tests hold
// the files to the definitions; -update writes them.
//
// It names no flow: everything comes from flow.Definitions.
package flows
