package preflight

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/roles"
)

// builtIn is a role of Azure's own that a vault's identity needs.
// https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
type builtIn struct{ id, name string }

func reader() builtIn { return builtIn{"acdd72a7-3385-48ef-bd42-f606fba81ae7", "Reader"} }

func longTermBackup() builtIn {
	return builtIn{"c088a766-074b-43ba-90d4-1fb21feae531", "PostgreSQL Flexible Server Long Term Retention Backup Role"}
}

func blobContributor() builtIn {
	return builtIn{"ba92f5b4-2d11-453d-a403-e96b0029c9fe", "Storage Blob Data Contributor"}
}

// identity checks what the identity of a Backup vault needs on the flexible
// servers that it backs up and on the targets that restores are allowed to
// write to.
// https://learn.microsoft.com/azure/backup/backup-azure-database-postgresql-flex
func (r *run) identity(ctx context.Context, vault, subscription string) {
	var v backupVault
	api := url.Values{"api-version": {"2024-04-01"}}
	if err := r.cfg.ARM.Get(ctx, vault, api, &v); err != nil {
		r.refused(checkVault, vault, "Microsoft.DataProtection/backupVaults/read", err)
		return
	}
	if v.Identity.PrincipalID == "" {
		problem := "has no identity to reach servers and storage accounts with"
		if len(v.Identity.UserAssignedIdentities) > 0 {
			return // which of them an instance uses, the instance says
		}
		r.bad(Finding{Check: checkVault, Subject: vault, Problem: problem, Do: "Turn on the vault's system-assigned identity."})
		return
	}
	type instance struct {
		Properties struct {
			DataSourceInfo struct {
				ResourceID string `json:"resourceID"`
			} `json:"dataSourceInfo"`
		} `json:"properties"`
	}
	instances, err := arm.All[instance](ctx, r.cfg.ARM, vault+"/backupInstances", api)
	if err != nil {
		r.refused(checkVault, vault, "Microsoft.DataProtection/backupVaults/backupInstances/read", err)
		return
	}
	var servers []string
	for _, i := range instances {
		servers = append(servers, i.Properties.DataSourceInfo.ResourceID)
	}
	servers = append(servers, r.cfg.RestoreTargets...)
	slices.Sort(servers)
	holder := principal{id: v.Identity.PrincipalID, vault: vault}
	for _, server := range slices.Compact(servers) {
		switch {
		case isFlexibleServer(server):
			r.permissions(ctx, server, roles.PostgreSQLServer)
			group, _, _ := strings.Cut(server, "/providers/")
			r.needs(ctx, holder, server, longTermBackup(), covers(server))
			r.needs(ctx, holder, group, reader(), covers(group))
		case strings.HasPrefix(server, "https://"):
			account, container := container(server)
			// The container's URL does not tell its resource group: all
			// assignments of the vault's subscription are looked through.
			r.needsAt(ctx, holder, subscription, server, blobContributor(), func(scope string) bool {
				return isContainer(scope, account, container) || covers(subscription)(scope)
			})
		}
	}
}

// principal is the identity of a vault.
type principal struct{ id, vault string }

// needs checks one role on a scope.
func (r *run) needs(ctx context.Context, who principal, scope string, role builtIn, covers func(string) bool) {
	r.needsAt(ctx, who, scope, scope, role, covers)
}

// needsAt looks at the assignments at, above and below a scope for one that
// covers the target.
func (r *run) needsAt(ctx context.Context, who principal, scope, target string, role builtIn, covers func(string) bool) {
	type assignment struct {
		Properties struct {
			RoleDefinitionID string `json:"roleDefinitionId"`
			Scope            string `json:"scope"`
		} `json:"properties"`
	}
	done := strings.ToLower("needs " + who.id + role.id + target)
	if r.checked[done] {
		return
	}
	r.checked[done] = true
	all, err := arm.All[assignment](ctx, r.cfg.ARM, scope+"/providers/Microsoft.Authorization/roleAssignments",
		url.Values{"api-version": {apiAuthorization}, "$filter": {"principalId eq '" + who.id + "'"}})
	if err != nil {
		r.refused(checkVault, scope, actionAssignments, err)
		return
	}
	for _, a := range all {
		if strings.EqualFold(resourceid.LastName(a.Properties.RoleDefinitionID), role.id) && covers(a.Properties.Scope) {
			r.good(checkVault, target)
			return
		}
	}
	r.bad(Finding{
		Check: checkVault, Subject: target, Missing: []string{role.name},
		Problem: fmt.Sprintf("the identity of vault %s lacks the role %s", resourceid.LastName(who.vault), role.name),
		Do:      fmt.Sprintf("Assign the identity %s of vault %s the role %q on %s.", who.id, who.vault, role.name, target),
	})
}

// covers gives a test whether a scope is the resource or above it.
func covers(resource string) func(string) bool {
	return func(scope string) bool {
		scope, below := strings.ToLower(strings.TrimSuffix(scope, "/")), strings.ToLower(resource)
		return below == scope || strings.HasPrefix(below, scope+"/")
	}
}

func isFlexibleServer(id string) bool {
	return strings.Contains(strings.ToLower(id), "/providers/microsoft.dbforpostgresql/flexibleservers/")
}

// container reads account and container from a blob container's URL.
func container(address string) (account, name string) {
	u, err := url.Parse(address)
	if err != nil {
		return "", ""
	}
	account, _, _ = strings.Cut(u.Hostname(), ".")
	return account, strings.Trim(u.Path, "/")
}

// isContainer reports whether a scope is that storage account or container.
func isContainer(scope, account, container string) bool {
	scope = strings.ToLower(scope)
	_, rest, found := strings.Cut(scope, "/storageaccounts/"+strings.ToLower(account))
	return found && (rest == "" || strings.EqualFold(rest, "/blobServices/default/containers/"+container))
}
