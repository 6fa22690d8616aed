package autoprotect

import (
	"context"
	"fmt"
	"maps"
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

// protectedIDs returns the lower-case IDs of the resources of a kind that a vault
// protects, in any protection state: protection that was stopped is a decision of
// a user.
func (v Vaults) protectedIDs(ctx context.Context, e entry, vaultID string) (map[string]bool, error) {
	ids := map[string]bool{}
	vault, err := resourceid.ParseVaultID(vaultID, e.vault)
	if err != nil {
		return nil, fmt.Errorf("parse vault ID %q: %w", vaultID, err)
	}
	if e.vault == resourceid.RecoveryServicesVault {
		items, err := v.protectedItems(ctx, e, vault)
		if err != nil {
			return nil, fmt.Errorf("list the protected %s of vault %s: %w", e.what, vault.Name, err)
		}
		for _, i := range items {
			switch {
			case i.SoftDeleted:
			case e.shares:
				ids[strings.ToLower(datasource.FileShareID(i.SourceResourceID, i.FriendlyName))] = true
			default:
				ids[strings.ToLower(i.SourceResourceID)] = true
			}
		}
		return ids, nil
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

func (v Vaults) protectedItems(ctx context.Context, e entry, vault resourceid.VaultID) ([]recoveryservices.ProtectedItem, error) {
	if e.shares {
		return v.RecoveryServices.ListProtectedFileShares(ctx, vault)
	}
	return v.RecoveryServices.ListProtectedMachines(ctx, vault)
}

// protectedByAny returns the lower-case IDs of the resources of a kind that any of
// the vaults protects. If one vault cannot be read it returns an error: a resource
// whose protection is unknown must not be protected a second time.
func (v Vaults) protectedByAny(ctx context.Context, e entry, vaultIDs []string) (map[string]bool, error) {
	all := map[string]bool{}
	for _, vault := range vaultIDs {
		ids, err := v.protectedIDs(ctx, e, vault)
		if err != nil {
			return nil, err
		}
		maps.Copy(all, ids)
	}
	return all, nil
}

// vaultsAndSubscriptions returns the vaults that the rules of a kind protect
// with, and the subscriptions to sweep: those that the rules name, and the
// vaults' own for a rule that names none.
func vaultsAndSubscriptions(rules []Rule, kind Kind) (vaults, subscriptions []string) {
	for _, r := range rules {
		if r.Protect == nil || r.kind() != kind {
			continue
		}
		for _, vault := range r.Protect.vaultIDs() {
			vaults = appendOnce(vaults, vault)
			if len(r.Match.Subscriptions) == 0 {
				subscriptions = appendOnce(subscriptions, resourceid.NameAfter(vault, "subscriptions"))
			}
		}
		for _, s := range r.Match.Subscriptions {
			subscriptions = appendOnce(subscriptions, s)
		}
	}
	return vaults, subscriptions
}

// appendOnce appends a text to a list that does not have it yet, in any casing.
func appendOnce(list []string, text string) []string {
	if text == "" || slices.ContainsFunc(list, func(other string) bool { return strings.EqualFold(other, text) }) {
		return list
	}
	return append(list, text)
}
