package schedule

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/arm/recoveryservices"
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
	// Type is a workload type of a Recovery Services vault, or a datasource type of a
	// Backup vault; empty selects all.
	Type string `json:"type"`
	// Names and Except are patterns with * and ?, compared case-insensitively.
	// Empty Names selects all.
	Names  []string `json:"names"`
	Except []string `json:"except"`
	// Policies are patterns for the name of the item's policy; empty selects all.
	Policies []string `json:"policies"`
	// Tags are those of the resource that is backed up, or of the storage account or
	// virtual machine that contains it.
	Tags declaration.Tags `json:"tags"`
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

// matches reports whether the selection includes an item of a name and policy. The
// policy is a resource ID.
func (s Selection) matches(name, policyID string) bool {
	any := func(patterns []string, text string) bool {
		return slices.ContainsFunc(patterns, func(pattern string) bool { return declaration.MatchFold(pattern, text) })
	}
	return (len(s.Names) == 0 || any(s.Names, name)) && !any(s.Except, name) &&
		(len(s.Policies) == 0 || any(s.Policies, resourceid.LastName(policyID)))
}

// typeProblem returns why the vault has no items of the selection's type, and what
// would be right; empty if it can have some.
func (s Selection) typeProblem(instances bool) (problem, want string) {
	if s.Type == "" {
		return "", ""
	}
	types := recoveryservices.WorkloadTypes()
	if instances {
		types = nil
		for _, k := range kinds.All() {
			types = append(types, k.Type)
		}
	}
	if slices.ContainsFunc(types, func(t string) bool { return strings.EqualFold(t, s.Type) }) {
		return "", ""
	}
	return fmt.Sprintf("%q is not a type that the vault protects", s.Type), "one of " + strings.Join(types, ", ")
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
