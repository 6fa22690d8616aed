package schedule

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/declaration"
)

// flowBackupNow is the only flow that may be started for a selection. To stop,
// delete or restore every item that a pattern matches is too dangerous.
const flowBackupNow = "backup-now"

// Selection selects protected items of a vault.
type Selection struct {
	// VaultID is the resource ID of a Recovery Services vault or a Backup vault.
	VaultID string `json:"vaultId"`
	// Type is a workload type of a Recovery Services vault; empty selects all.
	Type string `json:"type"`
	// Names and Except are patterns with * and ?, compared case-insensitively.
	// Empty Names selects all.
	Names  []string `json:"names"`
	Except []string `json:"except"`
}

// exampleItem returns an item as the selection could return it.
func (s Selection) exampleItem() (Item, error) {
	if v, err := resourceid.ParseVaultID(s.VaultID, resourceid.RecoveryServicesVault); err == nil {
		return Item{ID: v.String() + "/backupFabrics/Azure/protectionContainers/container/protectedItems/item"}, nil
	}
	v, err := resourceid.ParseVaultID(s.VaultID, resourceid.BackupVault)
	if err != nil {
		return Item{}, fmt.Errorf("%q is not the resource ID of a vault: %w", s.VaultID, err)
	}
	return Item{ID: v.String() + "/backupInstances/instance", Instance: true}, nil
}

// matches reports whether the selection includes an item with that name.
func (s Selection) matches(name string) bool {
	match := func(pattern string) bool { return declaration.MatchFold(pattern, name) }
	return (len(s.Names) == 0 || slices.ContainsFunc(s.Names, match)) && !slices.ContainsFunc(s.Except, match)
}

// inOrder returns the items sorted by key, without duplicates, so that a run can
// be continued whatever the order of the next list.
func inOrder(items []Item) []Item {
	slices.SortFunc(items, func(a, b Item) int { return strings.Compare(a.key(), b.key()) })
	return slices.CompactFunc(items, func(a, b Item) bool { return a.key() == b.key() })
}

// key returns a short key of the item: resource IDs are longer than keys may be,
// and Azure compares them case-insensitively.
func (i Item) key() string {
	if i.ID == "" {
		return "request"
	}
	sum := sha256.Sum256([]byte(strings.ToLower(strings.TrimRight(i.ID, "/"))))
	return hex.EncodeToString(sum[:12])
}
