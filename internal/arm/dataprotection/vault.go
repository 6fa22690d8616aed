package dataprotection

import (
	"context"
	"slices"
	"strings"

	"azbackupflow/internal/arm/azjson"
	"azbackupflow/internal/arm/resourceguard"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/arm/vaultapi"
)

// States of a vault's immutability.
const (
	ImmutabilityDisabled = "Disabled"
	ImmutabilityUnlocked = "Unlocked"
	ImmutabilityLocked   = "Locked"
)

// States of a vault's soft delete.
const (
	SoftDeleteOff      = "Off"
	SoftDeleteOn       = "On"
	SoftDeleteAlwaysOn = "AlwaysOn"
)

// Vault is a Backup vault.
type Vault struct {
	ID       string
	Name     string
	Location string
	// IdentityType is SystemAssigned, UserAssigned, both with a comma, or None.
	IdentityType string
	// PrincipalID is the object ID of the system-assigned identity, to which
	// roles on the server and the storage account are assigned.
	PrincipalID string
	// UserAssignedIdentities are the resource IDs of the vault's user-assigned
	// identities, sorted.
	UserAssignedIdentities []string
	// Immutability is one of the Immutability constants; empty counts as
	// Disabled.
	Immutability string
	// SoftDelete is one of the SoftDelete constants. Unless it is Off, deleted
	// instances are kept for SoftDeleteRetentionDays days. An example of the API
	// description shows Enabled, which SoftDeletes treats as On.
	SoftDelete              string
	SoftDeleteRetentionDays float64
	// ProtectedByResourceGuard reports that multi-user authorization is on.
	ProtectedByResourceGuard bool
	// CrossSubscriptionRestore is Enabled, Disabled or PermanentlyDisabled.
	CrossSubscriptionRestore string
	ProvisioningState        string
}

// Immutable reports whether backup data cannot be deleted before it expires.
func (v Vault) Immutable() bool {
	return v.Immutability != "" && !strings.EqualFold(v.Immutability, ImmutabilityDisabled)
}

// SoftDeletes reports whether deleted instances are kept for a retention period.
func (v Vault) SoftDeletes() bool {
	return v.SoftDelete != "" && !strings.EqualFold(v.SoftDelete, SoftDeleteOff)
}

// GetVault reads a vault.
//
// BackupVaults - Get: GET {vault}.
func (c *Client) GetVault(ctx context.Context, vault resourceid.VaultID) (Vault, error) {
	return vaultapi.Get(ctx, c.api, vaultBody.vault, vault)
}

type vaultBody struct {
	ID       string
	Name     string
	Location azjson.Text
	Identity struct {
		Type                   azjson.Text
		PrincipalID            azjson.Text
		UserAssignedIdentities map[string]struct{}
	}
	Properties struct {
		ProvisioningState               azjson.Text
		IsVaultProtectedByResourceGuard azjson.Text
		SecuritySettings                struct {
			SoftDeleteSettings struct {
				State                   azjson.Text
				RetentionDurationInDays float64
			}
			ImmutabilitySettings struct{ State azjson.Text }
		}
		FeatureSettings struct {
			CrossSubscriptionRestoreSettings struct{ State azjson.Text }
		}
	}
}

func (b vaultBody) vault() Vault {
	p := b.Properties
	v := Vault{
		ID: b.ID, Name: b.Name, Location: string(b.Location),
		IdentityType:             string(b.Identity.Type),
		PrincipalID:              string(b.Identity.PrincipalID),
		Immutability:             string(p.SecuritySettings.ImmutabilitySettings.State),
		SoftDelete:               string(p.SecuritySettings.SoftDeleteSettings.State),
		SoftDeleteRetentionDays:  p.SecuritySettings.SoftDeleteSettings.RetentionDurationInDays,
		ProtectedByResourceGuard: p.IsVaultProtectedByResourceGuard.Bool(),
		CrossSubscriptionRestore: string(p.FeatureSettings.CrossSubscriptionRestoreSettings.State),
		ProvisioningState:        string(p.ProvisioningState),
	}
	for id := range b.Identity.UserAssignedIdentities {
		v.UserAssignedIdentities = append(v.UserAssignedIdentities, id)
	}
	slices.Sort(v.UserAssignedIdentities)
	return v
}

// ListResourceGuardProxies lists the vault's links to Resource Guards, all
// pages. A vault without multi-user authorization has none.
//
// DppResourceGuardProxy - List: GET {vault}/backupResourceGuardProxies.
func (c *Client) ListResourceGuardProxies(ctx context.Context, vault resourceid.VaultID) ([]resourceguard.Proxy, error) {
	return resourceguard.List(ctx, c.api, vault)
}
