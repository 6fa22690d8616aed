// Package resourceid parses and compares ARM resource IDs. It makes no calls
// and knows no API: whether a resource exists is not its concern.
package resourceid

import (
	"errors"
	"fmt"
	"strings"

	azarm "github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
)

// Parse parses a resource ID. It rejects IDs that azcore accepts but that would
// address a different resource than the one that was checked.
func Parse(id string) (*azarm.ResourceID, error) {
	if strings.TrimSpace(id) == "" {
		return nil, errors.New("resource ID is empty")
	}
	if strings.ContainsAny(id, "?#%\\") || strings.ContainsFunc(id, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return nil, errors.New("resource ID contains one of ? # % \\ or a control character")
	}
	// Learn's page on restoring PostgreSQL shows such an ID.
	if strings.Contains(strings.ToLower(id), "/providers/providers/") {
		return nil, errors.New("resource ID contains \"providers\" twice in a row")
	}
	for s := range strings.SplitSeq(strings.TrimPrefix(id, "/"), "/") {
		if s == "" || s == "." || s == ".." || strings.TrimSpace(s) != s {
			return nil, fmt.Errorf("resource ID has the invalid segment %q", s)
		}
	}
	r, err := azarm.ParseResourceID(id)
	if err != nil {
		return nil, errors.New("not a resource ID; a resource ID starts with /subscriptions/{id}/resourceGroups/{group}/providers")
	}
	if r.Name == "" {
		return nil, errors.New("resource ID ends with a type; add the name")
	}
	return r, nil
}

// Equal reports whether two resource IDs name the same resource. ARM ignores
// the casing of resource IDs.
func Equal(a, b string) bool {
	return strings.EqualFold(strings.TrimRight(a, "/"), strings.TrimRight(b, "/"))
}

// LastName returns the last name of a resource ID, or a bare name unchanged.
func LastName(id string) string { return id[strings.LastIndex(id, "/")+1:] }

// GroupOf returns the ID of the resource group of a resource, in the casing of the
// resource ID.
func GroupOf(id string) string {
	i := strings.Index(strings.ToLower(id), "/providers/")
	if i < 0 {
		return id
	}
	return id[:i]
}

// NameAfter returns the name that follows a type in a resource ID, in any
// casing; empty if there is none.
func NameAfter(id, resourceType string) string {
	parts := strings.Split(id, "/")
	for i := 0; i+1 < len(parts); i++ {
		if strings.EqualFold(parts[i], resourceType) {
			return parts[i+1]
		}
	}
	return ""
}

// Below appends names to a resource ID. It rejects a name that is empty or
// contains a slash: it would address a different resource.
func Below(id string, names ...string) (string, error) {
	for _, n := range names {
		if n == "" || strings.Contains(n, "/") {
			return "", fmt.Errorf("%q is not a valid resource name", n)
		}
	}
	return strings.Join(append([]string{id}, names...), "/"), nil
}
