package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"azbackupflow/internal/api"
	"azbackupflow/internal/client"
	"azbackupflow/internal/step"
)

// errSomeRefused is a bulk of which some targets can never work as they are.
var errSomeRefused = errors.New("some of the targets were refused; the others are started")

type bulkCommand struct {
	File string `short:"f" required:"" placeholder:"FILE" help:"The bulk as JSON, - for standard input: {key, template, targets}; see docs/queue.md."`
	Key  string `help:"The bulk's key: the same key and target is the same operation, however often it is asked for."`
}

// Run asks for all operations of the bulk.
func (b *bulkCommand) Run(ctx context.Context, a *app) error {
	bulk, err := b.bulk(a)
	if err != nil {
		return err
	}
	c, err := a.client()
	if err != nil {
		return err
	}
	answer, err := c.Bulk(ctx, bulk)
	if client.IsUnavailable(err) {
		return fmt.Errorf("%w (it may have been taken; send it again with --key %s to be sure)", err, bulk.Key)
	}
	if err != nil {
		return err
	}
	if a.json() {
		err = a.printJSON(answer)
	} else {
		a.say("Started: %d, under the key %s.", len(answer.Accepted), plain(answer.Key))
		var rows [][]string
		for _, refused := range answer.Rejected {
			for _, f := range refused.Fields {
				rows = append(rows, []string{fmt.Sprint(refused.Target), plain(f.Field), plain(f.Problem), plain(f.Want)})
			}
		}
		if len(rows) > 0 {
			a.say("Refused: %d.\n", len(answer.Rejected))
			a.list([]string{"Target", "Field", "Problem", "Wanted"}, rows)
		}
	}
	if err == nil && len(answer.Rejected) > 0 {
		err = errSomeRefused
	}
	return err
}

// bulk reads the file and lets the flag win. Without a key one is made up, with
// which the bulk can be sent again.
func (b *bulkCommand) bulk(a *app) (api.Bulk, error) {
	raw, err := readFile(b.File, a.stdin)
	if err != nil {
		return api.Bulk{}, &usage{text: err.Error()}
	}
	var bulk api.Bulk
	var invalid *step.Invalid
	err = step.Decode(bytes.TrimPrefix(raw, []byte(byteOrderMark)), &bulk, "")
	if errors.As(err, &invalid) {
		return bulk, &usage{text: b.File + ": " + invalid.Error()}
	}
	if err != nil {
		return bulk, fmt.Errorf("%s: %w", b.File, err)
	}
	if b.Key != "" {
		bulk.Key = b.Key
	}
	if bulk.Key == "" {
		bulk.Key = a.newKey()
	}
	return bulk, nil
}
