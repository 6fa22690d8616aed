package main

import (
	"regexp"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
)

const (
	// longestSegment is how much of one part of a path is shown, in columns.
	longestSegment = 34
	ellipsis       = "…"
)

// beforeVault is what the paths of one vault have in common.
var beforeVault = regexp.MustCompile(`(?i)^/subscriptions/.*?/(?:backup)?vaults/[^/]+(/backupFabrics/[^/]+)?`) //nolint:gochecknoglobals // a compiled constant

// shortPath says in a few words where a request went: the part below the vault,
// with the middle left out of what is long.
func shortPath(path string, columns int) string {
	path = plain(path)
	if common := beforeVault.FindString(path); common != "" {
		path = ellipsis + path[len(common):]
	}
	parts := strings.Split(path, "/")
	tooLong := func() bool { return text.StringWidth(strings.Join(squeeze(parts), "/")) > columns }
	for i := 1; i < len(parts)-2 && tooLong(); i++ {
		parts[i] = ellipsis
	}
	for i := 0; i < len(parts) && tooLong(); i++ {
		parts[i] = middleOut(parts[i], longestSegment)
	}
	return middleOut(strings.Join(squeeze(parts), "/"), columns)
}

// squeeze makes one ellipsis of several in a row.
func squeeze(parts []string) []string {
	kept := parts[:0:0]
	for i, part := range parts {
		if part != ellipsis || i == 0 || parts[i-1] != ellipsis {
			kept = append(kept, part)
		}
	}
	return kept
}

// middleOut leaves the middle out of a long text: its ends tell most.
func middleOut(s string, columns int) string {
	runes := []rune(s)
	if len(runes) <= columns || columns < 3 {
		return s
	}
	head := (columns - 1) / 2
	tail := columns - 1 - head
	return string(runes[:head]) + ellipsis + string(runes[len(runes)-tail:])
}
