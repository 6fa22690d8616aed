package main

import (
	"context"
	"strings"

	"azbackupflow/internal/api"
	"azbackupflow/internal/client"
)

type protectVerdictsCommand struct {
	Outcome string `help:"Only those of one outcome: protect, exclude, none, excluded, refused or lost."`
	Rule    string `help:"Only those that one rule decided."`
	Limit   int    `default:"50" help:"At most so many."`
}

// Run lists verdicts, each with its reason.
func (v *protectVerdictsCommand) Run(ctx context.Context, a *app) error {
	if v.Limit < 1 {
		return &usage{text: "--limit wants at least 1"}
	}
	c, err := a.client()
	if err != nil {
		return err
	}
	all, err := verdictsAll(ctx, c, api.DecisionQuery{Outcome: v.Outcome, Rule: v.Rule}, v.Limit)
	if err != nil {
		return err
	}
	if a.json() {
		return a.printJSON(all)
	}
	if len(all.Decisions) == 0 {
		a.say("No verdicts.")
		return nil
	}
	for i, verdict := range all.Decisions {
		if i > 0 {
			a.say("")
		}
		a.facts(aboutVerdict(verdict))
	}
	if all.Continue != "" {
		a.say("\nThere are more: --limit, --outcome and --rule choose.")
	}
	return nil
}

// verdictsAll joins pages until there are enough.
func verdictsAll(ctx context.Context, c *client.Client, q api.DecisionQuery, limit int) (api.DecisionPage, error) {
	all := api.DecisionPage{Decisions: []api.Decision{}}
	for {
		q.PageSize = min(limit-len(all.Decisions), api.MaxPageSize)
		page, err := c.Decisions(ctx, q)
		if err != nil {
			return all, err
		}
		all.Decisions = append(all.Decisions, page.Decisions...)
		all.Continue = page.Continue
		if page.Continue == "" || len(all.Decisions) >= limit {
			return all, nil
		}
		q.Continue = page.Continue
	}
}

func aboutVerdict(v api.Decision) [][2]string {
	verdict := plain(v.Outcome)
	if v.Rule != "" {
		verdict += ", by rule " + plain(v.Rule)
	}
	facts := [][2]string{
		{"Resource", plain(v.ResourceID)},
		{"Verdict", verdict},
		{"Reason", plain(v.Reason)},
		{"Decided", instant(v.At) + " UTC, by " + plain(v.Source)},
	}
	if len(v.DryRunMatches) > 0 {
		facts = append(facts, [2]string{"Dry run", plain(strings.Join(v.DryRunMatches, "; "))})
	}
	if v.OperationID != "" {
		facts = append(facts, [2]string{"Operation", plain(v.OperationID)})
	}
	return facts
}
