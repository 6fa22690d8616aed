package intake

import (
	"fmt"
	"regexp"
	"slices"
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
	// needs are texts in lower case. A text matches the pattern only if it contains
	// one of each list. Looking for them costs far less than the pattern.
	needs [][]string
}

// mayMatch reports whether a text, in lower case, can match the pattern.
func (s secret) mayMatch(lower string) bool {
	for _, oneOf := range s.needs {
		if !slices.ContainsFunc(oneOf, func(part string) bool { return strings.Contains(lower, part) }) {
			return false
		}
	}
	return true
}

// memberNames are parts of all names that secretMember matches.
func memberNames() []string {
	return []string{
		"password", "passwd", "passphrase", "pwd", "secret", "token", "signature", `sig"`, `sig\`,
		"accountkey", "account_key", "account-key", "accesskey", "access_key", "access-key", "apikey", "api_key", "api-key",
	}
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
		[][]string{memberNames(), {delimiter}},
	}
}

// Secrets that senders put into requests. A body is JSON text, so any character
// of a URL or a token may be escaped. A replacement removes no quote and no half
// of an escape, so that JSON stays valid.
var secrets = []secret{
	member(0), member(1), member(2), member(3),
	// The query of a URL; it holds the signature of a signed URL.
	{regexp.MustCompile(`(?i)(\bhttps?:(?:\\?/){2}[^\s"'<>?]*?)(?:\?|\\+u003f|%3f)(?:\\+[^"\\nrt]|[^\s"'<>\\])*`), "$1", [][]string{{"http"}, {"?", `u003f`, "%3f"}}},
	// A user and password in a URL.
	{regexp.MustCompile(`(?i)(\bhttps?:(?:\\?/){2})[^\s"'<>/?@]*@`), "$1", [][]string{{"http"}, {"@"}}},
	// A signature outside a complete URL.
	{regexp.MustCompile(`(?i)((?:\b|\\+u0026|%26)sig(?:=|\\+u003d|%3d))` + signatureValue), "$1***", [][]string{{"sig=", `sig\u003d`, `sig\\`, "sig%3d"}}},
	// Secrets of connection strings.
	{regexp.MustCompile(`(?i)\b((?:SharedAccessKey|AccountKey|SharedAccessSignature|Password|Pwd)(?:=|\\+u003d))` + connectionValue), "$1***", [][]string{{"sharedaccesskey", "accountkey", "sharedaccesssignature", "password", "pwd"}, {"=", "u003d"}}},
	{regexp.MustCompile(`(?i)\bbearer\s+(?:\\+u[0-9a-f]{4}|\\+/|[\w.~+/=-])+`), "Bearer ***", [][]string{{"bearer"}}},
	// A JSON Web Token.
	{regexp.MustCompile(`\beyJ[\w-]+\.[\w-]+(\.[\w-]*)?`), "***", [][]string{{"eyj"}}},
}

// Redact returns the text without the query of any URL and without tokens, keys
// and passwords. Every text of a rejected request passes through it before it is
// recorded, copied or logged.
func Redact(text string) string {
	lower := lowered(text)
	for _, s := range secrets {
		if !s.mayMatch(lower) {
			continue
		}
		if redacted := s.pattern.ReplaceAllString(text, s.instead); redacted != text {
			text, lower = redacted, lowered(redacted)
		}
	}
	return text
}

// lowered returns a text in lower case. The patterns ignore case as Unicode defines
// it, so the long s counts as an s.
func lowered(text string) string { return strings.ReplaceAll(strings.ToLower(text), "ſ", "s") }
