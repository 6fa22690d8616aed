package preflight

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"azbackupflow/internal/arm/datasource"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/roles"
)

const settingTargets = "AZBACKUPFLOW_RESTORE_TARGETS"

// restoreTargets returns the allowed restore targets, each once.
func (r *run) restoreTargets() []string {
	var all []string
	for _, target := range r.cfg.RestoreTargets {
		if target = strings.TrimRight(strings.TrimSpace(target), "/"); target != "" {
			all = append(all, target)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// checkRestoreTargets checks that each allowed restore target can be one, that it
// exists, and that the app may read it. The roles that the vaults' identities need
// there are checked with the vaults.
func (r *run) checkRestoreTargets(ctx context.Context) {
	for _, target := range r.restoreTargets() {
		switch parsed, err := resourceid.Parse(target); {
		case strings.Contains(target, "://"):
			r.checkTargetURL(target)
		case err != nil || parsed.SubscriptionID == "":
			r.wrongTarget(target, "is neither a resource ID nor the URL of a blob container")
		case strings.EqualFold(parsed.ResourceType.String(), datasource.TypeFileShare):
			r.checkTargetShare(ctx, target, parsed.Parent.Parent.String(), parsed.Name)
		default:
			r.checkTargetResource(ctx, target, parsed.ResourceType.String())
		}
	}
}

func (r *run) wrongTarget(target, problem string) {
	r.fail(Finding{Check: checkSetting, Subject: settingTargets, Problem: "contains " + target + ", which " + problem, Do: "Correct the entry, or remove it."})
}

// checkTargetURL checks the address of a blob container. Azure Resource Manager does
// not know addresses, so whether the container exists stays unknown here.
func (r *run) checkTargetURL(target string) {
	account, container := parseContainerURL(target)
	u, err := url.Parse(target)
	if err != nil || u.Scheme != "https" || u.RawQuery != "" || u.User != nil || u.Fragment != "" ||
		account == "" || container == "" || strings.Contains(container, "/") {
		// The entry may contain a signature, so the finding does not show it.
		r.wrongTarget("an address", "is not the URL of a blob container: want https://{account}.blob.core.windows.net/{container}, without a signature")
	}
}

// unreadTargets are the types of restore targets that the app needs not read: the
// permission to read permissions shows whether they exist.
func unreadTargets() []string {
	return []string{"Microsoft.Resources/resourceGroups", "Microsoft.Network/virtualNetworks", singleServer}
}

// checkTargetResource checks that a resource exists and that the app may read it.
func (r *run) checkTargetResource(ctx context.Context, target, resourceType string) {
	on, ok := roles.ReadOn(resourceType)
	switch {
	case ok && datasource.Readable(resourceType):
		granted, fresh := r.checkPermissions(ctx, target, on)
		if fresh && !roles.Allows(granted, resourceType+"/read") || r.failedFor(target) {
			return // reported
		}
		if _, err := datasource.New(r.cfg.ARM).Get(ctx, target); err != nil {
			r.readFailed(checkPermission, target, resourceType+"/read", err)
		}
	case slices.ContainsFunc(unreadTargets(), func(t string) bool { return strings.EqualFold(t, resourceType) }):
		r.checkPermissions(ctx, target)
	default:
		r.wrongTarget(target, "is of type "+resourceType+": no flow restores to such a resource")
	}
}

// checkTargetShare checks that a file share exists.
func (r *run) checkTargetShare(ctx context.Context, target, account, share string) {
	if r.checkPermissions(ctx, account, roles.StorageAccount); r.failedFor(account) {
		return // reported
	}
	const action = "Microsoft.Storage/storageAccounts/fileServices/shares/read"
	names, err := datasource.New(r.cfg.ARM).ListFileShares(ctx, account)
	switch {
	case err != nil:
		r.readFailed(checkPermission, target, action, err)
	case !slices.Contains(names, share):
		r.fail(Finding{
			Check: checkSetting, Subject: settingTargets, Problem: "contains " + target + ", which does not exist",
			Do: "Create the file share, or remove the entry: a restore does not create it.",
		})
	default:
		r.pass(checkSetting, target)
	}
}

// failedFor reports whether a check of the subject has failed.
func (r *run) failedFor(subject string) bool {
	return slices.ContainsFunc(r.findings, func(f Finding) bool { return f.failed() && strings.EqualFold(f.Subject, subject) })
}
