package main

import (
	"context"
	"errors"
	"fmt"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/render"
	"azbackupflow/internal/client"
)

// errTargetsRejected is the error of a bulk with rejected targets.
var errTargetsRejected = errors.New("some targets were rejected; the others are started")

type bulkCommand struct {
	File string `short:"f" required:"" placeholder:"FILE" help:"File with the bulk as JSON (- for standard input): {key, template, targets}; see docs/queue.md."`
	Key  string `help:"Key of the bulk. The same key and target is the same operation, however often it is started."`
}

// Run starts all operations of the bulk.
func (b *bulkCommand) Run(ctx context.Context, a *app) error {
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
func (b *bulkCommand) bulk(a *app) (api.Bulk, error) {
	raw, err := cli.ReadFile(b.File, a.stdin)
	if err != nil {
		return api.Bulk{}, err
	}
	bulk, err := cli.DecodeBulk(raw, b.File)
	if err != nil {
		return bulk, err
	}
	if b.Key != "" {
		bulk.Key = b.Key
	}
	if bulk.Key == "" {
		bulk.Key = a.newKey()
	}
	return bulk, nil
}
