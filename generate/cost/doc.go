// Package cost tells what an operation costs: how many transactions it makes,
// which the end-to-end test counts at the stand-ins of the local stack, and what
// those cost by Azure's list prices. It writes docs/cost.md.
package cost
