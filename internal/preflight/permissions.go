package preflight

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/roles"
)

const (
	actionPermissions       = "Microsoft.Authorization/permissions/read"
	actionAssignments       = "Microsoft.Authorization/roleAssignments/read"
	authorizationAPIVersion = "2022-04-01"
)

// checkVault checks the app's permissions on a vault and on the resources that
// it backs up, and the roles of the vault's identity.
func (r *run) checkVault(ctx context.Context, id string) {
	switch {
	case isVault(id, resourceid.RecoveryServicesVault):
		r.checkRecoveryServicesVault(ctx, id)
	case isVault(id, resourceid.BackupVault):
		r.checkBackupVault(ctx, id)
	default:
		r.fail(Finding{
			Check: checkSetting, Subject: "AZBACKUPFLOW_VAULTS",
			Problem: "contains " + id + ", which is not the resource ID of a Recovery Services vault or Backup vault",
			Do:      "Correct the resource ID, or remove it.",
		})
	}
}

func isVault(id string, t resourceid.VaultType) bool {
	_, err := resourceid.ParseVaultID(id, t)
	return err == nil
}

// subscriptionOf returns the scope of the subscription of a resource.
func subscriptionOf(id string) string {
	return "/subscriptions/" + resourceid.NameAfter(id, "subscriptions")
}

func (r *run) checkRecoveryServicesVault(ctx context.Context, id string) {
	granted, ok := r.checkPermissions(ctx, id, roles.RecoveryServicesVault, roles.AnyResource)
	if ok && roles.Allows(granted, actionProtectedItems) {
		r.checkProtectedItems(ctx, id)
	}
}

func (r *run) checkBackupVault(ctx context.Context, id string) {
	granted, ok := r.checkPermissions(ctx, id, roles.BackupVault, roles.AnyResource)
	if !ok {
		return
	}
	r.checkPermissions(ctx, subscriptionOf(id), roles.Subscription)
	if roles.Allows(granted, "Microsoft.DataProtection/backupVaults/read") &&
		roles.Allows(granted, "Microsoft.DataProtection/backupVaults/backupInstances/read") {
		r.checkVaultIdentity(ctx, id)
	}
}

// checkPermissions checks which of the actions that the app needs on such a
// resource it lacks there. ok is false if Azure does not report them, or if the
// scope was checked before.
func (r *run) checkPermissions(ctx context.Context, scope string, on ...roles.Resource) (granted []roles.Grant, ok bool) {
	return r.checkActions(ctx, scope, func(p roles.Permission) bool { return slices.Contains(on, p.On) && r.isNeeded(p) })
}

// checkDrillTarget checks the app's permissions on a target of restore drills: a
// storage account, or a resource group for disks.
func (r *run) checkDrillTarget(ctx context.Context, id string) {
	provider, read := "Microsoft.Compute/", []roles.Resource{roles.ManagedDisk}
	if strings.Contains(strings.ToLower(id), "/providers/microsoft.storage/storageaccounts/") {
		provider, read = "Microsoft.Storage/", []roles.Resource{roles.StorageAccount}
	}
	r.checkActions(ctx, id, func(p roles.Permission) bool {
		return strings.HasPrefix(p.Action, provider) && (p.On == roles.DrillTarget || slices.Contains(read, p.On))
	})
}

// checkActions is checkPermissions for the permissions that are needed.
func (r *run) checkActions(ctx context.Context, scope string, needed func(roles.Permission) bool) (granted []roles.Grant, ok bool) {
	if !r.first(scope) {
		return nil, false
	}
	path := scope + "/providers/Microsoft.Authorization/permissions"
	granted, err := arm.All[roles.Grant](ctx, r.cfg.ARM, path, url.Values{"api-version": {authorizationAPIVersion}})
	if err != nil {
		r.readFailed(checkPermission, scope, actionPermissions, err)
		return nil, false
	}
	complete := true
	for _, role := range roles.All() {
		f := Finding{
			Check: checkPermission, Subject: scope,
			Problem: "the app's managed identity lacks permissions of the role " + role.Name(),
		}
		for _, p := range role.Permissions() {
			if needed(p) && !roles.Allows(granted, p.Action) {
				f.Missing = append(f.Missing, p.Action)
				f.Do = p.Assignment(scope)
			}
		}
		if len(f.Missing) > 0 {
			r.fail(f)
			complete = false
		}
	}
	if complete {
		r.pass(checkPermission, scope)
	}
	return granted, true
}

// isNeeded reports whether the app uses a permission. Deletions and restores are
// off unless an operator allows them.
func (r *run) isNeeded(p roles.Permission) bool {
	switch {
	case p.Role != roles.Delete:
		return true
	case strings.HasSuffix(p.Action, "/delete"):
		return r.cfg.AllowDelete
	}
	return len(r.cfg.RestoreTargets)+len(r.cfg.DrillTargets) > 0
}

const actionProtectedItems = "Microsoft.RecoveryServices/Vaults/backupProtectedItems/read"

// checkProtectedItems checks the app's permissions on the storage accounts that a
// Recovery Services vault protects. It does not check virtual machines: only stopping
// and resuming their protection needs a role on them, which is off by default.
func (r *run) checkProtectedItems(ctx context.Context, vault string) {
	type item struct {
		Properties struct {
			SourceResourceID string `json:"sourceResourceId"`
		} `json:"properties"`
	}
	items, err := arm.All[item](ctx, r.cfg.ARM, vault+"/backupProtectedItems",
		url.Values{"api-version": {"2025-02-01"}, "$filter": {"backupManagementType eq 'AzureStorage'"}})
	if err != nil {
		r.readFailed(checkPermission, vault, actionProtectedItems, err)
		return
	}
	for _, i := range items {
		if id := i.Properties.SourceResourceID; id != "" {
			r.checkPermissions(ctx, id, roles.StorageAccount)
		}
	}
}
