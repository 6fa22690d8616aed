package main

import (
	"context"
	"strings"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli/render"
)

type protectDecisionsCommand struct {
	Outcome string `placeholder:"OUTCOME" help:"Only decisions with this outcome: protect, exclude, none, excluded, rejected or lost."`
	Rule    string `placeholder:"NAME" help:"Only decisions of this rule."`
	limitFlag
}

// Run lists the last decision about each resource, with its reason.
func (d *protectDecisionsCommand) Run(ctx context.Context, a *app) error {
	if err := d.check(); err != nil {
		return err
	}
	c, err := a.client()
	if err != nil {
		return err
	}
	var unreadable []string
	decisions, next, err := collect(ctx, d.Limit, func(ctx context.Context, size int, next string) ([]api.Decision, string, error) {
		page, err := c.Decisions(ctx, api.DecisionQuery{Outcome: d.Outcome, Rule: d.Rule, PageSize: size, Continue: next})
		unreadable = append(unreadable, page.Unreadable...)
		return page.Decisions, page.Continue, err
	})
	if err != nil {
		return err
	}
	if a.out.Structured() {
		return a.out.Data(api.DecisionPage{Decisions: decisions, Unreadable: unreadable, Continue: next})
	}
	if len(unreadable) > 0 {
		a.out.Line("%d rows cannot be read: %s", len(unreadable), render.Plain(strings.Join(unreadable, ", ")))
	}
	if len(decisions) == 0 {
		a.out.Line("No decisions.")
		return nil
	}
	for i, decision := range decisions {
		if i > 0 {
			a.out.Line("")
		}
		a.out.Facts(render.DecisionFacts(decision))
	}
	if next != "" {
		a.out.Line("\nThere are more results; use --limit, --outcome or --rule.")
	}
	return nil
}
