package autoprotect

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/datasource"
	"azbackupflow/internal/arm/resourceid"
)

// Scope is the resources of one kind that the rules decide about, in one
// subscription or, for databases, of one vault.
type Scope struct {
	Kind         Kind
	Subscription string
	// VaultID is set for databases, which only a vault knows.
	VaultID string
}

// Scopes returns what the sweep looks at, by kind. The error is why the rules cannot
// be parsed.
func (e *Evaluator) Scopes() (all []Scope, err error) {
	if e.c.RulesErr != nil {
		return nil, fmt.Errorf("protection rules cannot be parsed: %w", e.c.RulesErr)
	}
	for _, kind := range usedKinds(e.c.Rules) {
		vaults, subscriptions := vaultsAndSubscriptions(e.c.Rules, kind.kind)
		if kind.workload != "" {
			for _, v := range vaults {
				all = append(all, Scope{Kind: kind.kind, VaultID: v})
			}
			continue
		}
		for _, s := range subscriptions {
			all = append(all, Scope{Kind: kind.kind, Subscription: s})
		}
	}
	return all, nil
}

// RuleVaults returns the resource IDs of the vaults that the rules protect with.
func (e *Evaluator) RuleVaults() (all []string) {
	for _, kind := range usedKinds(e.c.Rules) {
		vaults, _ := vaultsAndSubscriptions(e.c.Rules, kind.kind)
		for _, v := range vaults {
			all = appendOnce(all, v)
		}
	}
	return all
}

// Surveyed is a resource, and what the rules decide about it.
type Surveyed struct {
	// ID is the ID by which vaults and exclusions name the resource. That of file
	// shares which a rule excludes all together is the ID of the file service.
	ID   string
	Name string
	// Type is the type in the words of the vaults, such as AzureFileShare.
	Type string
	// Outcome is Protect, Exclude or None.
	Outcome Outcome
	// Rule is the name of the deciding rule; empty for None.
	Rule string
	// Created is when the resource, or what contains it, was created; zero if unknown.
	Created time.Time `json:",omitzero"`
	// Flow and Parameters are the request of a rule that protects.
	Flow       string         `json:",omitempty"`
	Parameters map[string]any `json:",omitempty"`
}

// Survey returns the resources of a scope with the decisions of the rules. It
// changes and records nothing. o are the options of the calls.
//
// It reads a storage account or virtual machine at a time, in the order of the IDs,
// from the one after after on, and stops early if more returns false or after an
// error: next is then the value of after for the rest, and found is what was read
// before. next is empty if nothing is left.
func (e *Evaluator) Survey(ctx context.Context, s Scope, o arm.CallOptions, after string, more func() bool) (found []Surveyed, next string, err error) {
	kind := s.Kind.entry()
	if kind.workload != "" {
		return e.surveyDatabases(ctx, s, kind, o, after, more)
	}
	client := e.with(o).c.Datasources
	listed, err := client.List(ctx, s.Subscription, kind.source)
	if err != nil {
		return nil, after, err
	}
	slices.SortFunc(listed, func(a, b datasource.Resource) int { return cmp.Compare(strings.ToLower(a.ID), strings.ToLower(b.ID)) })
	for n, r := range listed {
		id := strings.ToLower(r.ID)
		if id <= after || kind.accepts != nil && !kind.accepts(r) {
			continue
		}
		res := newResource(kind.kind, r)
		switch {
		case !kind.shares:
			found = append(found, e.surveyed(res))
			continue
		case excludesAll(e.c.Rules, res):
			one := e.surveyed(res)
			one.ID, one.Name = one.ID+"/fileServices/default", res.Account
			found = append(found, one)
		default:
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

// surveyDatabases surveys the databases on the registered machines of a vault that
// the vault knows and does not protect.
func (e *Evaluator) surveyDatabases(
	ctx context.Context, s Scope, kind entry, o arm.CallOptions, after string, more func() bool,
) (found []Surveyed, next string, err error) {
	vault, err := resourceid.ParseVaultID(s.VaultID, kind.vault)
	if err != nil {
		return nil, after, fmt.Errorf("parse vault ID %q: %w", s.VaultID, err)
	}
	bound := e.with(o)
	machines, err := bound.c.Vaults.registeredMachines(ctx, vault, kind)
	if err != nil {
		return nil, after, err
	}
	slices.SortFunc(machines, func(a, b registered) int {
		return cmp.Compare(strings.ToLower(a.container.ID), strings.ToLower(b.container.ID))
	})
	for n, m := range machines {
		id := strings.ToLower(m.container.ID)
		if id <= after || len(m.databases) == 0 {
			continue
		}
		machine, err := bound.c.Datasources.Get(ctx, m.container.SourceResourceID)
		if err != nil && !azerr.IsNotFound(err) {
			return found, after, fmt.Errorf("read %s: %w", m.container.SourceResourceID, err)
		}
		if err == nil {
			all := newResource(kind.kind, machine)
			all.VaultID = vault.String()
			for _, d := range m.databases {
				found = append(found, e.surveyed(all.withDatabase(datasource.Database{
					MachineID: machine.ID, Workload: string(kind.workload), Instance: d.Parent, Name: d.FriendlyName,
				})))
			}
		}
		if after = id; n+1 < len(machines) && !more() {
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
	s := Surveyed{ID: res.protectedID(), Name: res.Name, Type: res.Kind.vaultType(), Outcome: d.Outcome, Created: res.Created}
	if d.Rule != nil {
		s.Rule = d.Rule.Name
	}
	if d.Outcome != Protect {
		return s
	}
	if req, err := d.Rule.request(res, ""); err == nil && json.Unmarshal(req.Parameters, &s.Parameters) == nil {
		s.Flow = req.Flow
	}
	return s
}

// vaultType returns the type of such resources in the words of the vaults.
func (k Kind) vaultType() string {
	switch e := k.entry(); {
	case e.datasource != "":
		return e.datasource
	case e.workload != "":
		return string(e.workload)
	case e.shares:
		return "AzureFileShare"
	}
	return "VM"
}
