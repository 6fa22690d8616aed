package schedule

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/declaration"
)

// selectable is the only flow that can be started for a selection: to stop, to
// delete or to restore whatever a pattern matches is nobody's routine.
const selectable = "backup-now"

// Selection says which of a vault's protected items a run is started for.
type Selection struct {
	// VaultID is a Recovery Services vault or a Backup vault.
	VaultID string `json:"vaultId"`
	// Type is a workload type of a Recovery Services vault; empty means all.
	Type string `json:"type"`
	// Names and Except are patterns with * and ?, compared without regard to
	// casing. No Names means all.
	Names  []string `json:"names"`
	Except []string `json:"except"`
}

// sample is an item as the selection would find it.
func (s Selection) sample() (Item, error) {
	if v, err := recoveryservices.ParseVaultID(s.VaultID); err == nil {
		return Item{ID: v.String() + "/backupFabrics/Azure/protectionContainers/container/protectedItems/item"}, nil
	}
	v, err := dataprotection.ParseVaultID(s.VaultID)
	if err != nil {
		return Item{}, fmt.Errorf("%q is not the resource id of a vault: %w", s.VaultID, err)
	}
	return Item{ID: v.String() + "/backupInstances/instance", Instance: true}, nil
}

// takes reports whether an item of that name is wanted.
func (s Selection) takes(name string) bool {
	matches := func(pattern string) bool { return declaration.MatchFold(pattern, name) }
	return (len(s.Names) == 0 || slices.ContainsFunc(s.Names, matches)) && !slices.ContainsFunc(s.Except, matches)
}

// Vaults lists what vaults protect.
type Vaults struct {
	RecoveryServices *recoveryservices.Client
	DataProtection   *dataprotection.Client
}

// Items lists the items that a selection takes, by one paged list call. Items
// whose protection is stopped, suspended or deleted have no backups to make and
// are left out.
func (v Vaults) Items(ctx context.Context, s Selection) ([]Item, error) {
	if vault, err := recoveryservices.ParseVaultID(s.VaultID); err == nil {
		return v.protectedItems(ctx, vault, s)
	}
	vault, err := dataprotection.ParseVaultID(s.VaultID)
	if err != nil {
		return nil, fmt.Errorf("vault %s: %w", s.VaultID, err)
	}
	instances, err := v.DataProtection.ListInstances(ctx, vault)
	if err != nil {
		return nil, fmt.Errorf("list the backup instances of vault %s: %w", vault.Name, err)
	}
	var items []Item
	for _, i := range instances {
		name := cmp.Or(i.FriendlyName, i.Name)
		if i.CurrentProtectionState == dataprotection.StateProtectionConfigured && s.takes(name) {
			items = append(items, Item{ID: i.ID, Instance: true, Name: name})
		}
	}
	return items, nil
}

func (v Vaults) protectedItems(ctx context.Context, vault recoveryservices.VaultID, s Selection) ([]Item, error) {
	protected, err := v.RecoveryServices.ListProtectedItems(ctx, vault, s.Type)
	if err != nil {
		return nil, fmt.Errorf("list the protected items of vault %s: %w", vault.Name, err)
	}
	var items []Item
	for _, i := range protected {
		stopped := i.SoftDeleted || i.ProtectionState == recoveryservices.StateProtectionStopped || i.ProtectionState == recoveryservices.StateBackupsSuspended
		name := cmp.Or(i.FriendlyName, i.Name)
		if !stopped && s.takes(name) {
			items = append(items, Item{ID: i.ID, Name: name})
		}
	}
	return items, nil
}

// inOrder sorts items by their keys, so that a run that was cut off goes on
// where it was, whatever the order of the next list.
func inOrder(items []Item) []Item {
	slices.SortFunc(items, func(a, b Item) int { return strings.Compare(a.key(), b.key()) })
	return slices.CompactFunc(items, func(a, b Item) bool { return a.key() == b.key() })
}

// key is short, and the same for the same item: resource ids have no casing
// and are longer than keys may be.
func (i Item) key() string {
	if i.ID == "" {
		return "request"
	}
	sum := sha256.Sum256([]byte(strings.ToLower(strings.TrimRight(i.ID, "/"))))
	return hex.EncodeToString(sum[:12])
}

// hasMember reports whether a JSON object has a member, whatever the casing,
// as encoding/json reads it.
func hasMember(object json.RawMessage, name string) bool {
	var members map[string]json.RawMessage
	if json.Unmarshal(object, &members) != nil {
		return false
	}
	for member := range members {
		if strings.EqualFold(member, name) {
			return true
		}
	}
	return false
}

// splitField gives the parts of a field such as parameters.vaultId.
func splitField(field string) []string { return strings.Split(field, ".") }
