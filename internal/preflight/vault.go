package preflight

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/roles"
)

const (
	actionPermissions = "Microsoft.Authorization/permissions/read"
	actionAssignments = "Microsoft.Authorization/roleAssignments/read"
	apiAuthorization  = "2022-04-01"
)

// vault checks what the app may do on one vault and on what it backs up, and
// what the vault's own identity may.
func (r *run) vault(ctx context.Context, id string) {
	parsed, err := resourceid.Parse(id)
	kind := roles.Resource("")
	if err == nil {
		switch strings.ToLower(parsed.ResourceType.String()) {
		case "microsoft.recoveryservices/vaults":
			kind = roles.RecoveryServicesVault
		case "microsoft.dataprotection/backupvaults":
			kind = roles.BackupVault
		}
	}
	if kind == "" {
		r.bad(Finding{
			Check: checkSetting, Subject: "AZBACKUPFLOW_VAULTS", Problem: "holds " + id + ", which is no resource id of a Recovery Services or Backup vault",
			Do: "Mend it, or remove it.",
		})
		return
	}
	allowed, ok := r.permissions(ctx, id, kind, roles.AnyResource)
	if !ok {
		return
	}
	subscription := "/subscriptions/" + parsed.SubscriptionID
	if kind == roles.RecoveryServicesVault {
		if roles.Allows(allowed, "Microsoft.RecoveryServices/Vaults/backupProtectedItems/read") {
			r.protectedItems(ctx, id)
		}
		return
	}
	r.permissions(ctx, subscription, roles.Subscription)
	if roles.Allows(allowed, "Microsoft.DataProtection/backupVaults/read") && roles.Allows(allowed, "Microsoft.DataProtection/backupVaults/backupInstances/read") {
		r.identity(ctx, id, subscription)
	}
}

// permissions looks which of the actions that the app needs on such a resource
// it does not have there, and names them by role. ok is false where Azure does
// not tell. What was looked at before is not looked at again.
func (r *run) permissions(ctx context.Context, scope string, on ...roles.Resource) (grants []roles.Grant, ok bool) {
	if r.checked == nil {
		r.checked = map[string]bool{}
	}
	if r.checked[strings.ToLower(scope)] {
		return nil, false
	}
	r.checked[strings.ToLower(scope)] = true
	grants, err := arm.All[roles.Grant](ctx, r.cfg.ARM, scope+"/providers/Microsoft.Authorization/permissions", url.Values{"api-version": {apiAuthorization}})
	if err != nil {
		r.refused(checkPermission, scope, actionPermissions, err)
		return nil, false
	}
	good := true
	for _, role := range roles.All() {
		f := Finding{Check: checkPermission, Subject: scope, Problem: "the app's managed identity may not do what the role " + role.Name() + " is for"}
		for _, p := range role.Permissions() {
			if slices.Contains(on, p.On) && r.needed(p) && !roles.Allows(grants, p.Action) {
				f.Missing = append(f.Missing, p.Action)
				f.Do = p.Assignment(scope)
			}
		}
		if len(f.Missing) > 0 {
			r.bad(f)
			good = false
		}
	}
	if good {
		r.good(checkPermission, scope)
	}
	return grants, true
}

// needed reports whether the app uses a permission as it is set: deleting and
// restoring are off unless an operator turns them on.
func (r *run) needed(p roles.Permission) bool {
	switch {
	case p.Role != roles.Delete:
		return true
	case strings.HasSuffix(p.Action, "/delete"):
		return r.cfg.AllowDelete
	}
	return len(r.cfg.RestoreTargets) > 0
}

// protectedItems checks the app's permissions on what a Recovery Services vault
// protects: storage accounts and virtual machines.
func (r *run) protectedItems(ctx context.Context, vault string) {
	type item struct {
		Properties struct {
			SourceResourceID string `json:"sourceResourceId"`
		} `json:"properties"`
	}
	for _, kind := range []string{"AzureStorage", "AzureIaasVM"} {
		items, err := arm.All[item](ctx, r.cfg.ARM, vault+"/backupProtectedItems",
			url.Values{"api-version": {"2025-02-01"}, "$filter": {"backupManagementType eq '" + kind + "'"}})
		if err != nil {
			r.refused(checkPermission, vault, "Microsoft.RecoveryServices/Vaults/backupProtectedItems/read", err)
			return
		}
		on := roles.StorageAccount
		if kind == "AzureIaasVM" {
			on = roles.VirtualMachine
		}
		for _, i := range items {
			if id := i.Properties.SourceResourceID; id != "" {
				r.permissions(ctx, id, on)
			}
		}
	}
}

// backupVault is what the preflight reads of a Backup vault.
type backupVault struct {
	Identity struct {
		PrincipalID            string                     `json:"principalId"`
		UserAssignedIdentities map[string]json.RawMessage `json:"userAssignedIdentities"`
	} `json:"identity"`
}
