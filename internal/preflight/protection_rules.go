package preflight

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/roles"
)

// Protectable holds what the rules of automatic protection may protect.
type Protectable struct {
	// Vaults are the resource IDs of the vaults that the rules name.
	Vaults []string
	// Resources are the resources that a rule matches.
	Resources []ProtectableResource
	// Unread are the lists of resources that could not be read.
	Unread []Unread
}

// ProtectableResource is a resource with a vault that may protect it.
type ProtectableResource struct{ ID, VaultID string }

// Unread is a list of the resources of a type in a subscription, and why it could
// not be read.
type Unread struct {
	SubscriptionID, ResourceType string
	Err                          error
}

// maxProtectable bounds how many resources are checked: roles are assigned on
// resource groups, so more of them would only repeat the findings.
const maxProtectable = 100

// checkRules checks the app's permissions on the vaults and resources of the rules
// of automatic protection, and the roles of the vaults' identities on the servers.
func (r *run) checkRules(ctx context.Context) {
	const subject = "protection.yaml"
	found, err := r.cfg.Protectable(ctx)
	if err != nil {
		r.fail(Finding{Check: checkRules, Subject: subject, Problem: describe(err), Do: "Correct the rules. `azbackupflow protect check` names the line."})
		return
	}
	for _, vault := range found.Vaults {
		r.checkVault(ctx, vault)
	}
	for _, u := range found.Unread {
		r.readFailed(checkPermission, "/subscriptions/"+u.SubscriptionID, u.ResourceType+"/read", u.Err)
	}
	slices.SortFunc(found.Resources, func(a, b ProtectableResource) int { return strings.Compare(a.ID+a.VaultID, b.ID+b.VaultID) })
	for i, resource := range found.Resources {
		if i == maxProtectable {
			r.notChecked(checkRules, subject, fmt.Sprintf("matches %d resources; the first %d are checked", len(found.Resources), maxProtectable),
				"Assign the roles on the resource groups of the resources, so that they apply to all of them.")
			break
		}
		r.checkProtectable(ctx, resource)
	}
}

func (r *run) checkProtectable(ctx context.Context, resource ProtectableResource) {
	source, err := resourceid.Parse(resource.ID)
	if err != nil {
		return // Azure lists no such resource
	}
	if on, ok := roles.ReadOn(source.ResourceType.String()); ok {
		r.checkPermissions(ctx, resource.ID, on)
	}
	if !isVault(resource.VaultID, resourceid.BackupVault) {
		return
	}
	p, ok := r.identityOf(ctx, resource.VaultID)
	if !ok {
		return
	}
	for _, k := range kinds.All() {
		if k.Retired || !strings.EqualFold(k.SourceType, source.ResourceType.String()) {
			continue
		}
		for _, need := range k.Roles {
			if scope := sourceScope(need.On, resource.ID); scope != "" && !need.Restore && !need.OfSource {
				r.checkRole(ctx, p, scope, builtInRole{need.ID, need.Name})
			}
		}
	}
}

func (r *run) notChecked(check, subject, problem, do string) {
	r.findings = append(r.findings, Finding{Check: check, Subject: subject, NotChecked: true, Problem: problem, Do: do})
}
