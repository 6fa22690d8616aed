package main

import (
	"context"

	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/follow"
)

type watchCommand struct {
	ID string `arg:"" help:"ID of the operation."`
}

// Help is shown below the command's own help.
func (watchCommand) Help() string {
	return "With -o json, each event is one line of JSON.\n\n" + cli.ExitCodesHelp
}

// Run shows the timeline until the operation has ended.
func (w *watchCommand) Run(ctx context.Context, a *app) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	f, err := follow.New(follow.Config{Client: c, Printer: a.out})
	if err != nil {
		return err
	}
	op, err := f.Wait(ctx, w.ID)
	if err != nil {
		return err
	}
	if !a.out.Structured() {
		a.out.Line("")
		a.out.Facts(a.out.ResultFacts(op, f.Counter.Calls))
	}
	return cli.CheckSucceeded(op)
}
