package flow

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"azbackupflow/internal/schema"
)

const (
	// maxDatabaseName is PostgreSQL's limit of an identifier, in bytes.
	maxDatabaseName = 63
	// maxFilePrefix is the maximum length of a file prefix in bytes. A blob's name
	// has at most 1024 characters, and Azure adds names to the prefix.
	maxFilePrefix = 256

	// reservedCharacters have a meaning in a path or a URL: a name that contains
	// one could address something else. The percent sign begins an encoded one.
	reservedCharacters = `/?#%\`
)

// restoreNameRule returns the schema of a name that restoreName accepts.
func restoreNameRule(limit int) schema.Object {
	return schema.Object{"pattern": `^[^/?#%\\\x00-\x1f\x7f]+$`, "not": schema.Object{"pattern": `\.\.|^\s|\s$`}, "maxLength": limit}
}

// restoreName checks the name of something that a restore writes.
func (c *checks) restoreName(field, name, what string, limit int) {
	problem := ""
	switch {
	case name == "":
		problem = "is missing"
	case len(name) > limit:
		problem = fmt.Sprintf("has %d bytes; at most %d are allowed", len(name), limit)
	case strings.ContainsAny(name, reservedCharacters):
		problem = fmt.Sprintf("%q contains one of %s", name, strings.Join(strings.Split(reservedCharacters, ""), " "))
	case strings.Contains(name, ".."):
		problem = fmt.Sprintf("%q contains two dots in a row", name)
	case strings.ContainsFunc(name, isInvisible):
		problem = fmt.Sprintf("%q contains a control character or an invisible character", name)
	case strings.TrimSpace(name) != name:
		problem = fmt.Sprintf("%q begins or ends with a space", name)
	}
	if problem != "" {
		c.add(field, problem, what)
	}
}

// isInvisible reports whether a character cannot be seen: control characters, line
// separators, and those that change the direction of the text around them.
func isInvisible(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) || r == unicode.ReplacementChar
}

// keyVaults are the domains of Key Vault in the public cloud, US Government and
// China. Azure reads the secret, so other hosts are rejected.
var keyVaults = []string{".vault.azure.net", ".vault.usgovcloudapi.net", ".vault.azure.cn"}

// keyVaultPath is the path of a secret, with or without its version.
const keyVaultPath = `/secrets/[0-9A-Za-z-]{1,127}(/[0-9A-Za-z]{1,32})?/?`

var (
	pathPattern  = regexp.MustCompile(`^` + keyVaultPath + `$`)
	vaultPattern = regexp.MustCompile(`^[0-9A-Za-z-]+$`)
)

func isSecretURI(text string) bool {
	secret, err := url.Parse(text)
	if err != nil || secret.Scheme != "https" || strings.ContainsAny(text, "?#%@") || !pathPattern.MatchString(secret.Path) {
		return false
	}
	vault, _, _ := strings.Cut(secret.Host, ".")
	return vaultPattern.MatchString(vault) && slices.Contains(keyVaults, strings.ToLower(secret.Host[len(vault):]))
}
