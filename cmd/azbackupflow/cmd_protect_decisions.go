package main

import (
	"context"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli/render"
)

type protectDecisionsCommand struct {
	Outcome string `help:"Only decisions with this outcome: protect, exclude, none, excluded, rejected or lost."`
	Rule    string `help:"Only decisions of this rule."`
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
	decisions, next, err := collect(ctx, d.Limit, func(ctx context.Context, size int, next string) ([]api.Decision, string, error) {
		page, err := c.Decisions(ctx, api.DecisionQuery{Outcome: d.Outcome, Rule: d.Rule, PageSize: size, Continue: next})
		return page.Decisions, page.Continue, err
	})
	if err != nil {
		return err
	}
	if a.out.IsJSON() {
		return a.out.JSON(api.DecisionPage{Decisions: decisions, Continue: next})
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
