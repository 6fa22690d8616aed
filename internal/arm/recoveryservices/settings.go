package recoveryservices

import (
	"context"
	"net/url"
	"strings"

	"azbackupflow/internal/arm/azjson"
	"azbackupflow/internal/arm/resourceguard"
	"azbackupflow/internal/arm/resourceid"
)

// VaultAPIVersion is the api-version of the vault itself, which another API
// than Azure Backup's describes (Microsoft.RecoveryServices, Vaults - Get). It
// is the one that the Azure CLI was recorded with.
const VaultAPIVersion = "2024-04-01"

// States of a vault's immutability.
const (
	ImmutabilityDisabled = "Disabled"
	ImmutabilityUnlocked = "Unlocked"
	ImmutabilityLocked   = "Locked"
)

// Vault is a Recovery Services vault: of it only what deleting and protecting
// depend on.
type Vault struct {
	ID       string
	Name     string
	Location string
	// IdentityType is SystemAssigned, UserAssigned, both with a comma, or None;
	// PrincipalID is the object id of the system-assigned identity.
	IdentityType string
	PrincipalID  string
	// Immutability is one of the Immutability constants; empty counts as
	// Disabled.
	Immutability string
	// SoftDelete is Enabled, Disabled or AlwaysON. Deleted items are kept
	// SoftDeleteRetentionDays days unless it is Disabled.
	SoftDelete              string
	SoftDeleteRetentionDays string
	// MultiUserAuthorization is Enabled where a Resource Guard protects the
	// vault.
	MultiUserAuthorization string
	ProvisioningState      string
}

// Immutable reports whether backup data must not be deleted before it expires.
func (v Vault) Immutable() bool {
	return v.Immutability != "" && !strings.EqualFold(v.Immutability, ImmutabilityDisabled)
}

// SoftDeletes reports whether deleted items are kept for a while.
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
	path, err := vaultPath(vault)
	if err != nil {
		return Vault{}, err
	}
	var body struct {
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
	if err := c.arm.Get(ctx, path, url.Values{"api-version": {VaultAPIVersion}}, &body); err != nil {
		return Vault{}, err
	}
	s := body.Properties.SecuritySettings
	return Vault{
		ID: body.ID, Name: body.Name, Location: string(body.Location),
		IdentityType: string(body.Identity.Type), PrincipalID: string(body.Identity.PrincipalID),
		Immutability:            string(s.ImmutabilitySettings.State),
		SoftDelete:              string(s.SoftDeleteSettings.SoftDeleteState),
		SoftDeleteRetentionDays: string(s.SoftDeleteSettings.SoftDeleteRetentionPeriodInDays),
		MultiUserAuthorization:  string(s.MultiUserAuthorization),
		ProvisioningState:       string(body.Properties.ProvisioningState),
	}, nil
}

// ListResourceGuardProxies lists the vault's links to Resource Guards, all
// pages; none where there is no multi-user authorization.
//
// ResourceGuardProxies - Get: GET {vault}/backupResourceGuardProxies.
func (c *Client) ListResourceGuardProxies(ctx context.Context, vault resourceid.VaultID) ([]resourceguard.Proxy, error) {
	path, err := vaultPath(vault, "backupResourceGuardProxies")
	if err != nil {
		return nil, err
	}
	return resourceguard.List(ctx, c.arm, path, query(""))
}
