package main

import (
	"context"
	"fmt"

	"azbackupflow/internal/cli/render"
)

type flowsCommand struct{}

// Run lists the flows that can be started.
func (flowsCommand) Run(ctx context.Context, a *app) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	list, err := c.Flows(ctx)
	if err != nil {
		return err
	}
	if a.out.Structured() {
		return a.out.Data(list)
	}
	var rows [][]string
	for _, f := range list.Flows {
		rows = append(rows, []string{f.Name, fmt.Sprint(f.Version), render.Plain(f.Summary)})
	}
	a.out.Table([]string{"Flow", "Version", "Summary"}, rows)
	return nil
}
