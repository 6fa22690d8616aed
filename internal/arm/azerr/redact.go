package azerr

import (
	"regexp"
	"strings"
)

// Secrets that Redact removes.
var (
	jsonWebToken = regexp.MustCompile(`\beyJ[\w-]+\.[\w-]+(\.[\w-]*)?`)
	bearerToken  = regexp.MustCompile(`(?i)\bbearer\s+[\w.~+/=-]+`)
	urlQuery     = regexp.MustCompile(`(?i)(\bhttps?://[^\s"'<>?]*)\?[^\s"'<>]*`)
)

// maxText is the maximum length of a redacted text in bytes.
const maxText = 2000

// Redact returns the text on one line, at most 2000 bytes long, without the
// query of any URL and without tokens. Every text from outside passes through
// it before it is kept, logged or shown.
func Redact(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " ")
	if len(s) > 8*maxText {
		s = strings.ToValidUTF8(s[:8*maxText], "")
	}
	s = urlQuery.ReplaceAllString(s, "$1")
	s = bearerToken.ReplaceAllString(s, "Bearer ***")
	s = jsonWebToken.ReplaceAllString(s, "***")
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + " ..."
	}
	return s
}
