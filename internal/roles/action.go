package roles

import (
	"net/http"
	"strings"
)

// ActionOf derives the action that Azure requires for a request from its method
// and its path, by the rule that all providers share: the resource type, and read,
// write or delete; a POST names its own. It is empty if the path names no
// provider.
//
//	GET  …/vaults/v/backupJobs          Microsoft.RecoveryServices/vaults/backupJobs/read
//	POST …/vaults/v/backupJobs/j/cancel Microsoft.RecoveryServices/vaults/backupJobs/cancel/action
func ActionOf(method, path string) string {
	provider, rest, ok := cutLast(path, "/providers/")
	if !ok {
		return ""
	}
	parts := strings.Split(strings.Trim(rest, "/"), "/")
	if provider == "" || len(parts) < 2 {
		return ""
	}
	// The namespace comes first, then types and names alternate; a list or a POST
	// ends with a type or a verb.
	kind := []string{parts[0]}
	for i := 1; i < len(parts); i += 2 {
		kind = append(kind, parts[i])
	}
	verb := map[string]string{
		http.MethodGet: "read", http.MethodHead: "read", http.MethodPut: "write", http.MethodPatch: "write",
		http.MethodDelete: "delete", http.MethodPost: "action",
	}[method]
	if verb == "" {
		return ""
	}
	return strings.Join(kind, "/") + "/" + verb
}

// cutLast cuts at the last separator, in any casing.
func cutLast(s, separator string) (before, after string, ok bool) {
	i := strings.LastIndex(strings.ToLower(s), separator)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(separator):], true
}

// scopeOf returns the resource that a role must be assigned on to allow a request
// of this path: the vault, or the subscription if the path names no resource
// group.
func scopeOf(path string) string {
	before, rest, ok := cutLast(path, "/providers/")
	if !ok {
		return path
	}
	parts := strings.Split(strings.Trim(rest, "/"), "/")
	if !strings.Contains(strings.ToLower(before), "/resourcegroups/") || len(parts) < 3 {
		return before
	}
	return before + "/providers/" + strings.Join(parts[:3], "/")
}
