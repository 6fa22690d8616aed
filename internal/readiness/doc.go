// Package readiness decides, from what vaults and protection rules know of a
// resource and from the evidence of restore drills, whether it can be restored for
// certain. It counts the states, and writes the report as CSV and HTML.
//
// The package may not know how resources are listed or how evidence is verified.
package readiness
