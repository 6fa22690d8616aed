package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/alecthomas/kong"

	"azbackupflow/internal/client"
)

// world is what the program takes from outside.
type world struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	// terminal and errorTerminal say whether a person looks at stdout and
	// stderr.
	terminal, errorTerminal bool
	lookup                  func(name string) (string, bool)
	now                     func() time.Time
	sleep                   func(context.Context, time.Duration) error
	ticks                   func(time.Duration) (<-chan time.Time, func())
	// newKey gives a key that was never used.
	newKey func() string
}

// app is what every command works with.
type app struct {
	world
	grammar *grammar
	paint   paint
}

// grammar is the command line as kong reads it.
type grammar struct {
	URL         string `name:"url" env:"AZBACKUPFLOW_URL" default:"http://127.0.0.1:7071" help:"The Functions app to talk to."`
	FunctionKey string `env:"AZBACKUPFLOW_FUNCTION_KEY" placeholder:"KEY" help:"Its function key, where it asks for one."`
	Output      string `short:"o" enum:"table,json" default:"table" help:"table for people, json (the API's own) for scripts."`

	Start       startCommand       `cmd:"" group:"operations" help:"Start an operation."`
	Validate    validateCommand    `cmd:"" group:"operations" help:"Say what a request would do, by calls that only read."`
	Bulk        bulkCommand        `cmd:"" group:"operations" help:"Start many operations that differ in some parameters."`
	Status      statusCommand      `cmd:"" group:"operations" help:"Show an operation, its last error and what to do."`
	History     historyCommand     `cmd:"" group:"operations" help:"Show what happened to an operation, step by step."`
	Watch       watchCommand       `cmd:"" group:"operations" help:"Show what happens to an operation while it happens."`
	Wait        waitCommand        `cmd:"" group:"operations" help:"Wait until an operation has ended; the exit code says how."`
	List        listCommand        `cmd:"" group:"operations" help:"List operations, newest first."`
	Cancel      cancelCommand      `cmd:"" group:"operations" help:"Cancel an operation. What Azure has begun goes on."`
	Pause       pauseCommand       `cmd:"" group:"operations" help:"Keep an operation from making calls."`
	Resume      resumeCommand      `cmd:"" group:"operations" help:"Let a paused operation go on."`
	Retry       retryCommand       `cmd:"" group:"operations" help:"Set a failed, timed-out or parked operation going again."`
	Flows       flowsCommand       `cmd:"" group:"operations" help:"List the flows that can be started."`
	Refused     refusedCommand     `cmd:"" group:"operations" help:"List requests that were refused, newest first."`
	DeadLetters deadLettersCommand `cmd:"" group:"operations" help:"See, send again or remove what was refused or dead-lettered."`
	Rescue      rescueCommand      `cmd:"" group:"operations" help:"Look at every live operation now: wake what waits in vain."`
	Errors      errorsCommand      `cmd:"" group:"operations" help:"Explain Azure's error codes: what azbackupflow does, what you should do."`

	Preflight preflightCommand `cmd:"" group:"operations" help:"Check that the app could do its work: settings, identity, queues, permissions."`

	Schedules schedulesCommand `cmd:"" group:"declared" help:"Check schedules.yaml, show when it runs next."`
	Protect   protectCommand   `cmd:"" group:"declared" help:"Check protection.yaml, explain which rule decides about a resource."`

	Local   localCommand   `cmd:"" group:"local" help:"Keep the local stack up until Ctrl-C."`
	Demo    demoCommand    `cmd:"" group:"local" help:"Run every flow on a local stack: one with every step, then all others at once."`
	Version versionCommand `cmd:"" group:"local" help:"Show the version of this program."`
}

const description = `Carries Azure Backup operations to their end.

` + exitCodes

// run is the whole program: it returns the exit code.
func run(ctx context.Context, args []string, w world) int {
	a := &app{world: w, grammar: &grammar{}, paint: newPaint(w)}
	shown := false // kong has shown help and wanted to exit
	parser, err := kong.New(a.grammar,
		kong.Name("azbackupflow"), kong.Description(description),
		kong.Writers(w.stdout, w.stderr),
		kong.Exit(func(int) { shown = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
		kong.ExplicitGroups([]kong.Group{
			{Key: "operations", Title: "Operations:"},
			{Key: "declared", Title: "What is declared beside host.json:"},
			{Key: "local", Title: "On this machine:"},
		}),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(a),
	)
	if err != nil {
		return a.fail(ctx, err)
	}
	parsed, err := parser.Parse(args)
	if shown {
		return exitDone
	}
	if err != nil {
		return a.fail(ctx, &usage{text: err.Error(), advice: "see azbackupflow --help"})
	}
	if err := parsed.Run(); err != nil {
		return a.fail(ctx, err)
	}
	return exitDone
}

// fail says in one line what went wrong and what to do about it.
func (a *app) fail(ctx context.Context, err error) int {
	var bad *unsuccessful
	if ctx.Err() != nil && !errors.As(err, &bad) {
		a.note("azbackupflow: interrupted; operations go on")
		return exitInterrupted
	}
	line := "azbackupflow: " + plain(err.Error())
	if advice := advise(err, a.grammar.URL); advice != "" {
		line += "; " + plain(advice)
	}
	a.note(line)
	return codeOf(err)
}

// note tells something that is not the command's output.
func (a *app) note(what string) {
	_, _ = fmt.Fprintln(a.stderr, what) // there is nowhere else to tell
}

// client calls the API that the flags name.
func (a *app) client() (*client.Client, error) {
	c, err := client.New(client.Config{URL: a.grammar.URL, FunctionKey: a.grammar.FunctionKey, Now: a.now, Sleep: a.sleep})
	if err != nil {
		return nil, &usage{text: err.Error()}
	}
	return c, nil
}

// json reports whether a script reads the output.
func (a *app) json() bool { return a.grammar.Output == "json" }
