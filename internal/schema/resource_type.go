package schema

import (
	"regexp"
	"strings"
)

var (
	// caseFoldPattern matches a letter as Fold writes it.
	caseFoldPattern = regexp.MustCompile(`\[(\pL)\pL\]`)
	// idStart is the part of a resource ID's pattern in front of its provider.
	idStart = Fold("/subscriptions/")
	// typeOfID finds the provider and the types in an unfolded pattern of a resource ID.
	typeOfID = regexp.MustCompile(`/providers/([A-Za-z]+(?:\\\.[A-Za-z]+)+)/(.*)`)
)

// ResourceTypes returns the types of the resource IDs that a rule accepts, such as
// Microsoft.RecoveryServices/vaults. It returns none for a rule that accepts no
// resource ID.
func ResourceTypes(rule Object) []string {
	pattern, _ := rule["pattern"].(string)
	var all []string
	for _, start := range strings.Split(pattern, idStart)[1:] {
		m := typeOfID.FindStringSubmatch(unfold(start))
		if m == nil {
			continue
		}
		resourceType := strings.ReplaceAll(m[1], `\.`, ".")
		// A type's name is letters only; what stands between two of them is the
		// pattern of a resource's name, which may contain slashes.
		for part := range strings.SplitSeq("/"+m[2], "/") {
			if isTypeName(part) {
				resourceType += "/" + part
			}
		}
		all = append(all, resourceType)
	}
	return all
}

func isTypeName(text string) bool {
	for _, r := range text {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
			return false
		}
	}
	return text != ""
}

// unfold restores the text of a pattern of Fold.
func unfold(pattern string) string { return caseFoldPattern.ReplaceAllString(pattern, "$1") }
