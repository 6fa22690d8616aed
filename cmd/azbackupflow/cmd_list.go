package main

import (
	"context"
	"fmt"
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
	if a.out.Structured() {
		return a.out.Data(api.OperationPage{Operations: operations, Unreadable: unreadable, Continue: next})
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

// operationColumns are the columns of a list of operations. At a narrow terminal,
// those of least use are left out first.
func operationColumns() []render.Column {
	return []render.Column{
		{Heading: "ID"},
		{Heading: "Status"},
		{Heading: "Flow", Drop: 1},
		{Heading: "Item", Min: 12},
		{Heading: "Vault", Min: 10, Drop: 4},
		{Heading: "Started", Drop: 5},
		{Heading: "Duration", Drop: 3},
		{Heading: "Key", OnlyWide: true},
		{Heading: "Labels", OnlyWide: true},
		{Heading: "Reason", Min: 16, Drop: 2},
	}
}

func (a *app) listOperations(operations []api.Operation) {
	ids := make([]string, 0, len(operations))
	for _, op := range operations {
		ids = append(ids, op.ID)
	}
	started := func(op api.Operation) string { return render.Time(op.CreatedAt) }
	if a.out.AtTerminal() {
		ids = render.ShortIDs(ids)
		started = func(op api.Operation) string { return render.Ago(op.CreatedAt, a.now()) }
	}
	rows := make([][]string, 0, len(operations))
	for i, op := range operations {
		rows = append(rows, []string{
			ids[i], a.out.Status(op.Status) + render.Flags(op), op.Flow, render.ItemName(op), render.VaultName(op), started(op),
			render.Duration(render.Elapsed(op, a.now())), render.Plain(op.Key), render.Labels(op.Labels), render.Reason(op),
		})
	}
	a.out.Columns(operationColumns(), rows)
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
		q.Labels = []api.Label{{Key: name, Value: value}}
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
