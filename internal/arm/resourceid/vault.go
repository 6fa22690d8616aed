package resourceid

import (
	"fmt"
	"regexp"
	"strings"

	azarm "github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
)

// VaultType is the ARM resource type of a vault.
type VaultType string

// The vault types of Azure Backup.
const (
	RecoveryServicesVault VaultType = "Microsoft.RecoveryServices/vaults"
	BackupVault           VaultType = "Microsoft.DataProtection/backupVaults"
)

// DisplayName returns what Azure's documentation calls this type of vault.
func (t VaultType) DisplayName() string {
	if t == BackupVault {
		return "Backup vault"
	}
	return "Recovery Services vault"
}

// VaultID is the resource ID of a vault.
type VaultID struct {
	Type           VaultType
	SubscriptionID string
	ResourceGroup  string
	Name           string
}

// String returns the ID as ARM writes it.
func (v VaultID) String() string {
	return "/subscriptions/" + v.SubscriptionID + "/resourceGroups/" + v.ResourceGroup + "/providers/" + string(v.Type) + "/" + v.Name
}

// Equal reports whether two IDs name the same vault, in any casing.
func (v VaultID) Equal(other VaultID) bool { return Equal(v.String(), other.String()) }

// PolicyID returns the resource ID of one of the vault's backup policies.
func (v VaultID) PolicyID(policy string) string { return v.String() + "/backupPolicies/" + policy }

// Path returns the path of a resource below the vault. It rejects names that
// are empty or contain a slash.
func (v VaultID) Path(names ...string) (string, error) {
	if _, err := Below("", v.SubscriptionID, v.ResourceGroup, v.Name); err != nil {
		return "", err
	}
	return Below(v.String(), names...)
}

// ParseVaultID parses the resource ID of a vault of the given type.
func ParseVaultID(id string, want VaultType) (VaultID, error) {
	r, err := Parse(id)
	if err != nil {
		return VaultID{}, err
	}
	if !strings.EqualFold(r.ResourceType.String(), string(want)) {
		return VaultID{}, fmt.Errorf("resource ID has the type %s; want a %s (%s)", r.ResourceType, want.DisplayName(), want)
	}
	return VaultOf(r, want)
}

// Azure's naming rules.
var (
	subscriptionID    = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	resourceGroupName = regexp.MustCompile(`^[\pL\pN_.()-]{1,90}$`)
	vaultName         = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{1,49}$`)
)

// VaultOf checks the names in a parsed vault ID. Both types of vaults have the
// same naming rules. The subscription is returned in lower case.
func VaultOf(r *azarm.ResourceID, t VaultType) (VaultID, error) {
	v := VaultID{Type: t, SubscriptionID: strings.ToLower(r.SubscriptionID), ResourceGroup: r.ResourceGroupName, Name: r.Name}
	switch {
	case !subscriptionID.MatchString(v.SubscriptionID):
		return VaultID{}, fmt.Errorf("subscription %q is not a GUID", r.SubscriptionID)
	case !resourceGroupName.MatchString(v.ResourceGroup) || strings.HasSuffix(v.ResourceGroup, "."):
		return VaultID{}, fmt.Errorf("resource group %q is not a valid name", v.ResourceGroup)
	case !vaultName.MatchString(v.Name):
		return VaultID{}, fmt.Errorf("vault %q is not a valid name; use 2 to 50 letters, digits and hyphens, starting with a letter", v.Name)
	}
	return v, nil
}
