package main

import (
	"context"
	"fmt"
)

type flowsCommand struct{}

// Run lists the flows that can be started.
func (f *flowsCommand) Run(ctx context.Context, a *app) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	flows, err := c.Flows(ctx)
	if err != nil {
		return err
	}
	if a.json() {
		return a.printJSON(flows)
	}
	var rows [][]string
	for _, f := range flows.Flows {
		rows = append(rows, []string{f.Name, fmt.Sprint(f.Version), plain(f.Summary)})
	}
	a.list([]string{"Flow", "Version", "What it does"}, rows)
	return nil
}
