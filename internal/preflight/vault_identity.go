package preflight

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"azbackupflow/internal/arm"
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
// flexible servers that it backs up and on the allowed restore targets.
// https://learn.microsoft.com/azure/backup/backup-azure-database-postgresql-flex
func (r *run) checkVaultIdentity(ctx context.Context, vault, subscription string) {
	var v backupVault
	apiVersion := url.Values{"api-version": {"2024-04-01"}}
	if err := r.cfg.ARM.Get(ctx, vault, apiVersion, &v); err != nil {
		r.readFailed(checkVault, vault, "Microsoft.DataProtection/backupVaults/read", err)
		return
	}
	if v.Identity.PrincipalID == "" {
		if len(v.Identity.UserAssignedIdentities) > 0 {
			return // each backup instance selects one of them
		}
		r.fail(Finding{
			Check: checkVault, Subject: vault, Problem: "has no identity to access servers and storage accounts",
			Do: "Enable the system-assigned identity of the vault.",
		})
		return
	}
	targets, err := r.backedUpServers(ctx, vault, apiVersion)
	if err != nil {
		r.readFailed(checkVault, vault, "Microsoft.DataProtection/backupVaults/backupInstances/read", err)
		return
	}
	targets = append(targets, r.cfg.RestoreTargets...)
	slices.Sort(targets)
	p := principal{id: v.Identity.PrincipalID, vault: vault}
	for _, target := range slices.Compact(targets) {
		r.checkTarget(ctx, p, target, subscription)
	}
}

// backedUpServers returns the resource IDs of the vault's datasources.
func (r *run) backedUpServers(ctx context.Context, vault string, apiVersion url.Values) ([]string, error) {
	type instance struct {
		Properties struct {
			DataSourceInfo struct {
				ResourceID string `json:"resourceID"`
			} `json:"dataSourceInfo"`
		} `json:"properties"`
	}
	instances, err := arm.All[instance](ctx, r.cfg.ARM, vault+"/backupInstances", apiVersion)
	if err != nil {
		return nil, err
	}
	var servers []string
	for _, i := range instances {
		servers = append(servers, i.Properties.DataSourceInfo.ResourceID)
	}
	return servers, nil
}

// principal is the identity of a vault.
type principal struct{ id, vault string }

// checkTarget checks the roles on a flexible server, or on a blob container
// given by its URL.
func (r *run) checkTarget(ctx context.Context, p principal, target, subscription string) {
	switch {
	case isFlexibleServer(target):
		r.checkPermissions(ctx, target, roles.PostgreSQLServer)
		group, _, _ := strings.Cut(target, "/providers/")
		r.checkRole(ctx, p, target, target, longTermBackup(), covers(target))
		r.checkRole(ctx, p, group, group, reader(), covers(group))
	case strings.HasPrefix(target, "https://"):
		account, container := parseContainerURL(target)
		// The URL does not contain the resource group, so all assignments in the
		// vault's subscription are searched.
		r.checkRole(ctx, p, subscription, target, blobContributor(), func(scope string) bool {
			return isContainer(scope, account, container) || covers(subscription)(scope)
		})
	}
}

// checkRole searches the role assignments at, above and below a scope for one
// that covers the target.
func (r *run) checkRole(ctx context.Context, p principal, scope, target string, role builtInRole, covers func(string) bool) {
	type assignment struct {
		Properties struct {
			RoleDefinitionID string `json:"roleDefinitionId"`
			Scope            string `json:"scope"`
		} `json:"properties"`
	}
	key := strings.ToLower("role " + p.id + role.id + target)
	if r.checked[key] {
		return
	}
	r.checked[key] = true
	all, err := arm.All[assignment](ctx, r.cfg.ARM, scope+"/providers/Microsoft.Authorization/roleAssignments",
		url.Values{"api-version": {authorizationAPIVersion}, "$filter": {"principalId eq '" + p.id + "'"}})
	if err != nil {
		r.readFailed(checkVault, scope, actionAssignments, err)
		return
	}
	for _, a := range all {
		if strings.EqualFold(resourceid.LastName(a.Properties.RoleDefinitionID), role.id) && covers(a.Properties.Scope) {
			r.pass(checkVault, target)
			return
		}
	}
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

func isFlexibleServer(id string) bool {
	return strings.Contains(strings.ToLower(id), "/providers/microsoft.dbforpostgresql/flexibleservers/")
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
