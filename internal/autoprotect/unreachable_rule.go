package autoprotect

import (
	"slices"
	"strings"

	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/declaration"
)

// hides reports whether the rule matches everything that a later rule matches,
// so that the later rule never decides. It compares two rules only: it does not
// detect a rule that several earlier rules hide together.
func (r Rule) hides(later Rule) bool {
	if r.DryRun {
		return false // a dry-run rule never decides
	}
	if k := r.kind(); k != "" && k != later.kind() {
		return false
	}
	if r.Protect != nil && r.kind().entry().workload != "" && !r.sameVaults(later) {
		return false // it matches only databases of machines that are registered with its vault
	}
	a, b := r.Match, later.Match
	for _, c := range [][2][]string{
		{a.Subscriptions, b.Subscriptions}, {a.ResourceGroups, b.ResourceGroups}, {a.StorageAccounts, b.StorageAccounts},
		{a.VirtualMachines, b.VirtualMachines}, {a.Names, b.Names}, {r.locations(), later.locations()},
	} {
		if !covers(c[0], c[1], true) {
			return false
		}
	}
	for name, values := range a.Tags.Include {
		others, found := valuesOf(b.Tags.Include, name)
		if !found || !covers(values, others, false) {
			return false
		}
	}
	for name, values := range a.Tags.Exclude {
		others, found := valuesOf(b.Tags.Exclude, name)
		if !found || !covers(others, values, false) {
			return false
		}
	}
	return true
}

// sameVaults reports whether both rules protect with the same vault wherever the
// later rule matches.
func (r Rule) sameVaults(later Rule) bool {
	if later.Protect == nil {
		return false
	}
	locations := later.locations()
	if len(locations) == 0 {
		locations = []string{""} // one vault for all
	}
	return !slices.ContainsFunc(locations, func(l string) bool {
		return !resourceid.Equal(r.Protect.vaultIn(l), later.Protect.vaultIn(l))
	})
}

// covers reports whether one list of patterns matches everything that another
// list matches. An empty list matches everything.
func covers(patterns, others []string, fold bool) bool {
	if len(patterns) == 0 {
		return true
	}
	if len(others) == 0 {
		others = []string{"*"}
	}
	for _, other := range others {
		if !slices.ContainsFunc(patterns, func(p string) bool {
			if fold {
				p, other = strings.ToLower(p), strings.ToLower(other)
			}
			return declaration.Covers(p, other)
		}) {
			return false
		}
	}
	return true
}

func valuesOf(tags map[string]declaration.Values, name string) (declaration.Values, bool) {
	for key, values := range tags {
		if strings.EqualFold(key, name) {
			return values, true
		}
	}
	return nil, false
}

func regions(locations []string) []string {
	all := make([]string, len(locations))
	for i, l := range locations {
		all[i] = region(l)
	}
	return all
}
