package autoprotect

import (
	"maps"
	"slices"
	"strings"

	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/declaration"
)

// Rule decides about the resources that it matches.
type Rule struct {
	Name  string `json:"name"`
	Match Match  `json:"match"`
	// Exactly one of Protect and Exclude is set.
	Protect *Protection `json:"protect"`
	Exclude bool        `json:"exclude"`
	// DryRun rules are evaluated and recorded but never decide.
	DryRun bool `json:"dryRun"`
}

// Match selects resources. A resource must match every part that is set.
type Match struct {
	Type            Kind             `json:"type"`
	Subscriptions   []string         `json:"subscriptions"`
	ResourceGroups  []string         `json:"resourceGroups"`
	StorageAccounts []string         `json:"storageAccounts"`
	VirtualMachines []string         `json:"virtualMachines"`
	Names           []string         `json:"names"`
	Locations       []string         `json:"locations"`
	Tags            declaration.Tags `json:"tags"`
}

// Protection is how a resource is protected.
type Protection struct {
	// VaultID is the vault, or Vaults are the vaults by region. Exactly one is set.
	VaultID string            `json:"vaultId"`
	Vaults  map[string]string `json:"vaults"`
	Policy  string            `json:"policy"`
	// FirstBackup backs the resource up as soon as it is protected.
	FirstBackup bool `json:"firstBackup"`
	// Parameters are further parameters of the flow that protects the resource.
	Parameters map[string]any `json:"parameters"`
}

// kind returns the kind of resource that the rule is for; empty means every
// kind.
func (r Rule) kind() Kind {
	if r.Match.Type == "" && r.Protect != nil {
		return defaultKinds()[r.Protect.vaultType()]
	}
	return r.Match.Type
}

// vaultIDs returns the vaults, in the order of their regions.
func (p Protection) vaultIDs() []string {
	if p.VaultID != "" {
		return []string{p.VaultID}
	}
	var all []string
	for _, location := range p.regions() {
		all = append(all, p.Vaults[location])
	}
	return all
}

// regions returns the regions of the vaults; nil if one vault is for all.
func (p Protection) regions() []string { return slices.Sorted(maps.Keys(p.Vaults)) }

// vaultIn returns the vault for a region; empty if there is none.
func (p Protection) vaultIn(location string) string {
	if p.VaultID != "" {
		return p.VaultID
	}
	for name, id := range p.Vaults {
		if region(name) == region(location) {
			return id
		}
	}
	return ""
}

// vaultType returns the type of the vaults; empty if the first is none.
func (p Protection) vaultType() resourceid.VaultType {
	ids := p.vaultIDs()
	if len(ids) == 0 {
		return ""
	}
	for _, t := range []resourceid.VaultType{resourceid.RecoveryServicesVault, resourceid.BackupVault} {
		provider, _, _ := strings.Cut(strings.ToLower(string(t)), "/")
		if strings.Contains(strings.ToLower(ids[0]), "/"+provider+"/") {
			return t
		}
	}
	return ""
}
