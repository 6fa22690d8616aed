package intake

import (
	"regexp"
	"strings"
)

// Secrets that senders put into requests. A body is JSON text, so the slash and
// the question mark of a URL may be escaped.
var secrets = []struct {
	pattern *regexp.Regexp
	instead string
}{
	// The query of a URL; it holds the signature of a signed URL.
	{regexp.MustCompile(`(?i)(\bhttps?:(?:\\?/){2}[^\s"'<>?]*?)(?:\?|\\u003f|%3f)(?:\\u[0-9a-f]{4}|\\/|[^\s"'<>\\])*`), "$1"},
	// A user and password in a URL.
	{regexp.MustCompile(`(?i)(\bhttps?:(?:\\?/){2})[^\s"'<>/?@]*@`), "$1"},
	// A signature outside a complete URL.
	{regexp.MustCompile(`(?i)((?:\b|\\u0026|%26)sig(?:=|\\u003d|%3d))[^&\s"'<>\\;]+`), "$1***"},
	// Secrets of connection strings.
	{regexp.MustCompile(`(?i)\b((?:SharedAccessKey|AccountKey|SharedAccessSignature|Password|Pwd)=)[^;\s"'<>]+`), "$1***"},
	{regexp.MustCompile(`(?i)\bbearer\s+[\w.~+/=-]+`), "Bearer ***"},
	// A JSON Web Token.
	{regexp.MustCompile(`\beyJ[\w-]+\.[\w-]+(\.[\w-]*)?`), "***"},
}

// Redact returns the text without the query of any URL and without tokens, keys
// and passwords. Every text of a rejected request passes through it before it is
// recorded, copied or logged.
func Redact(text string) string {
	if !strings.ContainsAny(text, ":=%\\.") && !strings.Contains(strings.ToLower(text), "bearer") {
		return text // most texts are short and hold no secret
	}
	for _, s := range secrets {
		text = s.pattern.ReplaceAllString(text, s.instead)
	}
	return text
}
