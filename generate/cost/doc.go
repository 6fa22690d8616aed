// Package cost calculates the cost of an operation: the number of its
// transactions, which the end-to-end test counts at the stand-ins of the local
// stack, and their cost at Azure's list prices. It writes docs/cost.md.
package cost
