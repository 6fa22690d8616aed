package render

import (
	"regexp"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
)

// maxSegment is the maximum length of one segment of a shortened path, in
// columns.
const maxSegment = 34

// vaultPrefix matches the part of a path up to the vault.
var vaultPrefix = regexp.MustCompile(`(?i)^/subscriptions/.*?/(?:backup)?vaults/[^/]+(/backupFabrics/[^/]+)?`)

// longGUID matches a GUID; its first part distinguishes it well enough.
var longGUID = regexp.MustCompile(`\b([0-9a-f]{8})(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b`)

// shortPath shortens the path of an ARM call to a number of columns. It omits
// the part up to the vault, the ends of GUIDs, then segments in the middle.
func shortPath(path string, columns int) string {
	path = longGUID.ReplaceAllString(Plain(path), "$1"+ellipsis)
	if prefix := vaultPrefix.FindString(path); prefix != "" {
		path = ellipsis + path[len(prefix):]
	}
	parts := strings.Split(path, "/")
	tooLong := func() bool { return text.StringWidth(strings.Join(joinEllipses(parts), "/")) > columns }
	for i := 1; i < len(parts)-2 && tooLong(); i++ {
		parts[i] = ellipsis
	}
	for i := 0; i < len(parts) && tooLong(); i++ {
		parts[i] = shortenMiddle(parts[i], maxSegment)
	}
	return shortenMiddle(strings.Join(joinEllipses(parts), "/"), columns)
}

// joinEllipses merges consecutive ellipses into one.
func joinEllipses(parts []string) []string {
	kept := parts[:0:0]
	for i, part := range parts {
		if part != ellipsis || i == 0 || parts[i-1] != ellipsis {
			kept = append(kept, part)
		}
	}
	return kept
}
