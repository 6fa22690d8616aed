package autoprotect

import (
	"azbackupflow/internal/arm/resourceid"
)

// Outcome is the result of a decision about a resource.
type Outcome string

// The outcomes. Decide returns only the first three.
const (
	// Protect: a rule protects the resource.
	Protect Outcome = "protect"
	// Exclude: a rule excludes the resource.
	Exclude Outcome = "exclude"
	// None: no rule matches.
	None Outcome = "none"

	// Excluded: a user stopped or deleted the protection of the resource.
	Excluded Outcome = "excluded"
	// Rejected: the engine rejects the request that the rule creates.
	Rejected Outcome = "rejected"
	// Lost: the resource was protected and no longer is, for an unknown reason.
	Lost Outcome = "lost"
)

// Outcomes returns all outcomes.
func Outcomes() []Outcome { return []Outcome{Protect, Exclude, None, Excluded, Rejected, Lost} }

// RuleResult is the result of evaluating one rule.
type RuleResult struct {
	Rule    string `json:"rule"`
	Matches bool   `json:"matches"`
	DryRun  bool   `json:"dryRun,omitempty"`
	// Reason is why the rule does not match, or what it does.
	Reason string `json:"reason"`
}

// Decision is the result of evaluating the rules for a resource.
type Decision struct {
	Outcome Outcome
	// Rule is the rule that decided; nil for None.
	Rule   *Rule
	Reason string
	// DryRunMatches names the dry-run rules that matched, with what each would
	// do.
	DryRunMatches []string
	// Results holds the evaluated rules, in file order.
	Results []RuleResult
}

// Decide evaluates the rules in order. The first rule that matches decides. A
// dry-run rule that matches is recorded and evaluation continues.
func Decide(rules []Rule, res Resource) Decision {
	var d Decision
	for i := range rules {
		r := &rules[i]
		if reason := r.mismatch(res); reason != "" {
			d.Results = append(d.Results, RuleResult{Rule: r.Name, DryRun: r.DryRun, Reason: reason})
			continue
		}
		action := r.action(res)
		if r.DryRun {
			d.Results = append(d.Results, RuleResult{Rule: r.Name, Matches: true, DryRun: true, Reason: "would " + action})
			d.DryRunMatches = append(d.DryRunMatches, r.Name+": "+action)
			continue
		}
		d.Results = append(d.Results, RuleResult{Rule: r.Name, Matches: true, Reason: action})
		d.Outcome, d.Rule, d.Reason = Protect, r, action
		if r.Exclude {
			d.Outcome = Exclude
		}
		return d
	}
	d.Outcome, d.Reason = None, "no rule matches"
	return d
}

// action describes what the rule does with a resource that it matches.
func (r Rule) action(res Resource) string {
	if r.Exclude {
		return "exclude from automatic protection"
	}
	text := "protect with policy " + r.Protect.Policy + " of vault " + resourceid.LastName(r.Protect.vaultIn(res.Location))
	if r.Protect.FirstBackup {
		text += " and start a first backup"
	}
	return text
}

// mayProtect reports whether a rule could protect the resource, or a share of
// the storage account, or would do so in a dry run. The sweep skips resources
// for which it returns false.
func mayProtect(rules []Rule, res Resource) bool { return len(vaultsFor(rules, res)) > 0 }

// vaultsFor returns the vaults with which the rules may protect the resource, or a
// share of the storage account, or would do so in a dry run.
func vaultsFor(rules []Rule, res Resource) (vaults []string) {
	for _, r := range rules {
		if r.mismatch(res) != "" {
			continue
		}
		if r.Protect != nil {
			vaults = appendOnce(vaults, r.Protect.vaultIn(res.Location))
		}
		if !r.DryRun && len(r.Match.Names) == 0 {
			break // the rule decides about every share or database of the source
		}
	}
	return vaults
}
