package main

import (
	"context"
	"errors"
	"time"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/follow"
	"azbackupflow/internal/cli/render"
	"azbackupflow/internal/client"
)

type waitCommand struct {
	operationSet
	Timeout string `placeholder:"DURATION" help:"Maximum time to wait, such as 90m, 6h or PT6H; the operations continue afterwards. No limit by default."`
}

// setHelp explains sets of operations.
const setHelp = `With --bulk KEY alone, the targets of the bulk that have not started yet count too.
With another filter, the set is what matches now. For several operations, the exit
code is 0 if all succeeded, the code of their status if all others have the same
one, and else 1.

`

// Help is shown below the command's own help.
func (waitCommand) Help() string { return setHelp + cli.ExitCodesHelp }

// Run waits until the operations have ended.
func (w *waitCommand) Run(ctx context.Context, a *app) error {
	timeout, err := cli.ParseDurationFlag("--timeout", w.Timeout)
	if err != nil {
		return err
	}
	one, set, c, err := w.resolve(ctx, a)
	if err != nil {
		return err
	}
	if set != nil {
		ctx, cancel := withWaitLimit(ctx, timeout, "the set")
		defer cancel()
		return a.waitForSet(ctx, set, false)
	}
	return a.wait(ctx, c, one, timeout, func(op api.Operation) any { return op })
}

// resolve returns the ID of one operation, or the source of several.
func (s *operationSet) resolve(ctx context.Context, a *app) (one string, set follow.Source, c *client.Client, err error) {
	filtered, err := s.byFilter()
	if err != nil {
		return "", nil, nil, err
	}
	if c, err = a.client(); err != nil {
		return "", nil, nil, err
	}
	if filtered && s.Bulk != "" && (operationFilter{Bulk: s.Bulk}).same(s.operationFilter) {
		return "", follow.Bulk{Client: c, Key: s.Bulk}, c, nil
	}
	if filtered {
		found, q, err := s.find(ctx, a, c)
		if err == nil && len(found) == 0 {
			err = &cli.UsageError{Text: "no operation matches the filter", Remedy: "azbackupflow list, with the same flags, shows what matches"}
		}
		return "", follow.NewOperations(c, found, &q), c, err
	}
	ids, err := s.ids(ctx, c, "an ID, --last, --bulk KEY, or a filter such as --label team=files")
	if err != nil || len(ids) == 1 {
		return firstID(ids), nil, c, err
	}
	var known []api.Operation
	for _, id := range ids {
		op, err := c.Get(ctx, id)
		if err != nil {
			return "", nil, nil, err
		}
		known = append(known, op)
	}
	return "", follow.NewOperations(c, known, nil), c, nil
}

func firstID(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	return ids[0]
}

// withWaitLimit limits a wait. A zero timeout means no limit. id names what does
// not end in time.
func withWaitLimit(ctx context.Context, timeout time.Duration, id string) (context.Context, context.CancelFunc) {
	if timeout <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, timeout, &cli.WaitTimeoutError{OperationID: id})
}

// waitForSet waits until the set is settled, and shows the operations that did not
// succeed. It shows each change if timeline is set.
func (a *app) waitForSet(ctx context.Context, set follow.Source, timeline bool) error {
	cfg := follow.SetConfig{Source: set, Printer: a.out, Sleep: a.sleep}
	if timeline {
		cfg.Show = a.showProgress
	}
	p, err := follow.WaitForSet(ctx, cfg)
	var expired *cli.WaitTimeoutError
	if err != nil && errors.As(context.Cause(ctx), &expired) {
		return &cli.WaitTimeoutError{Set: p.Text()}
	}
	if err != nil {
		return err
	}
	if a.out.Structured() {
		if !timeline {
			err = a.out.Data(p.Data)
		}
		return errors.Join(err, cli.CheckSet(p.Status, p.Rejected))
	}
	if !timeline {
		a.out.Wrapped(0, p.Text())
	}
	a.showUnsuccessful(p.Operations)
	return cli.CheckSet(p.Status, p.Rejected)
}

// showProgress shows what has changed in a set.
func (a *app) showProgress(before, now follow.Progress) {
	if !a.out.Structured() {
		a.out.Line("%s  %s", a.now().UTC().Format(time.TimeOnly), render.Plain(now.Text()))
		return
	}
	if _, isBulk := now.Data.(api.BulkStatus); isBulk || len(before.Operations) != len(now.Operations) {
		_ = a.out.DataItem(now.Data) // it was decoded from JSON
		return
	}
	for i, op := range now.Operations {
		if before.Operations[i].Status != op.Status {
			_ = a.out.DataItem(op) // it was decoded from JSON
		}
	}
}

// maxUnsuccessful bounds the table of operations that did not succeed.
const maxUnsuccessful = 20

func (a *app) showUnsuccessful(all []api.Operation) {
	var some []api.Operation
	more := 0
	for _, op := range all {
		switch {
		case op.Status.Successful() || op.Status == api.Canceled:
		case len(some) < maxUnsuccessful:
			some = append(some, op)
		default:
			more++
		}
	}
	if len(some) == 0 {
		return
	}
	rows := make([][]string, 0, len(some))
	for _, op := range some {
		rows = append(rows, []string{op.ID, a.out.Status(op.Status), render.Plain(op.Flow), render.Reason(op)})
	}
	a.out.Line("")
	a.out.Columns([]render.Column{{Heading: "ID"}, {Heading: "Status"}, {Heading: "Flow", Min: 12, Drop: 1}, {Heading: "Reason", Min: 16, Drop: 2}}, rows)
	if more > 0 {
		a.out.Line("There are %d more.", more)
	}
}

// wait waits until the operation has ended, without a timeline, and shows the
// result. A zero timeout means no limit. data returns the structured output.
func (a *app) wait(ctx context.Context, c *client.Client, id string, timeout time.Duration, data func(api.Operation) any) error {
	ctx, cancel := withWaitLimit(ctx, timeout, id)
	defer cancel()
	f, err := follow.New(follow.Config{Client: c, Printer: a.out, Quiet: true})
	if err != nil {
		return err
	}
	op, err := f.Wait(ctx, id)
	var expired *cli.WaitTimeoutError
	if errors.As(context.Cause(ctx), &expired) && err != nil {
		return expired
	}
	if err != nil {
		return err
	}
	if a.out.Structured() {
		if err := a.out.Data(data(op)); err != nil {
			return err
		}
		return cli.CheckSucceeded(op)
	}
	a.out.Line("%s after %s", a.out.Status(op.Status), render.Duration(render.Elapsed(op, a.now())))
	for _, warning := range op.Warnings {
		a.out.Line("Warning: %s", render.Plain(warning))
	}
	return cli.CheckSucceeded(op)
}
