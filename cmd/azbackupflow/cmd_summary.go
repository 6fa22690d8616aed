package main

import (
	"context"
	"fmt"
	"strings"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/render"
)

type summaryCommand struct {
	Since string `placeholder:"TIME" help:"Count ended operations that were started at or after this time (RFC 3339, a date, or an age such as 36h or 7d); the last day by default."`
}

// Help is shown below the command's own help.
func (summaryCommand) Help() string {
	return `Operations that have not ended are all counted, whenever they were started.`
}

// Run counts the operations of the app.
func (s *summaryCommand) Run(ctx context.Context, a *app) error {
	since, err := cli.ParseTime("--since", s.Since, a.now())
	if err != nil {
		return err
	}
	c, err := a.client()
	if err != nil {
		return err
	}
	sum, err := c.Summary(ctx, since)
	if err != nil {
		return err
	}
	if a.out.Structured() {
		return a.out.Data(sum)
	}
	a.showSummary(sum)
	return nil
}

func (a *app) showSummary(sum api.Summary) {
	facts := []render.Fact{{Name: "Ended since", Value: render.Time(sum.Since) + " UTC"}}
	for _, s := range api.Statuses() {
		if n := sum.Status[s]; n > 0 {
			facts = append(facts, render.Fact{Name: string(s), Value: fmt.Sprint(n)})
		}
	}
	if len(facts) == 1 {
		facts = append(facts, render.Fact{Name: "Operations", Value: "none"})
	}
	for _, x := range []struct {
		name, remedy string
		n            int
	}{
		{"Overdue", "azbackupflow rescue wakes them", sum.Overdue},
		{"Paused", "azbackupflow resume continues them", sum.Paused},
		{"Unreadable", "the app's log names their rows", sum.Unreadable},
	} {
		if x.n > 0 {
			facts = append(facts, render.Fact{Name: x.name, Value: fmt.Sprintf("%d; %s", x.n, x.remedy)})
		}
	}
	a.out.Facts(facts)
	if len(sum.Flows) > 0 {
		a.out.Line("")
		a.showFlowCounts(sum.Flows)
	}
	if sum.Incomplete {
		a.out.Note("there are more operations than are counted; choose a later --since")
	}
}

func (a *app) showFlowCounts(flows []api.FlowSummary) {
	rows := make([][]string, 0, len(flows))
	for _, f := range flows {
		total := 0
		var parts []string
		for _, s := range api.Statuses() {
			if n := f.Status[s]; n > 0 {
				total += n
				parts = append(parts, fmt.Sprintf("%d %s", n, s))
			}
		}
		rows = append(rows, []string{render.Plain(f.Flow), fmt.Sprint(total), strings.Join(parts, ", ")})
	}
	a.out.Table([]string{"Flow", "Total", "Statuses"}, rows)
}
