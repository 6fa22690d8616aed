package autoprotect

import (
	"slices"
	"strings"

	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/declaration"
)

// mismatch returns why the rule does not match the resource; empty if it
// matches. A resource without a name matches every list of names: a storage
// account is checked before its shares are listed.
func (r Rule) mismatch(res Resource) string {
	m := r.Match
	if k := r.kind(); k != "" && k != res.Kind {
		return "the rule is for type " + string(k)
	}
	for _, c := range []struct {
		what     string
		patterns []string
		text     string
		any      bool
	}{
		{"subscription", m.Subscriptions, res.Subscription, false},
		{"resource group", m.ResourceGroups, res.ResourceGroup, false},
		{"storage account", m.StorageAccounts, res.Account, false},
		{"virtual machine", m.VirtualMachines, res.Machine, false},
		{"name", m.Names, res.Name, res.Name == ""},
		{"location", m.Locations, region(res.Location), false},
	} {
		matches := func(pattern string) bool { return declaration.MatchFold(pattern, c.text) }
		if c.what == "location" {
			matches = func(name string) bool { return region(name) == c.text }
		}
		if len(c.patterns) > 0 && !c.any && !slices.ContainsFunc(c.patterns, matches) {
			return c.what + " " + c.text + " is not one of " + strings.Join(c.patterns, ", ")
		}
	}
	if reason := r.vaultMismatch(res); reason != "" {
		return reason
	}
	return m.Tags.Mismatch(res.Tags)
}

// vaultMismatch returns why no vault of the rule can protect the resource; empty
// if one can.
func (r Rule) vaultMismatch(res Resource) string {
	if r.Protect == nil {
		return ""
	}
	vault := r.Protect.vaultIn(res.Location)
	switch {
	case vault == "":
		return "location " + region(res.Location) + " is not one of " + strings.Join(r.Protect.regions(), ", ") + ", the locations of the rule's vaults"
	case res.VaultID != "" && !resourceid.Equal(vault, res.VaultID):
		return "the virtual machine is registered with vault " + resourceid.LastName(res.VaultID) + ", not with " + resourceid.LastName(vault)
	}
	return ""
}

// locations returns the regions that the rule matches; empty means all of them.
func (r Rule) locations() []string {
	own := regions(r.Match.Locations)
	if r.Protect == nil || len(r.Protect.Vaults) == 0 {
		return own
	}
	vaults := regions(r.Protect.regions())
	if len(own) == 0 {
		return vaults
	}
	return slices.DeleteFunc(own, func(l string) bool { return !slices.Contains(vaults, l) })
}

// region normalizes a location as Azure does: West Europe becomes westeurope.
func region(location string) string {
	return strings.ToLower(strings.ReplaceAll(location, " ", ""))
}
