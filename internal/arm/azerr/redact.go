package azerr

import (
	"regexp"
	"strings"
)

// secret is a pattern of a secret and its replacement.
type secret struct {
	pattern *regexp.Regexp
	instead string
}

// Secrets that Redact removes. Texts may contain URLs that are percent-encoded,
// also more than once: each time adds 25 after the percent sign.
var secrets = []secret{
	// The query of a URL; it holds the signature of a signed URL.
	{regexp.MustCompile(`(?i)(\bhttps?(?::|%(?:25)*3a)(?:/|%(?:25)*2f){2}[^\s"'<>?]*?)(?:\?|%(?:25)*3f)[^\s"'<>]*`), "$1"},
	// A signature outside a complete URL.
	{regexp.MustCompile(`(?i)((?:\b|%(?:25)*26)sig(?:=|%(?:25)*3d))[^&\s"'<>;]+`), "$1***"},
	// Secrets of connection strings, also as members of a JSON object.
	{regexp.MustCompile(`(?i)\b((?:SharedAccessKey|SharedAccessSignature|AccountKey|Password|Pwd)(?:\s*=\s*|%(?:25)*3d|\\*"\s*:\s*\\*"))[^;\s"'<>\\]+`), "$1***"},
	{regexp.MustCompile(`(?i)\bbearer\s+[\w.~+/=-]+`), "Bearer ***"},
	// A JSON Web Token.
	{regexp.MustCompile(`\beyJ[\w-]+\.[\w-]+(\.[\w-]*)?`), "***"},
}

// maxText is the maximum length of a redacted text in bytes.
const maxText = 2000

// Redact returns the text on one line, at most 2000 bytes long, without the
// query of any URL and without tokens, signatures and keys. Every text from outside passes through
// it before it is kept, logged or shown.
func Redact(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " ")
	if len(s) > 8*maxText {
		s = strings.ToValidUTF8(s[:8*maxText], "")
	}
	for _, known := range secrets {
		s = known.pattern.ReplaceAllString(s, known.instead)
	}
	if len(s) > maxText {
		s = strings.ToValidUTF8(s[:maxText], "") + " ..."
	}
	return s
}
