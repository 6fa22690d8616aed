package roles

import (
	"slices"
	"strings"
)

// Table returns every permission that the app needs, each with its role.
func Table() []Permission { return Derive(granted()) }

// Derive returns the permissions of the catalog that the app needs, each with its
// role. granted maps the API operations that flows call to the weakest role of
// these flows, and to Read if the operation only reads. A permission that no call
// needs is left out.
func Derive(granted map[string]Role) []Permission {
	var table []Permission
	for _, p := range Catalog() {
		if !p.needed(granted) {
			continue
		}
		if p.Role == "" {
			p.Role = p.weakest(granted)
		}
		table = append(table, p)
	}
	return table
}

// needed reports whether a flow, or a place outside of the flows, makes a call
// that requires the permission.
func (p Permission) needed(granted map[string]Role) bool {
	called := func(call string) bool { return granted[call] != "" }
	return len(p.Uses) > 0 || slices.ContainsFunc(p.Calls, called) || slices.ContainsFunc(p.After, called)
}

// weakest returns the weakest role of the flows that make the permission's calls.
// Reading is granted by Read, whatever the flow.
func (p Permission) weakest(granted map[string]Role) Role {
	if strings.HasSuffix(p.Action, "/read") {
		return Read
	}
	var role Role
	for _, call := range p.Calls {
		if r, ok := granted[call]; ok && (role == "" || r.Weaker(role)) {
			role = r
		}
	}
	return role
}
