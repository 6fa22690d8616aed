package armsim

import (
	"net/url"
	"strings"
)

// route is a parsed ARM path.
type route struct {
	// group is empty for resources directly below the subscription.
	subscription, group, provider string
	// types and names are the path behind the provider: types[n] with names[n]. A
	// list or an action has no last name.
	types, names []string
}

// parseRoute parses the path of a request. Names are decoded, so that ; and %3B
// are equal. Types keep the casing of the client.
func parseRoute(u *url.URL) (route, bool) {
	parts := strings.Split(strings.Trim(u.EscapedPath(), "/"), "/")
	for n, p := range parts {
		d, err := url.PathUnescape(p)
		if err != nil {
			return route{}, false
		}
		parts[n] = d
	}
	if len(parts) == 3 && strings.EqualFold(parts[0], "subscriptions") && strings.EqualFold(parts[2], "resources") {
		return route{subscription: parts[1], provider: resourcesProvider, types: []string{"resources"}}, true
	}
	if len(parts) < 5 || !strings.EqualFold(parts[0], "subscriptions") {
		return route{}, false
	}
	p, rest := route{subscription: parts[1]}, parts[2:]
	if len(rest) >= 5 && strings.EqualFold(rest[0], "resourceGroups") {
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

// pattern returns the path with * in place of names, such as
// vaults/*/backupJobs/*.
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

// last returns the last resource type or action of the path.
func (p route) last() string { return p.types[len(p.types)-1] }

// action returns the action of a verb (read, write, delete) that quotas count.
func (p route) action(verb string) string {
	return p.provider + "/" + strings.Join(p.types, "/") + "/" + verb
}

// parentID returns the ARM ID of the vault, storage account, server or
// location, in the spelling of the client.
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

// sameID compares ARM IDs, which are case-insensitive.
func sameID(a, b string) bool { return strings.EqualFold(a, b) }

// path returns the first n types with their names below the parent, in the
// spelling of the client.
func (p route) path(n int) string {
	id := p.parentID()
	for i := 1; i < n; i++ {
		id += "/" + p.types[i] + "/" + p.names[i]
	}
	return id
}

// canonical returns a provider, type or action in the spelling of the API
// documents. ARM compares them case-insensitively; the Learn page itself writes
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
		computeProvider, "virtualMachines", "items", "backupProtectionIntent", "backupProtectionIntents", "backupStatus",
		"undelete", "findRestorableTimeRanges", "blobServices", "containers", "disks",
	} {
		if strings.EqualFold(t, known) {
			return known
		}
	}
	return t
}

// isPoll reports whether URLs with this path are signed.
func (p route) isPoll() bool {
	switch p.last() {
	case "operationResults", "operationsStatus", "operationStatus", "backupOperations", "backupOperationResults":
		return true
	}
	return false
}
