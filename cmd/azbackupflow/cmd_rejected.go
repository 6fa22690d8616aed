package main

import (
	"context"
	"encoding/json"

	"azbackupflow/internal/api"
	"azbackupflow/internal/client"
)

// deadLettersCommand is about requests that were refused, or dead-lettered
// because they were delivered too often. A wake-up that was dead-lettered wakes
// its operation by itself, and is none of them.
type deadLettersCommand struct {
	List   deadLettersListCommand   `cmd:"" help:"List them, newest first."`
	Show   deadLettersShowCommand   `cmd:"" help:"Show one with the whole request."`
	Replay deadLettersReplayCommand `cmd:"" help:"Send one again, as it was or as a file says."`
	Purge  deadLettersPurgeCommand  `cmd:"" help:"Remove one, or all that are old."`
}

type deadLettersListCommand struct {
	Since string `placeholder:"TIME" help:"Refused at or after: 2026-11-21T03:00:00Z, 2026-11-21, or 36h or 7d for so long ago."`
	Limit int    `default:"50" help:"At most so many."`
}

// Run lists dead letters.
func (l *deadLettersListCommand) Run(ctx context.Context, a *app) error {
	since, err := parseInstant("--since", l.Since, a.now())
	if err != nil {
		return err
	}
	if l.Limit < 1 {
		return &usage{text: "--limit wants at least 1"}
	}
	c, err := a.client()
	if err != nil {
		return err
	}
	all, err := deadLettersAll(ctx, c, api.RejectedQuery{Since: since}, l.Limit)
	if err != nil {
		return err
	}
	if a.json() {
		return a.printJSON(all)
	}
	if len(all.Rejected) == 0 {
		a.say("No dead letters.")
		return nil
	}
	rows := make([][]string, 0, len(all.Rejected))
	for _, d := range all.Rejected {
		replayed := ""
		if !d.ReplayedAt.IsZero() {
			replayed = instant(d.ReplayedAt)
		}
		rows = append(rows, []string{d.ID, instant(d.At), plain(string(d.Source)), plain(d.Flow), replayed, listed(d.Reason)})
	}
	a.list([]string{"Handle", "Time UTC", "Came By", "Operation", "Replayed", "Reason"}, rows)
	if all.Continue != "" {
		a.say("\nThere are more: --limit and --since choose.")
	}
	return nil
}

// deadLettersAll joins pages until there are enough.
func deadLettersAll(ctx context.Context, c *client.Client, q api.RejectedQuery, limit int) (api.RejectedPage, error) {
	all := api.RejectedPage{Rejected: []api.RejectedRequest{}}
	for {
		q.PageSize = min(limit-len(all.Rejected), api.MaxPageSize)
		page, err := c.ListRejected(ctx, q)
		if err != nil {
			return all, err
		}
		all.Rejected = append(all.Rejected, page.Rejected...)
		all.Continue = page.Continue
		if page.Continue == "" || len(all.Rejected) >= limit {
			return all, nil
		}
		q.Continue = page.Continue
	}
}

type deadLettersShowCommand struct {
	Handle string `arg:"" help:"The dead letter's handle, as the list shows it."`
}

// Run shows a dead letter and its request.
func (s *deadLettersShowCommand) Run(ctx context.Context, a *app) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	d, err := c.GetRejected(ctx, s.Handle)
	if err != nil {
		return err
	}
	if a.json() {
		return a.printJSON(d)
	}
	facts := append([][2]string{{"Handle", d.ID}}, aboutRefusal(d)...)
	if d.ReplyTo != "" {
		facts = append(facts, [2]string{"Answers to", plain(d.ReplyTo)})
	}
	if !d.ReplayedAt.IsZero() {
		facts = append(facts, [2]string{"Replayed", instant(d.ReplayedAt) + " UTC, as message " + plain(d.ReplayedAs)})
	}
	a.facts(facts)
	if d.Body != "" {
		a.say("\n%s", readable(d.Body))
	}
	return nil
}

// readable is a request for a terminal: indented where it is JSON.
func readable(body string) string {
	var v any
	if json.Unmarshal([]byte(body), &v) == nil {
		if text, err := json.MarshalIndent(v, "", "  "); err == nil {
			return string(text)
		}
	}
	return plain(body)
}

type deadLettersReplayCommand struct {
	Handle string `arg:"" help:"The dead letter's handle, as the list shows it."`
	File   string `short:"f" placeholder:"FILE" help:"The request as it should have been, as JSON; - for standard input."`
}

// Help is shown below the command's own help.
func (deadLettersReplayCommand) Help() string {
	return `The request is sent under a new message id. It keeps the key that it had, or the id
of its first message where it had none: replaying twice starts one operation. A
request that can still not work is not sent.`
}

// Run sends a dead letter again.
func (r *deadLettersReplayCommand) Run(ctx context.Context, a *app) error {
	var edited json.RawMessage
	if r.File != "" {
		raw, err := readFile(r.File, a.stdin)
		if err != nil {
			return &usage{text: err.Error()}
		}
		if !json.Valid(raw) {
			return &usage{text: r.File + " is not JSON"}
		}
		edited = raw
	}
	c, err := a.client()
	if err != nil {
		return err
	}
	replayed, err := c.ReplayRejected(ctx, r.Handle, edited)
	if err != nil {
		return err
	}
	if a.json() {
		return a.printJSON(replayed)
	}
	a.say("Sent again as message %s.", replayed.MessageID)
	return nil
}

type deadLettersPurgeCommand struct {
	Handle string `arg:"" optional:"" help:"The dead letter's handle, as the list shows it."`
	Before string `placeholder:"TIME" help:"Remove all that were refused before: 2026-11-21T03:00:00Z, 2026-11-21, or 36h or 7d for so long ago."`
}

// Run removes dead letters for good.
func (p *deadLettersPurgeCommand) Run(ctx context.Context, a *app) error {
	if (p.Handle == "") == (p.Before == "") {
		return &usage{text: "purge wants a handle, or --before TIME"}
	}
	before, err := parseInstant("--before", p.Before, a.now())
	if err != nil {
		return err
	}
	c, err := a.client()
	if err != nil {
		return err
	}
	purged := api.Purged{Removed: 1}
	if p.Handle != "" {
		err = c.DeleteRejected(ctx, p.Handle)
	} else {
		purged.Removed, err = purgeAll(ctx, c, before)
	}
	if err != nil {
		return err
	}
	if a.json() {
		return a.printJSON(purged)
	}
	a.say("Removed: %d.", purged.Removed)
	return nil
}
