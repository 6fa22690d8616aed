package armsim

import (
	"net/url"
	"strings"
)

// route is an ARM path taken apart.
type route struct {
	// group is empty for what lies below the subscription itself.
	subscription, group, provider string
	// types and names are the path behind the provider: types[n] with names[n].
	// The last type of a list or an action has no name.
	types, names []string
}

// parseRoute takes a request's path apart. Names are decoded, so that ; and
// %3B are the same; types keep the client's casing.
func parseRoute(u *url.URL) (route, bool) {
	parts := strings.Split(strings.Trim(u.EscapedPath(), "/"), "/")
	for n, p := range parts {
		d, err := url.PathUnescape(p)
		if err != nil {
			return route{}, false
		}
		parts[n] = d
	}
	if len(parts) < 5 || !strings.EqualFold(parts[0], "subscriptions") {
		return route{}, false
	}
	p, rest := route{subscription: parts[1]}, parts[2:]
	if len(rest) >= 6 && strings.EqualFold(rest[0], "resourceGroups") {
		p.group, rest = rest[1], rest[2:]
	}
	if !strings.EqualFold(rest[0], "providers") {
		return route{}, false
	}
	p.provider = canonical(rest[1])
	for n, part := range rest[2:] {
		if n%2 == 0 {
			p.types = append(p.types, canonical(part))
		} else {
			p.names = append(p.names, part)
		}
	}
	return p, true
}

// pattern is the path with * for names, such as vaults/*/backupJobs/*.
func (p route) pattern() string {
	var b strings.Builder
	for n, t := range p.types {
		if n > 0 {
			b.WriteByte('/')
		}
		b.WriteString(t)
		if n < len(p.names) {
			b.WriteString("/*")
		}
	}
	return b.String()
}

// last is the last resource type or action of the path.
func (p route) last() string { return p.types[len(p.types)-1] }

// action is the action of a verb (read, write, delete) that quotas count.
func (p route) action(verb string) string {
	return p.provider + "/" + strings.Join(p.types, "/") + "/" + verb
}

// parentID is the ARM id of the vault, storage account, server or location, as
// the client wrote it.
func (p route) parentID() string {
	scope := "/subscriptions/" + p.subscription
	if p.group != "" {
		scope += "/resourceGroups/" + p.group
	}
	scope += "/providers/" + p.provider + "/" + p.types[0]
	if len(p.names) == 0 {
		return scope // a list of a whole subscription
	}
	return scope + "/" + p.names[0]
}

// sameID compares ARM ids, which have no casing.
func sameID(a, b string) bool { return strings.EqualFold(a, b) }

// path writes the first n types with their names below the parent, as the
// client wrote the names.
func (p route) path(n int) string {
	id := p.parentID()
	for i := 1; i < n; i++ {
		id += "/" + p.types[i] + "/" + p.names[i]
	}
	return id
}

// canonical spells a provider, type or action as the API documents do. ARM
// compares them case-insensitively; the Learn page itself writes
// operationresults and Subscriptions.
func canonical(t string) string {
	for _, known := range []string{
		recoveryServices, storageProvider, dataProtection, postgreSQL,
		"vaults", "backupPolicies", "backupFabrics", "refreshContainers", "protectableContainers",
		"backupProtectionContainers", "protectionContainers", "inquire", "backupProtectableItems",
		"protectedItems", "backupProtectedItems", "backup", "backupOperations", "backupOperationResults",
		"operationResults", "operationsStatus", "backupJobs", "cancel", "storageAccounts", "backupResourceGuardProxies",
		"backupVaults", "backupInstances", "validateForBackup", "recoveryPoints", "validateRestore", "restore",
		"stopProtection", "suspendBackups", "resumeProtection", "resumeBackups", "deletedBackupInstances",
		"operationStatus", "locations", "flexibleServers", "fileServices", "shares",
	} {
		if strings.EqualFold(t, known) {
			return known
		}
	}
	return t
}

// isPoll tells the paths whose URLs are signed.
func (p route) isPoll() bool {
	switch p.last() {
	case "operationResults", "operationsStatus", "operationStatus", "backupOperations", "backupOperationResults":
		return true
	}
	return false
}
