package autoprotect

import (
	"slices"
	"strings"

	"azbackupflow/internal/declaration"
)

// shadows reports whether a rule matches all that a later one matches, so that
// the later one never decides. It looks at one rule alone: what several rules
// match together is not seen.
func (r Rule) shadows(later Rule) bool {
	if r.DryRun {
		return false // it decides nothing
	}
	if k := r.kind(); k != "" && k != later.kind() {
		return false
	}
	a, b := r.Match, later.Match
	for _, c := range [][2][]string{
		{a.Subscriptions, b.Subscriptions}, {a.ResourceGroups, b.ResourceGroups}, {a.StorageAccounts, b.StorageAccounts},
		{a.Names, b.Names}, {regions(a.Locations), regions(b.Locations)},
	} {
		if !covers(c[0], c[1], true) {
			return false
		}
	}
	for name, values := range a.Tags.Include {
		have, ok := valuesOf(b.Tags.Include, name)
		if !ok || !covers(values, have, false) {
			return false
		}
	}
	for name, values := range a.Tags.Exclude {
		have, ok := valuesOf(b.Tags.Exclude, name)
		if !ok || !covers(have, values, false) {
			return false
		}
	}
	return true
}

// covers reports whether one list of patterns matches all that another does;
// an empty list matches everything.
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

func valuesOf(tags map[string]Values, name string) (Values, bool) {
	for have, values := range tags {
		if strings.EqualFold(have, name) {
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
