package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/render"
)

type listCommand struct {
	Status []string `placeholder:"STATUS" help:"Only operations with one of these statuses, such as Running,Parked."`
	Flow   string   `help:"Only operations of this flow."`
	Label  string   `placeholder:"NAME=VALUE" help:"Only operations with this label."`
	Since  string   `placeholder:"TIME" help:"Only operations started at or after this time (RFC 3339, a date, or an age such as 36h or 7d)."`
	Until  string   `placeholder:"TIME" help:"Only operations started before this time (RFC 3339, a date, or an age such as 36h or 7d)."`
	limitFlag
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
	var unreadable []string
	operations, next, err := collect(ctx, l.Limit, func(ctx context.Context, size int, next string) ([]api.Operation, string, error) {
		q.PageSize, q.Continue = size, next
		page, err := c.List(ctx, q)
		unreadable = append(unreadable, page.Unreadable...)
		return page.Operations, page.Continue, err
	})
	if err != nil {
		return err
	}
	if a.out.IsJSON() {
		return a.out.JSON(api.OperationPage{Operations: operations, Unreadable: unreadable, Continue: next})
	}
	if len(unreadable) > 0 {
		a.out.Line("%d rows cannot be read: %s", len(unreadable), render.Plain(strings.Join(unreadable, ", ")))
	}
	if len(operations) == 0 {
		a.out.Line("No operations.")
		return nil
	}
	a.listOperations(operations)
	if next != "" {
		a.out.Line("\nThere are more results; use --limit, or filters such as --since.")
	}
	return nil
}

func (a *app) listOperations(operations []api.Operation) {
	headings := []string{"Name", "Operation", "Status", "Item Name", "Start Time UTC", "Duration"}
	reasons := slices.ContainsFunc(operations, func(op api.Operation) bool { return render.Reason(op) != "" })
	if reasons {
		headings = append(headings, "Reason")
	}
	rows := make([][]string, 0, len(operations))
	for _, op := range operations {
		row := []string{
			op.ID, op.Flow, a.out.Status(op.Status) + render.Flags(op), render.ItemName(op), render.Time(op.CreatedAt), render.Clock(render.Elapsed(op, a.now())),
		}
		if reasons {
			row = append(row, render.Reason(op))
		}
		rows = append(rows, row)
	}
	a.out.Table(headings, rows)
}

func (l *listCommand) query(a *app) (q api.OperationQuery, err error) {
	for _, s := range l.Status {
		q.Status = append(q.Status, api.Status(s))
	}
	q.Flow = l.Flow
	if l.Label != "" {
		name, value, ok := strings.Cut(l.Label, "=")
		if !ok || name == "" {
			return q, &cli.UsageError{Text: fmt.Sprintf("--label %q is not NAME=VALUE", l.Label)}
		}
		q.Label = api.Label{Key: name, Value: value}
	}
	if err := l.check(); err != nil {
		return q, err
	}
	if q.Since, err = cli.ParseTime("--since", l.Since, a.now()); err != nil {
		return q, err
	}
	q.Until, err = cli.ParseTime("--until", l.Until, a.now())
	return q, err
}
