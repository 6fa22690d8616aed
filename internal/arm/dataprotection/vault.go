package dataprotection

import (
	"context"
	"slices"
	"strings"

	"azbackupflow/internal/arm/azjson"
	"azbackupflow/internal/arm/resourceguard"
	"azbackupflow/internal/arm/resourceid"
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
	// PrincipalID is the object id of the system-assigned identity: what roles
	// on the server and the storage account are assigned to.
	PrincipalID string
	// UserAssignedIdentities are the resource ids of the vault's user-assigned
	// identities, in order.
	UserAssignedIdentities []string
	// Immutability is one of the Immutability constants; empty counts as
	// Disabled.
	Immutability string
	// SoftDelete is one of the SoftDelete constants. Deleted instances are kept
	// SoftDeleteRetentionDays days unless it is Off. An example of the API
	// description says Enabled, which SoftDeletes takes for On.
	SoftDelete              string
	SoftDeleteRetentionDays float64
	// ProtectedByResourceGuard: multi-user authorization is on.
	ProtectedByResourceGuard bool
	// CrossSubscriptionRestore is Enabled, Disabled or PermanentlyDisabled.
	CrossSubscriptionRestore string
	ProvisioningState        string
}

// Immutable reports whether backup data must not be deleted before it expires.
func (v Vault) Immutable() bool {
	return v.Immutability != "" && !strings.EqualFold(v.Immutability, ImmutabilityDisabled)
}

// SoftDeletes reports whether deleted instances are kept for a while.
func (v Vault) SoftDeletes() bool {
	return v.SoftDelete != "" && !strings.EqualFold(v.SoftDelete, SoftDeleteOff)
}

// GetVault reads a vault.
//
// BackupVaults - Get: GET {vault}.
func (c *Client) GetVault(ctx context.Context, vault resourceid.VaultID) (Vault, error) {
	path, err := vaultPath(vault)
	if err != nil {
		return Vault{}, err
	}
	var body struct {
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
	if err := c.arm.Get(ctx, path, query(""), &body); err != nil {
		return Vault{}, err
	}
	p := body.Properties
	v := Vault{
		ID: body.ID, Name: body.Name, Location: string(body.Location),
		IdentityType:             string(body.Identity.Type),
		PrincipalID:              string(body.Identity.PrincipalID),
		Immutability:             string(p.SecuritySettings.ImmutabilitySettings.State),
		SoftDelete:               string(p.SecuritySettings.SoftDeleteSettings.State),
		SoftDeleteRetentionDays:  p.SecuritySettings.SoftDeleteSettings.RetentionDurationInDays,
		ProtectedByResourceGuard: p.IsVaultProtectedByResourceGuard.Bool(),
		CrossSubscriptionRestore: string(p.FeatureSettings.CrossSubscriptionRestoreSettings.State),
		ProvisioningState:        string(p.ProvisioningState),
	}
	for id := range body.Identity.UserAssignedIdentities {
		v.UserAssignedIdentities = append(v.UserAssignedIdentities, id)
	}
	slices.Sort(v.UserAssignedIdentities)
	return v, nil
}

// ListResourceGuardProxies lists the vault's links to Resource Guards, all
// pages; none where there is no multi-user authorization.
//
// DppResourceGuardProxy - List: GET {vault}/backupResourceGuardProxies.
func (c *Client) ListResourceGuardProxies(ctx context.Context, vault resourceid.VaultID) ([]resourceguard.Proxy, error) {
	path, err := vaultPath(vault, "backupResourceGuardProxies")
	if err != nil {
		return nil, err
	}
	return resourceguard.List(ctx, c.arm, path, query(""))
}
