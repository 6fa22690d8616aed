package autoprotect

import (
	"context"
	"fmt"

	"azbackupflow/internal/arm/datasource"
)

// Protectable holds what the rules may protect.
type Protectable struct {
	// Vaults are the resource IDs of the vaults that the rules name.
	Vaults []string
	// Resources are the storage accounts and servers that a rule matches, or would
	// match in a dry run, each with the vault of the rule.
	Resources []ProtectableResource
	// Unread are the lists that could not be read.
	Unread []Unread
}

// ProtectableResource is a storage account or a server, with a vault of the rules.
type ProtectableResource struct{ ID, VaultID string }

// Unread is a list of resources that could not be read.
type Unread struct {
	SubscriptionID, ResourceType string
	Err                          error
}

// Protectable lists what the rules may protect in the subscriptions of the rules
// and vaults. Shares count as their storage accounts. It changes nothing.
func (e *Evaluator) Protectable(ctx context.Context) (Protectable, error) {
	var all Protectable
	if e.c.RulesErr != nil {
		return all, fmt.Errorf("protection rules cannot be parsed: %w", e.c.RulesErr)
	}
	for _, l := range []struct {
		kind         Kind
		resourceType string
		list         func(*datasource.Client, context.Context, string) ([]datasource.Resource, error)
	}{
		{FileShare, datasource.TypeStorageAccount, (*datasource.Client).ListStorageAccounts},
		{PostgresFlexibleServer, datasource.TypeFlexibleServer, (*datasource.Client).ListFlexibleServers},
	} {
		vaults, subscriptions := vaultsAndSubscriptions(e.c.Rules, l.kind)
		all.Vaults = append(all.Vaults, vaults...)
		for _, subscription := range subscriptions {
			found, err := l.list(e.c.Datasources, ctx, subscription)
			if err != nil {
				all.Unread = append(all.Unread, Unread{SubscriptionID: subscription, ResourceType: l.resourceType, Err: err})
				continue
			}
			for _, r := range found {
				for _, vault := range vaultsFor(e.c.Rules, newResource(l.kind, r)) {
					all.Resources = append(all.Resources, ProtectableResource{ID: r.ID, VaultID: vault})
				}
			}
		}
	}
	return all, nil
}
