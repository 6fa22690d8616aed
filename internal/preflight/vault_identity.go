package preflight

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/datasource"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/roles"
)

// builtInRole is a role of Azure that a vault's identity needs.
// https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
type builtInRole struct{ id, name string }

func reader() builtInRole { return builtInRole{"acdd72a7-3385-48ef-bd42-f606fba81ae7", "Reader"} }

func longTermBackup() builtInRole {
	return builtInRole{"c088a766-074b-43ba-90d4-1fb21feae531", "PostgreSQL Flexible Server Long Term Retention Backup Role"}
}

func blobContributor() builtInRole {
	return builtInRole{"ba92f5b4-2d11-453d-a403-e96b0029c9fe", "Storage Blob Data Contributor"}
}

// backupVault is a Backup vault with its identity.
type backupVault struct {
	Identity struct {
		PrincipalID            string                     `json:"principalId"`
		UserAssignedIdentities map[string]json.RawMessage `json:"userAssignedIdentities"`
	} `json:"identity"`
}

// checkVaultIdentity checks the roles of a Backup vault's identity on the
// datasources that it backs up and on the allowed restore targets. The table of
// datasources holds the roles.
func (r *run) checkVaultIdentity(ctx context.Context, vault string) {
	p, ok := r.identityOf(ctx, vault)
	if !ok {
		return
	}
	instances, err := r.instancesOf(ctx, vault)
	if err != nil {
		r.readFailed(checkVault, vault, "Microsoft.DataProtection/backupVaults/backupInstances/read", err)
		return
	}
	for _, i := range instances {
		r.checkSource(ctx, p, i)
	}
	for _, target := range r.restoreTargets() {
		r.checkTarget(ctx, p, target)
		r.checkRestoreResource(ctx, p, target, instances)
	}
}

func vaultVersion() url.Values { return url.Values{"api-version": {"2024-04-01"}} }

// identityOf reads the identity of a vault, once. ok is false if it has none that
// can be checked.
func (r *run) identityOf(ctx context.Context, vault string) (p principal, ok bool) {
	key := strings.ToLower(vault)
	if p, read := r.identities[key]; read {
		return p, p.id != ""
	}
	p, ok = r.readIdentity(ctx, vault)
	r.identities[key] = p
	return p, ok
}

func (r *run) readIdentity(ctx context.Context, vault string) (p principal, ok bool) {
	var v backupVault
	if err := r.cfg.ARM.Get(ctx, vault, vaultVersion(), &v); err != nil {
		r.readFailed(checkVault, vault, "Microsoft.DataProtection/backupVaults/read", err)
		return principal{}, false
	}
	if v.Identity.PrincipalID == "" {
		if len(v.Identity.UserAssignedIdentities) == 0 { // else each backup instance selects one of them
			r.fail(Finding{
				Check: checkVault, Subject: vault, Problem: "has no identity to access servers and storage accounts",
				Do: "Enable the system-assigned identity of the vault.",
			})
		}
		return principal{}, false
	}
	return principal{id: v.Identity.PrincipalID, vault: vault}, true
}

// principal is the identity of a vault.
type principal struct{ id, vault string }

// checkTarget checks the roles on a server, or on a blob container given by its
// URL.
func (r *run) checkTarget(ctx context.Context, p principal, target string) {
	switch {
	case isType(target, datasource.TypeFlexibleServer):
		r.checkPermissions(ctx, target, roles.PostgreSQLServer)
		group, _, _ := strings.Cut(target, "/providers/")
		r.checkRole(ctx, p, target, longTermBackup())
		r.checkRole(ctx, p, group, reader())
	case isType(target, singleServer):
		r.checkRole(ctx, p, target, reader())
	case strings.HasPrefix(target, "https://"):
		r.checkContainer(ctx, p, target)
	}
}

// singleServer is the type of a restore target. The app itself does not call it.
// https://learn.microsoft.com/azure/backup/restore-azure-database-postgresql
const singleServer = "Microsoft.DBforPostgreSQL/servers"

// checkRole searches the role assignments at, above and below a scope for one
// that covers it.
func (r *run) checkRole(ctx context.Context, p principal, scope string, role builtInRole) {
	if !r.first("role " + p.id + role.id + scope) {
		return
	}
	if has, read := r.hasRole(ctx, p, scope, role, covers(scope)); read && has {
		r.pass(checkVault, scope)
	} else if read {
		r.lacksRole(p, scope, role)
	}
}

// checkContainer searches all role assignments in the vault's subscription,
// because the URL of a container does not contain its resource group. A storage
// account that the app does not see there may be in another subscription.
func (r *run) checkContainer(ctx context.Context, p principal, address string) {
	role := blobContributor()
	if !r.first("role " + p.id + role.id + address) {
		return
	}
	subscription := subscriptionOf(p.vault)
	account, container := parseContainerURL(address)
	has, read := r.hasRole(ctx, p, subscription, role, func(scope string) bool {
		return isContainer(scope, account, container) || covers(subscription)(scope)
	})
	switch {
	case !read:
	case has:
		r.pass(checkVault, address)
	case r.sees(ctx, subscription, account):
		r.lacksRole(p, address, role)
	default:
		r.notChecked(checkVault, address,
			fmt.Sprintf("the app does not see storage account %s in the vault's %s, so it does not know whether the identity of vault %s has the role %s there",
				account, subscription, resourceid.LastName(p.vault), role.name),
			fmt.Sprintf("Check that the identity %s of vault %s has the role %q on the container or its storage account.", p.id, p.vault, role.name))
	}
}

// sees reports whether the app sees a storage account of a subscription.
func (r *run) sees(ctx context.Context, subscription, account string) bool {
	names, read := r.accounts[subscription]
	if !read {
		names = map[string]bool{}
		// A failure means only that the app sees no account.
		all, err := datasource.New(r.cfg.ARM).List(ctx, resourceid.LastName(subscription), datasource.TypeStorageAccount)
		if err == nil {
			for _, a := range all {
				names[strings.ToLower(a.Name)] = true
			}
		}
		r.accounts[subscription] = names
	}
	return names[strings.ToLower(account)]
}

// first reports whether a key is new.
func (r *run) first(key string) bool {
	key = strings.ToLower(key)
	if r.checked[key] {
		return false
	}
	r.checked[key] = true
	return true
}

// hasRole reports whether an assignment of the role at, above or below a scope
// covers what is checked. read is false if Azure does not report the assignments.
func (r *run) hasRole(ctx context.Context, p principal, scope string, role builtInRole, covers func(string) bool) (has, read bool) {
	type assignment struct {
		Properties struct {
			RoleDefinitionID string `json:"roleDefinitionId"`
			Scope            string `json:"scope"`
		} `json:"properties"`
	}
	all, err := arm.All[assignment](ctx, r.cfg.ARM, scope+"/providers/Microsoft.Authorization/roleAssignments",
		url.Values{"api-version": {authorizationAPIVersion}, "$filter": {"principalId eq '" + p.id + "'"}})
	if err != nil {
		r.readFailed(checkVault, scope, actionAssignments, err)
		return false, false
	}
	return slices.ContainsFunc(all, func(a assignment) bool {
		return strings.EqualFold(resourceid.LastName(a.Properties.RoleDefinitionID), role.id) && covers(a.Properties.Scope)
	}), true
}

func (r *run) lacksRole(p principal, target string, role builtInRole) {
	r.fail(Finding{
		Check: checkVault, Subject: target, Missing: []string{role.name},
		Problem: fmt.Sprintf("the identity of vault %s lacks the role %s", resourceid.LastName(p.vault), role.name),
		Do:      fmt.Sprintf("Assign the identity %s of vault %s the role %q on %s.", p.id, p.vault, role.name, target),
	})
}

// covers returns a function that reports whether a scope is the resource or
// contains it.
func covers(resource string) func(string) bool {
	return func(scope string) bool {
		scope, below := strings.ToLower(strings.TrimSuffix(scope, "/")), strings.ToLower(resource)
		return below == scope || strings.HasPrefix(below, scope+"/")
	}
}

// parseContainerURL returns the account and name of a blob container.
func parseContainerURL(address string) (account, name string) {
	u, err := url.Parse(address)
	if err != nil {
		return "", ""
	}
	account, _, _ = strings.Cut(u.Hostname(), ".")
	return account, strings.Trim(u.Path, "/")
}

// isContainer reports whether a scope is the storage account or the container.
func isContainer(scope, account, container string) bool {
	scope = strings.ToLower(scope)
	_, rest, found := strings.Cut(scope, "/storageaccounts/"+strings.ToLower(account))
	return found && (rest == "" || strings.EqualFold(rest, "/blobServices/default/containers/"+container))
}

// isType reports whether a resource ID is of a type.
func isType(id, resourceType string) bool {
	parsed, err := resourceid.Parse(id)
	return err == nil && strings.EqualFold(parsed.ResourceType.String(), resourceType)
}
