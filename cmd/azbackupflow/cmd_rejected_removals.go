package main

import (
	"context"
	"fmt"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli/render"
	"azbackupflow/internal/client"
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
	return rejectedRows[api.Removal]{
		since: l.Since, limitFlag: l.limitFlag, none: "No rejected request was deleted.",
		read: func(ctx context.Context, c *client.Client, q api.RejectedQuery) ([]api.Removal, []string, string, error) {
			page, err := c.ListRemovals(ctx, q)
			return page.Removals, page.Unreadable, page.Continue, err
		},
		page: func(all []api.Removal, unreadable []string, next string) any {
			return api.RemovalPage{Removals: all, Unreadable: unreadable, Continue: next}
		},
		columns: []string{"Time UTC", "Deleted", "By", "Reason"},
		row: func(r api.Removal) []string {
			return []string{render.Time(r.At), removed(r), render.Actor(r.RemovedBy), render.FirstLine(r.Reason)}
		},
	}.show(ctx, a)
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
