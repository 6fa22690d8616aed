package inventory

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/arm/resourceid"
)

// VaultSettings are the settings of a vault that keep its backups from being
// deleted.
type VaultSettings struct {
	Name, Location string
	// SoftDelete is On, AlwaysOn or Off; empty if Azure does not report it.
	// SoftDeleteDays is how many days deleted items are kept; zero if it is off or
	// unknown.
	SoftDelete     string
	SoftDeleteDays int
	// Immutability is Disabled, Unlocked or Locked.
	Immutability string
	// MultiUserAuthorization reports that a Resource Guard protects the vault.
	MultiUserAuthorization bool
}

// Settings reads the settings of a vault. The error is a *step.Invalid for an ID
// that is not that of a vault.
//
// Vaults - Get, and ResourceGuardProxies - Get if the vault does not say whether a
// Resource Guard protects it; BackupVaults - Get.
func (r *Reader) Settings(ctx context.Context, vaultID string) (VaultSettings, error) {
	vault, err := vaultOf(vaultID)
	if err != nil {
		return VaultSettings{}, err
	}
	if vault.Type == resourceid.BackupVault {
		v, err := dataprotection.New(r.arm).GetVault(ctx, vault)
		if err != nil {
			return VaultSettings{}, fmt.Errorf("read vault %s: %w", vault.Name, err)
		}
		return settingsOf(VaultSettings{
			Name: v.Name, Location: v.Location, SoftDelete: v.SoftDelete, SoftDeleteDays: int(v.SoftDeleteRetentionDays),
			Immutability: v.Immutability, MultiUserAuthorization: v.ProtectedByResourceGuard,
		}), nil
	}
	client := recoveryservices.New(r.arm)
	v, err := client.GetVault(ctx, vault)
	if err != nil {
		return VaultSettings{}, fmt.Errorf("read vault %s: %w", vault.Name, err)
	}
	guarded := v.ProtectedByResourceGuard()
	if v.MultiUserAuthorization == "" {
		proxies, err := client.ListResourceGuardProxies(ctx, vault)
		if err != nil {
			return VaultSettings{}, fmt.Errorf("list the Resource Guards of vault %s: %w", vault.Name, err)
		}
		guarded = len(proxies) > 0
	}
	days, err := strconv.Atoi(v.SoftDeleteRetentionDays)
	if err != nil {
		days = 0 // Azure does not report it
	}
	return settingsOf(VaultSettings{
		Name: v.Name, Location: v.Location, SoftDelete: v.SoftDelete, SoftDeleteDays: days, Immutability: v.Immutability, MultiUserAuthorization: guarded,
	}), nil
}

// settingsOf replaces the words of both providers with one set of words.
func settingsOf(v VaultSettings) VaultSettings {
	switch strings.ToLower(v.SoftDelete) {
	case "on", "enabled":
		v.SoftDelete = "On"
	case "alwayson":
		v.SoftDelete = "AlwaysOn"
	case "off", "disabled":
		v.SoftDelete, v.SoftDeleteDays = "Off", 0
	}
	if v.Immutability == "" {
		v.Immutability = dataprotection.ImmutabilityDisabled
	}
	return v
}

// Retentions returns how long the policies of a vault keep backups, by the name of
// the policy, such as "daily 30 days".
func (r *Reader) Retentions(ctx context.Context, vaultID string) (map[string]string, error) {
	vault, err := vaultOf(vaultID)
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	if vault.Type == resourceid.BackupVault {
		policies, err := dataprotection.New(r.arm).ListPolicies(ctx, vault)
		if err != nil {
			return nil, fmt.Errorf("list the policies of %s: %w", vault.Name, err)
		}
		for _, p := range policies {
			var rules []string
			for _, rule := range p.RetentionRules {
				rules = append(rules, strings.ToLower(rule.Name)+" "+rule.Duration+" in "+rule.DataStoreType)
			}
			all[p.Name] = strings.Join(rules, ", ")
		}
		return all, nil
	}
	policies, err := recoveryservices.New(r.arm).ListPolicies(ctx, vault)
	if err != nil {
		return nil, fmt.Errorf("list the policies of %s: %w", vault.Name, err)
	}
	for _, p := range policies {
		if len(p.Retention) > 0 {
			all[p.Name] = p.Retention.String()
		}
	}
	return all, nil
}
