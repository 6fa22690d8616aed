package main

import (
	"context"
	"slices"
	"strings"

	"azbackupflow/internal/api"
	"azbackupflow/internal/client"
)

type listCommand struct {
	Status []string `placeholder:"STATUS" help:"Only these statuses, such as Running,Parked."`
	Flow   string   `help:"Only this flow."`
	Label  string   `placeholder:"NAME=VALUE" help:"Only operations with this label."`
	Since  string   `placeholder:"TIME" help:"Started at or after: 2026-11-21T03:00:00Z, 2026-11-21, or 36h or 7d for so long ago."`
	Until  string   `placeholder:"TIME" help:"Started before."`
	Limit  int      `default:"50" help:"At most so many."`
}

// Run lists operations.
func (l *listCommand) Run(ctx context.Context, a *app) error {
	q, err := l.query(a)
	if err != nil {
		return err
	}
	c, err := a.client()
	if err != nil {
		return err
	}
	all, err := listAll(ctx, c, q, l.Limit)
	if err != nil {
		return err
	}
	if a.json() {
		return a.printJSON(all)
	}
	if len(all.Operations) == 0 {
		a.say("No operations.")
		return nil
	}
	headings := []string{"Name", "Operation", "Status", "Item Name", "Start Time UTC", "Duration"}
	reasons := slices.ContainsFunc(all.Operations, func(v api.Operation) bool { return reason(v) != "" })
	if reasons {
		headings = append(headings, "Reason")
	}
	rows := make([][]string, 0, len(all.Operations))
	for _, v := range all.Operations {
		row := []string{
			v.ID, v.Flow, a.paint.status(v.Status) + flags(v), item(v), instant(v.CreatedAt), clockSpan(took(v, a.now())),
		}
		if reasons {
			row = append(row, reason(v))
		}
		rows = append(rows, row)
	}
	a.list(headings, rows)
	if all.Continue != "" {
		a.say("\nThere are more: --limit, --since and the other filters choose.")
	}
	return nil
}

func (l *listCommand) query(a *app) (q api.OperationQuery, err error) {
	for _, s := range l.Status {
		q.Status = append(q.Status, api.Status(s))
	}
	q.Flow = l.Flow
	if l.Label != "" {
		name, value, ok := strings.Cut(l.Label, "=")
		if !ok || name == "" {
			return q, &usage{text: "--label " + l.Label + " is not NAME=VALUE"}
		}
		q.Label = api.Label{Key: name, Value: value}
	}
	if l.Limit < 1 {
		return q, &usage{text: "--limit wants at least 1"}
	}
	if q.Since, err = parseInstant("--since", l.Since, a.now()); err != nil {
		return q, err
	}
	q.Until, err = parseInstant("--until", l.Until, a.now())
	return q, err
}

// listAll joins pages until there are enough. A page may be short, or even
// empty, and still not be the last.
func listAll(ctx context.Context, c *client.Client, q api.OperationQuery, limit int) (api.OperationPage, error) {
	all := api.OperationPage{Operations: []api.Operation{}}
	for {
		q.PageSize = min(limit-len(all.Operations), api.MaxPageSize)
		page, err := c.List(ctx, q)
		if err != nil {
			return all, err
		}
		all.Operations = append(all.Operations, page.Operations...)
		all.Continue = page.Continue
		if page.Continue == "" || len(all.Operations) >= limit {
			return all, nil
		}
		q.Continue = page.Continue
	}
}
