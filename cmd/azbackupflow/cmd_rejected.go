package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/render"
	"azbackupflow/internal/client"
)

// rejectedCommand is about requests that were rejected, or dead-lettered because
// they were delivered too often. Dead-lettered wake-ups are not among them: the
// function collect-dead-letters wakes their operations.
type rejectedCommand struct {
	List     rejectedListCommand     `cmd:"" help:"List rejected requests, newest first."`
	Show     rejectedShowCommand     `cmd:"" help:"Show one rejected request with its body."`
	Replay   rejectedReplayCommand   `cmd:"" help:"Send a rejected request again, unchanged or corrected."`
	Purge    rejectedPurgeCommand    `cmd:"" help:"Delete one rejected request, or all before a time."`
	Removals rejectedRemovalsCommand `cmd:"" help:"List who deleted rejected requests, when and why."`
}

type rejectedListCommand struct {
	Since string `placeholder:"TIME" help:"Only requests rejected at or after this time (RFC 3339, a date, or an age such as 36h or 7d)."`
	limitFlag
}

// Run lists rejected requests.
func (l *rejectedListCommand) Run(ctx context.Context, a *app) error {
	return rejectedRows[api.RejectedRequest]{
		since: l.Since, limitFlag: l.limitFlag, none: "No rejected requests.",
		read: func(ctx context.Context, c *client.Client, q api.RejectedQuery) ([]api.RejectedRequest, []string, string, error) {
			page, err := c.ListRejected(ctx, q)
			return page.Rejected, page.Unreadable, page.Continue, err
		},
		page: func(all []api.RejectedRequest, unreadable []string, next string) any {
			return api.RejectedPage{Rejected: all, Unreadable: unreadable, Continue: next}
		},
		columns: []string{"ID", "Time UTC", "Source", "Flow", "Replayed UTC", "Reason"},
		row: func(r api.RejectedRequest) []string {
			return []string{r.ID, render.Time(r.At), render.Plain(r.Source), render.Plain(r.Flow), render.Time(r.ReplayedAt), render.FirstLine(r.Reason)}
		},
	}.show(ctx, a)
}

// rejectedRows is a list of rejected requests, or of the records about them.
type rejectedRows[T any] struct {
	since string
	limitFlag
	// none is shown in place of an empty list.
	none string
	// read returns one page, page the list in the form of the API.
	read    func(context.Context, *client.Client, api.RejectedQuery) (rows []T, unreadable []string, next string, err error)
	page    func(rows []T, unreadable []string, next string) any
	columns []string
	row     func(T) []string
}

// show reads and shows the list, newest first.
func (l rejectedRows[T]) show(ctx context.Context, a *app) error {
	since, err := cli.ParseTime("--since", l.since, a.now())
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
	all, next, err := collect(ctx, l.Limit, func(ctx context.Context, size int, next string) ([]T, string, error) {
		rows, bad, next, err := l.read(ctx, c, api.RejectedQuery{Since: since, PageSize: size, Continue: next})
		unreadable = append(unreadable, bad...)
		return rows, next, err
	})
	if err != nil {
		return err
	}
	if a.out.Structured() {
		return a.out.Data(l.page(all, unreadable, next))
	}
	if len(unreadable) > 0 {
		a.out.Line("%d rows cannot be read: %s", len(unreadable), render.Plain(strings.Join(unreadable, ", ")))
	}
	if len(all) == 0 {
		a.out.Line("%s", l.none)
		return nil
	}
	rows := make([][]string, 0, len(all))
	for _, r := range all {
		rows = append(rows, l.row(r))
	}
	a.out.Table(l.columns, rows)
	if next != "" {
		a.out.Line("\nThere are more results; use --limit or --since.")
	}
	return nil
}

type rejectedShowCommand struct {
	ID string `arg:"" complete:"rejected" help:"ID of the rejected request."`
}

// Run shows a rejected request and its body.
func (s *rejectedShowCommand) Run(ctx context.Context, a *app) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	r, err := c.GetRejected(ctx, s.ID)
	if err != nil {
		return err
	}
	if a.out.Structured() {
		return a.out.Data(r)
	}
	a.out.Facts(render.RejectedFacts(r))
	if r.Body != "" {
		a.out.Line("\n%s", render.Body(r.Body))
	}
	return nil
}

type rejectedReplayCommand struct {
	ID     string `arg:"" complete:"rejected" help:"ID of the rejected request."`
	File   string `short:"f" placeholder:"FILE" help:"File with the corrected request as YAML or JSON (- for standard input)."`
	Reason string `placeholder:"TEXT" help:"Why; it is recorded. Do not write names of people or secrets."`
}

// Help is shown below the command's own help.
func (rejectedReplayCommand) Help() string {
	return `The request is sent with a new message ID. It keeps its key; without a key it gets
the ID of its first message as its key. So a second replay starts nothing new. A
request that is still invalid is not sent.`
}

// Run sends a rejected request again.
func (r *rejectedReplayCommand) Run(ctx context.Context, a *app) error {
	var corrected json.RawMessage
	if r.File != "" {
		raw, err := cli.ReadFile(r.File, a.stdin)
		if err != nil {
			return err
		}
		if corrected, err = cli.ToJSON(raw, r.File); err != nil {
			return err
		}
		if !json.Valid(corrected) {
			return &cli.UsageError{Text: fmt.Sprintf("file %s is not JSON", r.File), Remedy: "correct it, or write it as YAML; azbackupflow start FLOW --example prints a request"}
		}
	}
	c, err := a.client()
	if err != nil {
		return err
	}
	replayed, err := c.ReplayRejected(ctx, r.ID, corrected, r.Reason)
	if err != nil {
		return err
	}
	if a.out.Structured() {
		return a.out.Data(replayed)
	}
	a.out.Line("Sent as message %s.", replayed.MessageID)
	return nil
}

type rejectedPurgeCommand struct {
	ID     string `arg:"" optional:"" complete:"rejected" help:"ID of the rejected request."`
	Before string `placeholder:"TIME" help:"Delete all requests rejected before this time (RFC 3339, a date, or an age such as 36h or 7d)."`
	Reason string `placeholder:"TEXT" help:"Why; it is recorded. Do not write names of people or secrets."`
}

// Run deletes rejected requests permanently.
func (p *rejectedPurgeCommand) Run(ctx context.Context, a *app) error {
	if (p.ID == "") == (p.Before == "") {
		return &cli.UsageError{Text: "purge needs either an ID or --before TIME", Remedy: "write azbackupflow rejected purge ID, or azbackupflow rejected purge --before 30d for all that are older"}
	}
	before, err := cli.ParseTime("--before", p.Before, a.now())
	if err != nil {
		return err
	}
	c, err := a.client()
	if err != nil {
		return err
	}
	purged := api.Purged{Removed: 1}
	if p.ID != "" {
		err = c.DeleteRejected(ctx, p.ID, p.Reason)
	} else {
		purged.Removed, err = purgeBefore(ctx, c, before, p.Reason)
	}
	if err != nil {
		return err
	}
	if a.out.Structured() {
		return a.out.Data(purged)
	}
	a.out.Line("Deleted: %d.", purged.Removed)
	return nil
}

// purgeBefore deletes the requests that were rejected before a time, in several
// calls if there are many.
func purgeBefore(ctx context.Context, c *client.Client, before time.Time, reason string) (removed int, err error) {
	for {
		purged, err := c.PurgeRejected(ctx, before, reason)
		removed += purged.Removed
		if err != nil || !purged.More {
			return removed, err
		}
	}
}
