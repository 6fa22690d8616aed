package dataprotection

import (
	"fmt"
	"strings"

	azarm "github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"

	"azbackupflow/internal/arm"
)

// The ARM types of a Backup vault and of what it protects.
const (
	vaultType    = "Microsoft.DataProtection/backupVaults"
	instanceType = vaultType + "/backupInstances"
)

// VaultID is the resource id of a Backup vault.
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
func (v VaultID) Same(other VaultID) bool { return arm.SameResource(v.String(), other.String()) }

// PolicyID is the resource id of one of the vault's policies.
func (v VaultID) PolicyID(policy string) string { return v.String() + "/backupPolicies/" + policy }

// ParseVaultID reads the resource id of a Backup vault. Its errors say in words
// what is wrong.
func ParseVaultID(id string) (VaultID, error) {
	r, err := arm.ParseResourceID(id)
	if err != nil {
		return VaultID{}, err
	}
	if !strings.EqualFold(r.ResourceType.String(), vaultType) {
		return VaultID{}, fmt.Errorf("it is the id of a %s, not of a Backup vault (%s)", r.ResourceType, vaultType)
	}
	return vaultOf(r)
}

// InstanceID is the resource id of a backup instance.
type InstanceID struct {
	Vault VaultID
	Name  string
}

// String is the id as ARM writes it.
func (i InstanceID) String() string { return i.Vault.String() + "/backupInstances/" + i.Name }

// Same reports whether two ids name one backup instance, whatever their casing.
func (i InstanceID) Same(other InstanceID) bool { return arm.SameResource(i.String(), other.String()) }

// ParseInstanceID reads the resource id of a backup instance. Learn's page
// leaves backupVaults/ out of it; such an id is refused. Its errors say in words
// what is wrong.
func ParseInstanceID(id string) (InstanceID, error) {
	r, err := arm.ParseResourceID(id)
	if err != nil {
		return InstanceID{}, err
	}
	if !strings.EqualFold(r.ResourceType.String(), instanceType) {
		return InstanceID{}, fmt.Errorf("it is the id of a %s, not of a backup instance of a Backup vault (%s)", r.ResourceType, instanceType)
	}
	v, err := vaultOf(r.Parent)
	if err != nil {
		return InstanceID{}, err
	}
	return InstanceID{Vault: v, Name: r.Name}, nil
}

// vaultOf checks the names of a vault's id.
func vaultOf(r *azarm.ResourceID) (VaultID, error) {
	subscription, group, name, err := arm.VaultNames(r)
	if err != nil {
		return VaultID{}, err
	}
	return VaultID{SubscriptionID: subscription, ResourceGroup: group, Name: name}, nil
}

// path joins names below the vault. A name that holds a slash, or is empty,
// would address another resource and is refused.
func (v VaultID) path(names ...string) (string, error) {
	if _, err := arm.PathBelow("", v.SubscriptionID, v.ResourceGroup, v.Name); err != nil {
		return "", err
	}
	return arm.PathBelow(v.String(), names...)
}

// path joins names below the instance.
func (i InstanceID) path(names ...string) (string, error) {
	return i.Vault.path(append([]string{"backupInstances", i.Name}, names...)...)
}
