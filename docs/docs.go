// Package docs holds pages that the command line quotes.
package docs

import _ "embed" // for the pages

//go:embed flows.md
var flows string

// Flows returns the page flows.md.
func Flows() string { return flows }
