package recoveryservices

import (
	"fmt"
	"strings"

	azarm "github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"

	"azbackupflow/internal/arm"
)

// vaultType is the ARM type of a Recovery Services vault.
const vaultType = "Microsoft.RecoveryServices/vaults"

// VaultID is the resource id of a Recovery Services vault.
type VaultID struct {
	SubscriptionID string
	ResourceGroup  string
	Name           string
}

// String is the id as ARM writes it.
func (v VaultID) String() string {
	return "/subscriptions/" + v.SubscriptionID + "/resourceGroups/" + v.ResourceGroup + "/providers/" + vaultType + "/" + v.Name
}

// Same reports whether two ids name one vault, whatever their casing.
func (v VaultID) Same(other VaultID) bool { return SameResource(v.String(), other.String()) }

// PolicyID is the resource id of one of the vault's policies.
func (v VaultID) PolicyID(policy string) string { return v.String() + "/backupPolicies/" + policy }

// ParseVaultID reads the resource id of a Recovery Services vault. Its errors
// say in words what is wrong.
func ParseVaultID(id string) (VaultID, error) {
	r, err := arm.ParseResourceID(id)
	if err != nil {
		return VaultID{}, err
	}
	if !strings.EqualFold(r.ResourceType.String(), vaultType) {
		return VaultID{}, fmt.Errorf("it is the id of a %s, not of a Recovery Services vault (%s)", r.ResourceType, vaultType)
	}
	return vaultOf(r)
}

// ItemID is the resource id of a protected item.
type ItemID struct {
	Vault     VaultID
	Fabric    string
	Container string
	Item      string
}

// String is the id as ARM writes it.
func (i ItemID) String() string {
	return i.Vault.String() + "/backupFabrics/" + i.Fabric + "/protectionContainers/" + i.Container + "/protectedItems/" + i.Item
}

// ParseItemID reads the resource id of a protected item. Its errors say in
// words what is wrong.
func ParseItemID(id string) (ItemID, error) {
	const want = vaultType + "/backupFabrics/protectionContainers/protectedItems"
	r, err := arm.ParseResourceID(id)
	if err != nil {
		return ItemID{}, err
	}
	if !strings.EqualFold(r.ResourceType.String(), want) {
		return ItemID{}, fmt.Errorf("it is the id of a %s, not of a protected item of a Recovery Services vault (%s)", r.ResourceType, want)
	}
	container := r.Parent
	fabric := container.Parent
	v, err := vaultOf(fabric.Parent)
	if err != nil {
		return ItemID{}, err
	}
	return ItemID{Vault: v, Fabric: fabric.Name, Container: container.Name, Item: r.Name}, nil
}

// SameResource reports whether two resource ids name one resource: ARM ids are
// compared without regard to casing.
func SameResource(a, b string) bool { return arm.SameResource(a, b) }

// vaultOf checks the names of a vault's id.
func vaultOf(r *azarm.ResourceID) (VaultID, error) {
	subscription, group, name, err := arm.VaultNames(r)
	if err != nil {
		return VaultID{}, err
	}
	return VaultID{SubscriptionID: subscription, ResourceGroup: group, Name: name}, nil
}
