package schedule

import (
	"cmp"
	"context"
	"fmt"

	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/arm/resourceid"
)

// Vaults lists the items of vaults.
type Vaults struct {
	RecoveryServices *recoveryservices.Client
	DataProtection   *dataprotection.Client
}

// Items returns the items of a selection. It makes one paged list call. It omits
// items whose protection is stopped, suspended or deleted, because they cannot
// be backed up.
func (v Vaults) Items(ctx context.Context, s Selection) ([]Item, error) {
	if vault, err := resourceid.ParseVaultID(s.VaultID, resourceid.RecoveryServicesVault); err == nil {
		return v.protectedItems(ctx, vault, s)
	}
	vault, err := resourceid.ParseVaultID(s.VaultID, resourceid.BackupVault)
	if err != nil {
		return nil, fmt.Errorf("parse vault ID %q: %w", s.VaultID, err)
	}
	instances, err := v.DataProtection.ListInstances(ctx, vault)
	if err != nil {
		return nil, fmt.Errorf("list the backup instances of vault %s: %w", vault.Name, err)
	}
	var items []Item
	for _, i := range instances {
		name := cmp.Or(i.FriendlyName, i.Name)
		if i.CurrentProtectionState == dataprotection.StateProtectionConfigured && s.matches(name) {
			items = append(items, Item{ID: i.ID, Instance: true, Name: name})
		}
	}
	return items, nil
}

func (v Vaults) protectedItems(ctx context.Context, vault resourceid.VaultID, s Selection) ([]Item, error) {
	protected, err := v.RecoveryServices.ListProtectedItems(ctx, vault, s.Type)
	if err != nil {
		return nil, fmt.Errorf("list the protected items of vault %s: %w", vault.Name, err)
	}
	var items []Item
	for _, i := range protected {
		stopped := i.SoftDeleted || i.ProtectionState == recoveryservices.StateProtectionStopped || i.ProtectionState == recoveryservices.StateBackupsSuspended
		name := cmp.Or(i.FriendlyName, i.Name)
		if !stopped && s.matches(name) {
			items = append(items, Item{ID: i.ID, Name: name})
		}
	}
	return items, nil
}
