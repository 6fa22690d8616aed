package main

import (
	"context"
	"errors"
	"fmt"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/follow"
	"azbackupflow/internal/cli/render"
	"azbackupflow/internal/client"
)

// errTargetsRejected is the error of a bulk with rejected targets.
var errTargetsRejected = errors.New("some targets were rejected; the others are started")

// bulkCommand starts and shows bulks.
type bulkCommand struct {
	Start  bulkStartCommand  `cmd:"" default:"withargs" help:"Start many operations that differ in some parameters (default)."`
	Status bulkStatusCommand `cmd:"" help:"Show how far a bulk has come, and which of its operations did not succeed."`
}

type bulkStartCommand struct {
	File   string `short:"f" required:"" placeholder:"FILE" help:"File with the bulk as YAML or JSON (- for standard input): {key, template, targets}; see docs/queue.md."`
	Key    string `placeholder:"KEY" help:"Key of the bulk, with {date}, {hour} or {env:NAME} in it. The same key and target is the same operation, however often it is started."`
	Reason string `placeholder:"TEXT" help:"Why; it is recorded in the history. Do not write names of people or secrets."`
}

// Run starts all operations of the bulk.
func (b *bulkStartCommand) Run(ctx context.Context, a *app) error {
	bulk, err := b.bulk(a)
	if err != nil {
		return err
	}
	c, err := a.client()
	if err != nil {
		return err
	}
	result, err := c.Bulk(ctx, bulk)
	if client.IsUnavailable(err) {
		return fmt.Errorf("%w (the bulk may have started; start it again with --key %s)", err, bulk.Key)
	}
	if err != nil {
		return err
	}
	if a.out.Structured() {
		err = a.out.Data(result)
	} else {
		a.showBulk(result)
	}
	if err == nil && len(result.Rejected) > 0 {
		err = errTargetsRejected
	}
	return err
}

func (a *app) showBulk(result api.BulkResult) {
	a.out.Line("Started: %d, with key %s.", len(result.Accepted), render.Plain(result.Key))
	var rows [][]string
	for _, r := range result.Rejected {
		for _, f := range r.Fields {
			rows = append(rows, []string{fmt.Sprint(r.Target), render.Plain(f.Field), render.Plain(f.Problem), render.Plain(f.Want)})
		}
	}
	if len(rows) > 0 {
		a.out.Line("Rejected: %d.\n", len(result.Rejected))
		a.out.Table([]string{"Target", "Field", "Problem", "Valid Value"}, rows)
	}
}

// bulk reads the file and applies the flag. A bulk without a key gets a new one,
// with which it can be repeated.
func (b *bulkStartCommand) bulk(a *app) (api.Bulk, error) {
	raw, err := cli.ReadFile(b.File, a.stdin)
	if err != nil {
		return api.Bulk{}, err
	}
	bulk, err := cli.DecodeBulk(raw, b.File)
	if err != nil {
		return bulk, err
	}
	if b.Key != "" {
		if bulk.Key, err = cli.ExpandKey(b.Key, a.now(), a.lookup); err != nil {
			return bulk, err
		}
	}
	if b.Reason != "" {
		bulk.Reason = b.Reason
	}
	if bulk.Key == "" {
		bulk.Key = a.newKey()
	}
	return bulk, nil
}

type bulkStatusCommand struct {
	Key string `arg:"" help:"Key of the bulk."`
}

// Run shows the bulk.
func (b *bulkStatusCommand) Run(ctx context.Context, a *app) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	s, err := c.BulkStatus(ctx, b.Key)
	if err != nil {
		return err
	}
	if a.out.Structured() {
		return a.out.Data(s)
	}
	p := follow.BulkProgress(s)
	a.out.Wrapped(0, "Bulk "+render.Plain(s.Key)+" ("+render.Plain(s.Flow)+"), started "+render.Time(s.CreatedAt)+" UTC.")
	a.out.Wrapped(0, p.Text())
	a.showUnsuccessful(p.Operations)
	return nil
}
