package schema

import (
	"strings"
	"unicode"
)

// JSON Schema has no flag for case-insensitive patterns, so patterns of texts
// that are compared without regard to casing spell out both cases.
const (
	rfc3339   = `^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$`
	printable = `^[^\x00-\x1f\x7f]*$`
	labelName = `^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`

	// segment is any name of a resource ID.
	segment      = `[^/?#%\\\x00-\x1f\x7f]+`
	subscription = `[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}`
	group        = `[\p{L}\p{N}_.()-]{0,89}[\p{L}\p{N}_()-]`
	vaultName    = `[A-Za-z][A-Za-z0-9-]{1,49}`
)

// Fold returns a pattern for a text in any casing. Each letter's own casing comes
// first, so that unfold can restore the text.
func Fold(text string) string {
	var b strings.Builder
	for _, r := range text {
		lower, upper := unicode.ToLower(r), unicode.ToUpper(r)
		switch {
		case r == upper && lower != upper:
			b.WriteString("[" + string(upper) + string(lower) + "]")
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

// ResourceID returns a pattern for the ID of a resource of a type, such as
// Microsoft.Storage/storageAccounts.
func ResourceID(resourceType string) string {
	return resourceID(segment, segment, resourceType, segment)
}

// ResourceGroupID returns a pattern for the ID of a resource group.
func ResourceGroupID() string {
	return Fold("/subscriptions/") + segment + Fold("/resourceGroups/") + segment
}

// VaultID returns a pattern for the ID of a vault of a type, whose names have
// rules of their own, or of a resource below it.
func VaultID(vaultType string, below ...string) string {
	pattern := resourceID(subscription, group, vaultType, vaultName)
	for _, name := range below {
		pattern += "/" + Fold(name) + "/" + segment
	}
	return pattern
}

func resourceID(subscription, group, resourceType, names string) string {
	provider, types, _ := strings.Cut(resourceType, "/")
	pattern := Fold("/subscriptions/") + subscription + Fold("/resourceGroups/") + group + Fold("/providers/"+provider)
	for t := range strings.SplitSeq(types, "/") {
		pattern += "/" + Fold(t) + "/" + names
	}
	return pattern
}

// Whole returns a pattern for a text that matches one of the patterns
// completely.
func Whole(patterns ...string) string { return "^(" + strings.Join(patterns, "|") + ")$" }
