package autoprotect

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/datasource"
)

// Scope is the resources of one kind in one subscription that the rules decide
// about.
type Scope struct {
	Kind         Kind
	Subscription string
}

// Scopes returns what the sweep looks at: the subscriptions of the rules that
// protect, by kind. The error is why the rules cannot be parsed.
func (e *Evaluator) Scopes() (all []Scope, err error) {
	if e.c.RulesErr != nil {
		return nil, fmt.Errorf("protection rules cannot be parsed: %w", e.c.RulesErr)
	}
	for _, kind := range []Kind{FileShare, PostgresFlexibleServer} {
		_, subscriptions := vaultsAndSubscriptions(e.c.Rules, kind)
		for _, s := range subscriptions {
			all = append(all, Scope{Kind: kind, Subscription: s})
		}
	}
	return all, nil
}

// RuleVaults returns the resource IDs of the vaults that the rules protect with.
func (e *Evaluator) RuleVaults() (all []string) {
	for _, kind := range []Kind{FileShare, PostgresFlexibleServer} {
		vaults, _ := vaultsAndSubscriptions(e.c.Rules, kind)
		all = append(all, vaults...)
	}
	return all
}

// Surveyed is a resource, and what the rules decide about it.
type Surveyed struct {
	// ID is the resource ID; that of the storage account if a rule excludes all of
	// its shares.
	ID   string
	Name string
	Kind Kind
	// Outcome is Protect, Exclude or None.
	Outcome Outcome
	// Rule is the name of the deciding rule; empty for None. VaultID and Policy are
	// those of a rule that protects.
	Rule, VaultID, Policy string
}

// Survey returns the resources of a scope with the decisions of the rules. It
// changes and records nothing. o are the options of the calls.
//
// It reads a storage account at a time, in the order of the IDs, from the one after
// after on, and stops early if more returns false or after an error: next is then
// the value of after for the rest, and found is what was read before. next is empty
// if nothing is left.
func (e *Evaluator) Survey(ctx context.Context, s Scope, o arm.CallOptions, after string, more func() bool) (found []Surveyed, next string, err error) {
	client := e.c.Datasources.With(o)
	list := client.ListFlexibleServers
	if s.Kind == FileShare {
		list = client.ListStorageAccounts
	}
	listed, err := list(ctx, s.Subscription)
	if err != nil {
		return nil, after, err
	}
	slices.SortFunc(listed, func(a, b datasource.Resource) int { return cmp.Compare(strings.ToLower(a.ID), strings.ToLower(b.ID)) })
	for n, r := range listed {
		id := strings.ToLower(r.ID)
		if id <= after {
			continue
		}
		res := newResource(s.Kind, r)
		if s.Kind != FileShare {
			found = append(found, e.surveyed(res))
			continue
		}
		if excludesAll(e.c.Rules, res) {
			found = append(found, e.surveyed(res))
		} else {
			names, err := client.ListFileShares(ctx, r.ID)
			if err != nil && !azerr.IsNotFound(err) {
				return found, after, err
			}
			for _, name := range names {
				found = append(found, e.surveyed(res.withShare(name)))
			}
		}
		if after = id; n+1 < len(listed) && !more() {
			return found, after, nil
		}
	}
	return found, "", nil
}

// excludesAll reports whether the rules exclude every share of a storage account,
// whatever its name.
func excludesAll(rules []Rule, account Resource) bool {
	d := Decide(rules, account)
	return d.Outcome == Exclude && len(d.Rule.Match.Names) == 0 && !mayProtect(rules, account)
}

func (e *Evaluator) surveyed(res Resource) Surveyed {
	d := Decide(e.c.Rules, res)
	s := Surveyed{ID: res.ID, Name: res.Name, Kind: res.Kind, Outcome: d.Outcome}
	if s.Name == "" {
		s.Name = res.Account
	}
	if d.Rule != nil {
		s.Rule = d.Rule.Name
	}
	if d.Outcome == Protect {
		s.VaultID, s.Policy = d.Rule.Protect.VaultID, d.Rule.Protect.Policy
	}
	return s
}
