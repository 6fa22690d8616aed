package parameters

import (
	"fmt"
	"slices"
	"strings"

	"azbackupflow/internal/cli"
)

// The resource types of vaults.
const (
	RecoveryServicesVault = "Microsoft.RecoveryServices/vaults"
	BackupVault           = "Microsoft.DataProtection/backupVaults"
)

// VaultIDs returns the resource IDs that a vault may have. value is an ID, NAME or
// GROUP/NAME, or empty for the vault of the scope. A name does not show the type of the
// vault, so it has one ID for each of the types.
func (s Scope) VaultIDs(value string, types ...string) ([]string, error) {
	if value == "" {
		value = s.Vault
	}
	if value == "" {
		return nil, &cli.UsageError{
			Text:   "no vault is named",
			Remedy: "add its name, GROUP/NAME or resource ID, or store one with azbackupflow context add --vault",
		}
	}
	if strings.HasPrefix(value, "/") {
		return []string{value}, nil
	}
	if parts := strings.Split(value, "/"); len(parts) > 2 || slices.Contains(parts, "") {
		return nil, &cli.UsageError{Text: fmt.Sprintf("vault %q is neither a resource ID nor a name", value), Remedy: "write NAME or GROUP/NAME, or the resource ID"}
	}
	var ids []string
	for _, t := range types {
		provider, level, _ := strings.Cut(t, "/")
		id, err := s.prefix("vault", value, provider, level, s.ResourceGroup, value)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}
