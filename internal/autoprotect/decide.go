package autoprotect

import "azbackupflow/internal/arm"

// Outcome is what rules say about a resource, and what became of it.
type Outcome string

// The outcomes. The first three are what rules say.
const (
	// Protect: a rule protects the resource.
	Protect Outcome = "protect"
	// Exclude: a rule leaves it alone.
	Exclude Outcome = "exclude"
	// None: no rule matches.
	None Outcome = "none"

	// Excluded: a person stopped or deleted its protection.
	Excluded Outcome = "excluded"
	// Refused: the request that the rule makes can never work.
	Refused Outcome = "refused"
	// Lost: it was protected and is no more, by nothing that is known here.
	Lost Outcome = "lost"
)

// Outcomes are all outcomes.
func Outcomes() []Outcome { return []Outcome{Protect, Exclude, None, Excluded, Refused, Lost} }

// Asked is a rule that was asked, with its answer.
type Asked struct {
	Rule    string `json:"rule"`
	Matches bool   `json:"matches"`
	DryRun  bool   `json:"dryRun,omitempty"`
	// Why says why it does not match, or what it does.
	Why string `json:"why"`
}

// Decision is what the rules say about a resource.
type Decision struct {
	Outcome Outcome
	// Rule is the one that decided; nil for None.
	Rule   *Rule
	Reason string
	// WouldBe are the dry-run rules that matched, with what they would do.
	WouldBe []string
	// Asked are the rules that were asked, in their order.
	Asked []Asked
}

// Decide asks the rules in their order; the first that matches decides. A
// dry-run rule that matches is noted, and the next one is asked.
func Decide(rules []Rule, res Resource) Decision {
	var d Decision
	for i := range rules {
		r := &rules[i]
		if why := r.mismatch(res); why != "" {
			d.Asked = append(d.Asked, Asked{Rule: r.Name, DryRun: r.DryRun, Why: why})
			continue
		}
		what := r.what()
		if r.DryRun {
			d.Asked = append(d.Asked, Asked{Rule: r.Name, Matches: true, DryRun: true, Why: "it would say: " + what})
			d.WouldBe = append(d.WouldBe, r.Name+": "+what)
			continue
		}
		d.Asked = append(d.Asked, Asked{Rule: r.Name, Matches: true, Why: what})
		d.Outcome, d.Rule, d.Reason = Protect, r, what
		if r.Exclude {
			d.Outcome = Exclude
		}
		return d
	}
	d.Outcome, d.Reason = None, "no rule matches"
	return d
}

// what says in words what the rule does.
func (r Rule) what() string {
	if r.Exclude {
		return "leave it alone"
	}
	text := "protect it with policy " + r.Protect.Policy + " of vault " + arm.LastName(r.Protect.VaultID)
	if r.Protect.FirstBackup {
		text += ", and back it up at once"
	}
	return text
}

// mayProtect reports whether some rule could protect the resource, or a share of
// the storage account, or would in a dry run.
func mayProtect(rules []Rule, res Resource) bool {
	for _, r := range rules {
		if r.mismatch(res) != "" {
			continue
		}
		if r.Protect != nil {
			return true
		}
		if !r.DryRun && len(r.Match.Names) == 0 {
			return false // all its shares are left alone
		}
	}
	return false
}
