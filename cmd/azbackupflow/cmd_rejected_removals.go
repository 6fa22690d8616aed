package main

import (
	"context"
	"fmt"
	"strings"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/render"
)

type rejectedRemovalsCommand struct {
	Since string `placeholder:"TIME" help:"Only deletions at or after this time (RFC 3339, a date, or an age such as 36h or 7d)."`
	limitFlag
}

// Help is shown below the command's own help.
func (rejectedRemovalsCommand) Help() string {
	return `The app records a deletion before it starts, and keeps the record as long as rejected
requests. Requests that it deletes itself because of their age are not listed.`
}

// Run lists the records of removals.
func (l *rejectedRemovalsCommand) Run(ctx context.Context, a *app) error {
	since, err := cli.ParseTime("--since", l.Since, a.now())
	if err != nil {
		return err
	}
	if err := l.check(); err != nil {
		return err
	}
	c, err := a.client()
	if err != nil {
		return err
	}
	var unreadable []string
	removals, next, err := collect(ctx, l.Limit, func(ctx context.Context, size int, next string) ([]api.Removal, string, error) {
		page, err := c.ListRemovals(ctx, api.RejectedQuery{Since: since, PageSize: size, Continue: next})
		unreadable = append(unreadable, page.Unreadable...)
		return page.Removals, page.Continue, err
	})
	if err != nil {
		return err
	}
	if a.out.Structured() {
		return a.out.Data(api.RemovalPage{Removals: removals, Unreadable: unreadable, Continue: next})
	}
	if len(unreadable) > 0 {
		a.out.Line("%d rows cannot be read: %s", len(unreadable), render.Plain(strings.Join(unreadable, ", ")))
	}
	if len(removals) == 0 {
		a.out.Line("No rejected request was deleted.")
		return nil
	}
	rows := make([][]string, 0, len(removals))
	for _, r := range removals {
		rows = append(rows, []string{render.Time(r.At), removed(r), render.Actor(r.RemovedBy), render.FirstLine(r.Reason)})
	}
	a.out.Table([]string{"Time UTC", "Deleted", "By", "Reason"}, rows)
	if next != "" {
		a.out.Line("\nThere are more results; use --limit or --since.")
	}
	return nil
}

// removed returns what a removal deleted.
func removed(r api.Removal) string {
	what := render.Plain(r.Request)
	if what == "" {
		what = fmt.Sprintf("%d before %s", r.Removed, render.Time(r.Before))
	}
	if !r.Finished {
		what += " (not finished)"
	}
	return what
}
