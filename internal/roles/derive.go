package roles

import "strings"

// Table returns every permission that the app uses, each with its role.
func Table() []Permission { return Derive(granted()) }

// Derive returns every permission with its role. granted maps the API operations
// that flows call to change something to the weakest role of these flows.
// Reading is granted by Read.
func Derive(granted map[string]Role) []Permission {
	table := catalog()
	for i, p := range table {
		switch {
		case p.Role != "":
		case strings.HasSuffix(p.Action, "/read"):
			table[i].Role = Read
		default:
			for _, call := range p.Calls {
				if r, ok := granted[call]; ok && (table[i].Role == "" || r.Weaker(table[i].Role)) {
					table[i].Role = r
				}
			}
		}
	}
	return table
}
