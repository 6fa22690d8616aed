package main

import (
	"context"

	"azbackupflow/internal/cli/demo"
)

type demoCommand struct {
	Kill     bool   `help:"Kill the handler (SIGKILL) after Azure has accepted the backup and before the handler can save that."`
	File     string `short:"f" placeholder:"FILE" help:"Run only the request in this file, instead of all examples."`
	Examples string `default:"examples" help:"Folder of the example requests."`
	Dist     string `default:"dist" help:"Folder of the app, as make package creates it."`
	Verbose  bool   `short:"v" help:"Show the log of the local stack and the handler."`
}

// Help is shown below the command's own help.
func (demoCommand) Help() string {
	return `Runs the deployable program with stand-ins for the Functions host, Service Bus,
Table Storage and Azure, on free ports, 150 times as fast as Azure. It protects a
file share and shows each step, and then runs all other flows in parallel. The exit
code is 0 only if every operation is Succeeded.`
}

// Run runs the demo.
func (d *demoCommand) Run(ctx context.Context, a *app) error {
	run, err := demo.New(demo.Config{
		Printer: a.out, Examples: d.Examples, Dist: d.Dist, File: d.File, Kill: d.Kill, Verbose: d.Verbose,
		Stdin: a.stdin, Stderr: a.stderr, Now: a.now, Sleep: a.sleep,
	})
	if err != nil {
		return err
	}
	return run.Run(ctx)
}
