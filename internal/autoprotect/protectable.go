package autoprotect

import (
	"context"
	"fmt"
)

// Protectable holds what the rules may protect.
type Protectable struct {
	// Vaults are the resource IDs of the vaults that the rules name.
	Vaults []string
	// Resources are the resources that a rule matches, or would match in a dry run,
	// each with the vault of the rule.
	Resources []ProtectableResource
	// Unread are the lists that could not be read.
	Unread []Unread
}

// ProtectableResource is a resource with a vault of the rules.
type ProtectableResource struct{ ID, VaultID string }

// Unread is a list of resources that could not be read.
type Unread struct {
	SubscriptionID, ResourceType string
	Err                          error
}

// Protectable lists what the rules may protect in the subscriptions of the rules
// and vaults. Shares count as their storage accounts, databases as their virtual
// machines. It changes nothing.
func (e *Evaluator) Protectable(ctx context.Context) (Protectable, error) {
	var all Protectable
	if e.c.RulesErr != nil {
		return all, fmt.Errorf("protection rules cannot be parsed: %w", e.c.RulesErr)
	}
	for _, l := range usedKinds(e.c.Rules) {
		vaults, subscriptions := vaultsAndSubscriptions(e.c.Rules, l.kind)
		for _, vault := range vaults {
			all.Vaults = appendOnce(all.Vaults, vault)
		}
		for _, subscription := range subscriptions {
			found, err := e.c.Datasources.List(ctx, subscription, l.source)
			if err != nil {
				all.Unread = append(all.Unread, Unread{SubscriptionID: subscription, ResourceType: l.source, Err: err})
				continue
			}
			for _, r := range found {
				if l.accepts != nil && !l.accepts(r) {
					continue
				}
				for _, vault := range vaultsFor(e.c.Rules, newResource(l.kind, r)) {
					all.Resources = append(all.Resources, ProtectableResource{ID: r.ID, VaultID: vault})
				}
			}
		}
	}
	return all, nil
}
