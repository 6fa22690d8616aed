package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/render"
	"azbackupflow/internal/client"
)

type listCommand struct {
	operationFilter
	Sort  string `placeholder:"FIELD" help:"Sort by createdAt, updatedAt, endedAt, dueAt, deadline, duration, status, flow or key; with a hyphen in front, such as --sort=-duration, in the opposite order."`
	Watch bool   `short:"w" help:"Show the list again whenever it has changed, until Ctrl-C. With -o jsonl, or into a file, only the operations that have changed."`
	limitFlag
}

// operationList holds the listed operations.
type operationList struct {
	operations []api.Operation
	unreadable []string
	next       string
	// cut reports that a sorted list has more operations. It has no next page.
	cut bool
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
	if l.Watch {
		return l.watch(ctx, a, c, q)
	}
	found, err := l.list(ctx, c, q)
	if err != nil {
		return err
	}
	if a.out.Structured() {
		if found.cut {
			a.out.Note("there are more results; use --limit, or filters such as --since")
		}
		return a.out.Data(api.OperationPage{Operations: found.operations, Unreadable: found.unreadable, Continue: found.next})
	}
	a.showList(found)
	return nil
}

// query checks the flags.
func (l *listCommand) query(a *app) (api.OperationQuery, error) {
	if err := l.check(); err != nil {
		return api.OperationQuery{}, err
	}
	if l.Sort != "" && l.Limit >= api.MaxPageSize {
		return api.OperationQuery{}, &cli.UsageError{Text: fmt.Sprintf("--limit %d is too large for --sort", l.Limit), Remedy: fmt.Sprintf("use at most %d, or leave out --sort", api.MaxPageSize-1)}
	}
	q, err := l.operationFilter.query(a)
	if err != nil {
		return q, err
	}
	if field := strings.TrimPrefix(l.Sort, "-"); l.Sort != "" && !slices.Contains(api.Sorts(), field) {
		return q, &cli.UsageError{Text: fmt.Sprintf("--sort %q is not a field to sort by", l.Sort), Remedy: "use one of " + strings.Join(api.Sorts(), ", ")}
	}
	q.Sort = l.Sort
	return q, nil
}

// list reads pages up to the limit. A sorted list has one page.
func (l *listCommand) list(ctx context.Context, c *client.Client, q api.OperationQuery) (operationList, error) {
	var found operationList
	var err error
	limit := l.Limit
	if l.Sort != "" { // one more shows whether the list is cut
		limit = min(limit+1, api.MaxPageSize)
	}
	found.operations, found.next, err = collect(ctx, limit, func(ctx context.Context, size int, next string) ([]api.Operation, string, error) {
		q.PageSize, q.Continue = size, next
		page, err := c.List(ctx, q)
		found.unreadable = append(found.unreadable, page.Unreadable...)
		return page.Operations, page.Continue, err
	})
	if len(found.operations) > l.Limit {
		found.operations, found.cut = found.operations[:l.Limit], true
	}
	return found, err
}

func (a *app) showList(found operationList) {
	if len(found.unreadable) > 0 {
		a.out.Line("%d rows cannot be read: %s", len(found.unreadable), render.Plain(strings.Join(found.unreadable, ", ")))
	}
	if len(found.operations) == 0 {
		a.out.Line("No operations.")
		return
	}
	a.listOperations(found.operations)
	if found.next != "" || found.cut {
		a.out.Line("\nThere are more results; use --limit, or filters such as --since.")
	}
}

// watchPause is the pause between two looks of list --watch.
const watchPause = 5 * time.Second

// clearScreen moves the cursor to the top left corner and clears the terminal.
const clearScreen = "\x1b[H\x1b[2J"

// watch shows the list until the command is interrupted.
func (l *listCommand) watch(ctx context.Context, a *app, c *client.Client, q api.OperationQuery) error {
	shown := map[string]string{}
	var last map[string]string // the states of the last look
	for {
		found, err := l.list(ctx, c, q)
		if err != nil && !client.IsUnavailable(err) {
			return err
		}
		if err != nil {
			a.out.Note("the API is unavailable, retrying: " + render.Plain(err.Error()))
		}
		var fresh []api.Operation
		now := map[string]string{}
		for _, op := range found.operations {
			state := fmt.Sprint(op.Status, op.Seq, op.Paused, op.CancelRequested)
			if now[op.ID] = state; shown[op.ID] != state {
				shown[op.ID] = state
				fresh = append(fresh, op)
			}
		}
		switch {
		case err != nil:
		case a.out.Structured():
			for _, op := range fresh {
				if err := a.out.DataItem(op); err != nil {
					return err
				}
			}
		case a.stdoutTerminal:
			if last == nil || !maps.Equal(last, now) {
				_, _ = io.WriteString(a.stdout, clearScreen) // a closed terminal cannot be reported anywhere
				a.showList(found)
			}
		case len(fresh) > 0:
			a.listOperations(fresh)
		}
		if err == nil {
			last = now
		}
		if err := a.sleep(ctx, watchPause); err != nil {
			return err
		}
	}
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
