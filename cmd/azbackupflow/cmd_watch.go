package main

import (
	"context"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/follow"
)

type watchCommand struct {
	operationSet
}

// Help is shown below the command's own help.
func (watchCommand) Help() string {
	return "With -o json, each event is one line of JSON; for several operations, each operation\nwhose status has changed, or the status of the bulk.\n\n" + setHelp + cli.ExitCodesHelp
}

// Run shows the timeline until the operation has ended.
func (w *watchCommand) Run(ctx context.Context, a *app) error {
	one, set, c, err := w.resolve(ctx, a)
	if err != nil {
		return err
	}
	if set != nil {
		return a.waitForSet(ctx, set, true)
	}
	flows, err := c.Flows(ctx)
	if err != nil { // an older app, or an outage: the operation is still followed
		flows = api.FlowList{}
	}
	f, err := follow.New(follow.Config{Client: c, Printer: a.out, Flows: flows.Flows})
	if err != nil {
		return err
	}
	op, err := f.Wait(ctx, one)
	if err != nil {
		return err
	}
	if !a.out.Structured() {
		a.out.Line("")
		a.out.Facts(a.out.ResultFacts(op, f.Counter.Calls))
	}
	return cli.CheckSucceeded(op)
}
