package recoveryservices

import (
	"context"
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

// Vault is a Recovery Services vault, with the settings that protecting and
// deleting depend on.
type Vault struct {
	ID       string
	Name     string
	Location string
	// IdentityType is SystemAssigned, UserAssigned, both with a comma, or None;
	// PrincipalID is the object ID of the system-assigned identity.
	IdentityType string
	PrincipalID  string
	// Immutability is one of the Immutability constants; empty counts as
	// Disabled.
	Immutability string
	// SoftDelete is Enabled, Disabled or AlwaysON. Unless it is Disabled, deleted
	// items are kept for SoftDeleteRetentionDays days.
	SoftDelete              string
	SoftDeleteRetentionDays string
	// MultiUserAuthorization is Enabled if a Resource Guard protects the vault.
	MultiUserAuthorization string
	ProvisioningState      string
}

// Immutable reports whether backup data cannot be deleted before it expires.
func (v Vault) Immutable() bool {
	return v.Immutability != "" && !strings.EqualFold(v.Immutability, ImmutabilityDisabled)
}

// SoftDeletes reports whether deleted items are kept for a retention period.
func (v Vault) SoftDeletes() bool {
	return v.SoftDelete != "" && !strings.EqualFold(v.SoftDelete, "Disabled")
}

// ProtectedByResourceGuard reports whether multi-user authorization is on.
func (v Vault) ProtectedByResourceGuard() bool {
	return strings.EqualFold(v.MultiUserAuthorization, "Enabled")
}

// GetVault reads a vault.
//
// Vaults - Get: GET {vault}, at VaultAPIVersion.
func (c *Client) GetVault(ctx context.Context, vault resourceid.VaultID) (Vault, error) {
	return vaultapi.Get(ctx, c.vaults, vaultBody.vault, vault)
}

type vaultBody struct {
	ID         string
	Name       string
	Location   azjson.Text
	Identity   struct{ Type, PrincipalID azjson.Text }
	Properties struct {
		ProvisioningState azjson.Text
		SecuritySettings  struct {
			ImmutabilitySettings   struct{ State azjson.Text }
			SoftDeleteSettings     struct{ SoftDeleteState, SoftDeleteRetentionPeriodInDays azjson.Text }
			MultiUserAuthorization azjson.Text
		}
	}
}

func (b vaultBody) vault() Vault {
	s := b.Properties.SecuritySettings
	return Vault{
		ID: b.ID, Name: b.Name, Location: string(b.Location),
		IdentityType: string(b.Identity.Type), PrincipalID: string(b.Identity.PrincipalID),
		Immutability:            string(s.ImmutabilitySettings.State),
		SoftDelete:              string(s.SoftDeleteSettings.SoftDeleteState),
		SoftDeleteRetentionDays: string(s.SoftDeleteSettings.SoftDeleteRetentionPeriodInDays),
		MultiUserAuthorization:  string(s.MultiUserAuthorization),
		ProvisioningState:       string(b.Properties.ProvisioningState),
	}
}

// ListResourceGuardProxies lists the vault's links to Resource Guards, all
// pages. A vault without multi-user authorization has none.
//
// ResourceGuardProxies - Get: GET {vault}/backupResourceGuardProxies.
func (c *Client) ListResourceGuardProxies(ctx context.Context, vault resourceid.VaultID) ([]resourceguard.Proxy, error) {
	return resourceguard.List(ctx, c.api, vault)
}
