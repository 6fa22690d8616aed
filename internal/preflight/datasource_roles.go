package preflight

import (
	"context"
	"slices"
	"strings"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/roles"
)

// instance is a backup instance, with what its roles are assigned on.
type instance struct {
	Name       string
	Properties struct {
		DataSourceInfo struct{ ResourceID, DatasourceType string }
		PolicyInfo     struct {
			PolicyParameters struct {
				DataStoreParametersList []struct{ ResourceGroupID string }
			}
		}
		IdentityDetails struct {
			UserAssignedIdentityArmURL string
		}
	}
}

// instancesOf lists the backup instances of a vault, in the order of their
// datasources.
func (r *run) instancesOf(ctx context.Context, vault string) ([]instance, error) {
	all, err := arm.All[instance](ctx, r.cfg.ARM, vault+"/backupInstances", vaultVersion())
	slices.SortFunc(all, func(a, b instance) int {
		return strings.Compare(a.Properties.DataSourceInfo.ResourceID, b.Properties.DataSourceInfo.ResourceID)
	})
	return all, err
}

// kind returns the instance's entry in the table of datasources; ok is false for
// a type that the table lacks, or that Azure no longer backs up.
func (i instance) kind() (k kinds.Kind, ok bool) {
	k, ok = kinds.Find(kinds.All(), i.Properties.DataSourceInfo.DatasourceType)
	return k, ok && !k.Retired
}

// scope returns what a role is assigned on; empty if the instance has no such
// resource.
func (i instance) scope(on kinds.Scope) string {
	if on != kinds.OnSnapshotGroup {
		return sourceScope(on, i.Properties.DataSourceInfo.ResourceID)
	}
	if list := i.Properties.PolicyInfo.PolicyParameters.DataStoreParametersList; len(list) > 0 {
		return list[0].ResourceGroupID
	}
	return ""
}

// sourceScope returns what a role is assigned on for a datasource; empty for a
// scope that does not follow from it.
func sourceScope(on kinds.Scope, source string) string {
	switch on {
	case kinds.OnSource:
		return source
	case kinds.OnSourceGroup:
		return resourceid.GroupOf(source)
	case kinds.OnSnapshotGroup, kinds.OnTarget, kinds.OnTargetGroup:
	}
	return ""
}

// checkSource checks the roles that the backup of an instance needs. An instance
// that uses a user-assigned identity is left out, and so are the roles of a
// datasource's own identity, which the app may not read.
func (r *run) checkSource(ctx context.Context, p principal, i instance) {
	kind, ok := i.kind()
	if !ok || i.Properties.IdentityDetails.UserAssignedIdentityArmURL != "" {
		return
	}
	if kind.Type == kinds.DatasourceFlexibleServer {
		r.checkPermissions(ctx, i.Properties.DataSourceInfo.ResourceID, roles.PostgreSQLServer)
	}
	for _, need := range kind.Roles {
		if scope := i.scope(need.On); scope != "" && !need.Restore && !need.OfSource {
			r.checkRole(ctx, p, scope, builtInRole{need.ID, need.Name})
		}
	}
}

// checkRestoreResource checks the roles on a resource to which datasources of the
// vault can be restored: a resource group for disks, a storage account, a cluster.
func (r *run) checkRestoreResource(ctx context.Context, p principal, target string, instances []instance) {
	for _, i := range instances {
		kind, ok := i.kind()
		if !ok || !restorableTo(kind, target) {
			continue
		}
		for _, need := range kind.Roles {
			if need.Restore && !need.OfSource {
				r.checkRole(ctx, p, target, builtInRole{need.ID, need.Name})
			}
		}
	}
}

// restorableTo reports whether a kind of datasource can be restored to a resource.
func restorableTo(k kinds.Kind, target string) bool {
	return slices.ContainsFunc(k.Restores, func(restore kinds.Restore) bool {
		switch restore.Target {
		case kinds.TargetDisk:
			return isType(target, "Microsoft.Resources/resourceGroups")
		case kinds.TargetAccount, kinds.TargetCluster:
			return isType(target, k.SourceType)
		case kinds.TargetContainer, kinds.TargetDatabase:
		}
		return false
	})
}
