package autoprotect

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/datasource"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/arm/resourceid"
)

// Vaults holds the clients that list what vaults protect.
type Vaults struct {
	RecoveryServices *recoveryservices.Client
	DataProtection   *dataprotection.Client
}

// protectedIDs returns the lower-case resource IDs that a vault protects, in any
// protection state: protection that was stopped is a decision of a user.
func (v Vaults) protectedIDs(ctx context.Context, vaultID string) (map[string]bool, error) {
	ids := map[string]bool{}
	if vault, err := resourceid.ParseVaultID(vaultID, resourceid.RecoveryServicesVault); err == nil {
		items, err := v.RecoveryServices.ListProtectedFileShares(ctx, vault)
		if err != nil {
			return nil, fmt.Errorf("list the protected file shares of vault %s: %w", vault.Name, err)
		}
		for _, i := range items {
			if !i.SoftDeleted {
				ids[strings.ToLower(datasource.FileShareID(i.SourceResourceID, i.FriendlyName))] = true
			}
		}
		return ids, nil
	}
	vault, err := resourceid.ParseVaultID(vaultID, resourceid.BackupVault)
	if err != nil {
		return nil, fmt.Errorf("parse vault ID %q: %w", vaultID, err)
	}
	instances, err := v.DataProtection.ListInstances(ctx, vault)
	if err != nil {
		return nil, fmt.Errorf("list the backup instances of vault %s: %w", vault.Name, err)
	}
	for _, i := range instances {
		ids[strings.ToLower(i.DatasourceID)] = true
	}
	return ids, nil
}

// protectedByAny returns the lower-case resource IDs that any of the vaults
// protects. If one vault cannot be read it returns an error: a resource whose
// protection is unknown must not be protected a second time.
func (v Vaults) protectedByAny(ctx context.Context, vaultIDs []string) (map[string]bool, error) {
	all := map[string]bool{}
	for _, vault := range vaultIDs {
		ids, err := v.protectedIDs(ctx, vault)
		if err != nil {
			return nil, err
		}
		for id := range ids {
			all[id] = true
		}
	}
	return all, nil
}

// vaultsAndSubscriptions returns the vaults that the rules of a kind protect
// with, and the subscriptions to sweep: those that the rules name, and the
// vault's own for a rule that names none.
func vaultsAndSubscriptions(rules []Rule, kind Kind) (vaults, subscriptions []string) {
	add := func(list []string, text string) []string {
		if slices.ContainsFunc(list, func(other string) bool { return strings.EqualFold(other, text) }) {
			return list
		}
		return append(list, text)
	}
	for _, r := range rules {
		if r.Protect == nil || r.kind() != kind {
			continue
		}
		vaults = add(vaults, r.Protect.VaultID)
		for _, s := range r.Match.Subscriptions {
			subscriptions = add(subscriptions, s)
		}
		if len(r.Match.Subscriptions) == 0 {
			if parts := strings.Split(r.Protect.VaultID, "/"); len(parts) > 2 {
				subscriptions = add(subscriptions, parts[2])
			}
		}
	}
	return vaults, subscriptions
}
