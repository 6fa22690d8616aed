package schema

import (
	"strings"
	"unicode"
)

// Patterns of what is compared without regard to casing spell both cases out:
// JSON Schema has no flag for it.
const (
	rfc3339      = `^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$`
	printable    = `^[^\x00-\x1f\x7f]*$`
	duration     = `^P([0-9]+W|([0-9]+Y)?([0-9]+M)?([0-9]+D)?(T([0-9]+H)?([0-9]+M)?([0-9]+(\.[0-9]+)?S)?)?)$`
	labelName    = `^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`
	shareName    = `^[a-z0-9](-?[a-z0-9])+$`
	instanceName = `^[^/?#%\\ ]+$`
	databaseName = `^[^/?#%\\]+$`
	days         = `^P([0-9]+(\.[0-9]+)?[YMWD])*(T([0-9]+(\.[0-9]+)?[HMS])+)?$`

	policyName = `[A-Za-z][A-Za-z0-9-]{1,148}[A-Za-z0-9]`
	// segment is any name of a resource id.
	segment      = `[^/?#%\\\x00-\x1f\x7f]+`
	subscription = `[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}`
	group        = `[\p{L}\p{N}_.()-]{0,89}[\p{L}\p{N}_()-]`
	vaultName    = `[A-Za-z][A-Za-z0-9-]{1,49}`
)

// fold is a pattern for a text in any casing.
func fold(text string) string {
	var b strings.Builder
	for _, r := range text {
		lower, upper := unicode.ToLower(r), unicode.ToUpper(r)
		switch {
		case lower != upper:
			b.WriteString("[" + string(lower) + string(upper) + "]")
		case r == '.':
			b.WriteString(`\.`)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// resource is a pattern for the id of a resource of a type, such as
// Microsoft.Storage/storageAccounts, whose names match the pattern.
func resource(kind, names string) string {
	return within(segment, segment, kind, names)
}

// inVault is resource for a vault, whose names have rules of their own, and for
// what is below it.
func inVault(kind string, below ...string) string {
	pattern := within(subscription, group, kind, vaultName)
	for _, name := range below {
		pattern += "/" + fold(name) + "/" + segment
	}
	return pattern
}

func within(subscription, group, kind, names string) string {
	provider, kinds, _ := strings.Cut(kind, "/")
	pattern := fold("/subscriptions/") + subscription + fold("/resourceGroups/") + group + fold("/providers/"+provider)
	for k := range strings.SplitSeq(kinds, "/") {
		pattern += "/" + fold(k) + "/" + names
	}
	return pattern
}

// whole is a pattern for one of several texts and nothing beside it.
func whole(patterns ...string) string { return "^(" + strings.Join(patterns, "|") + ")$" }
