package intake

import (
	"fmt"
	"regexp"
	"strings"
)

// secretMember matches the end of the names of JSON members that hold a secret.
const secretMember = `(?:password|passwd|passphrase|pwd|secret|sas_?token|shared_?access_?signature|(?:account|access|api)[_-]?key|(?:access|refresh)[_-]?token|\bsig)`

// Values that end at a delimiter. JSON escapes belong to the value, except an
// escaped quote: it ends a text inside the JSON text.
const (
	signatureValue  = `(?:\\[^"]|[^&\s"'<>\\;])+`
	connectionValue = `(?:\\[^"]|[^;\s"'<>\\])+`
)

// secret is a pattern of a secret and its replacement.
type secret struct {
	pattern *regexp.Regexp
	instead string
}

// member returns the secret of a member of a JSON object that is inside the given
// number of JSON strings. Each of them doubles the backslashes.
func member(depth int) secret {
	unit := 1 << depth // the backslashes of one backslash in the value
	quote := fmt.Sprintf(`\\{%d}"`, unit-1)
	space := `(?:\s|\\+[nrt])*`
	escapes := fmt.Sprintf(`(?:\\{%d})*`, 2*unit)
	escapedQuote := escapes + fmt.Sprintf(`\\{%d}"`, 2*unit-1)
	text := quote + `(?:[^"\\]|\\+[^"\\]|` + escapedQuote + `)*(?:` + escapes + quote + `)?`
	delimiter := strings.Repeat(`\`, unit-1) + `"`
	return secret{
		regexp.MustCompile(`(?i)(` + secretMember + quote + space + `:` + space + `)(?:` + text + `|[-+.\w]+)`),
		"${1}" + delimiter + "***" + delimiter,
	}
}

// Secrets that senders put into requests. A body is JSON text, so any character
// of a URL or a token may be escaped. A replacement removes no quote and no half
// of an escape, so that JSON stays valid.
var secrets = []secret{
	member(0), member(1), member(2), member(3),
	// The query of a URL; it holds the signature of a signed URL.
	{regexp.MustCompile(`(?i)(\bhttps?:(?:\\?/){2}[^\s"'<>?]*?)(?:\?|\\+u003f|%3f)(?:\\+[^"\\nrt]|[^\s"'<>\\])*`), "$1"},
	// A user and password in a URL.
	{regexp.MustCompile(`(?i)(\bhttps?:(?:\\?/){2})[^\s"'<>/?@]*@`), "$1"},
	// A signature outside a complete URL.
	{regexp.MustCompile(`(?i)((?:\b|\\+u0026|%26)sig(?:=|\\+u003d|%3d))` + signatureValue), "$1***"},
	// Secrets of connection strings.
	{regexp.MustCompile(`(?i)\b((?:SharedAccessKey|AccountKey|SharedAccessSignature|Password|Pwd)(?:=|\\+u003d))` + connectionValue), "$1***"},
	{regexp.MustCompile(`(?i)\bbearer\s+(?:\\+u[0-9a-f]{4}|\\+/|[\w.~+/=-])+`), "Bearer ***"},
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
