package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/alecthomas/kong"

	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/render"
)

// environment is everything that the program takes from its process.
type environment struct {
	stdin io.Reader
	// stdinTerminal reports whether the input is a terminal.
	stdinTerminal  bool
	stdout, stderr io.Writer
	// stdoutTerminal and stderrTerminal report whether stdout and stderr are
	// terminals.
	stdoutTerminal, stderrTerminal bool
	// stdoutColumns and stderrColumns return the widths of the terminals.
	stdoutColumns, stderrColumns func() int
	lookup                       func(name string) (string, bool)
	now                          func() time.Time
	sleep                        func(context.Context, time.Duration) error
	ticks                        func(time.Duration) (<-chan time.Time, func())
	// newKey returns a key that was never used before.
	newKey func() string
	// configDir is the folder of the user's configuration files.
	configDir string
	// http calls the API, signInHTTP gets access tokens; nil is the default client.
	http, signInHTTP *http.Client
	// openBrowser opens a link in the person's browser; nil opens none.
	openBrowser func(link string) error
}

// commandLine is the grammar of the command line for kong.
type commandLine struct {
	connectionFlags `group:"global"`
	Output          string           `group:"global" short:"o" enum:"table,wide,json,yaml,jsonl,id" default:"table" help:"Output format: table or wide for people; json (the format of the API), yaml, jsonl or id for scripts."`
	ShowVersion     kong.VersionFlag `group:"global" name:"version" help:"Show the version of this program."`
	Query           string           `group:"global" placeholder:"JMESPATH" help:"Part of the output to show, as a JMESPath expression such as operations[].id."`

	Start     startCommand     `cmd:"" group:"operations" help:"Start an operation."`
	Validate  validateCommand  `cmd:"" group:"operations" help:"Show what a request would do, by calls that only read."`
	Bulk      bulkCommand      `cmd:"" group:"operations" help:"Start many operations that differ in some parameters."`
	Describe  describeCommand  `cmd:"" aliases:"show" group:"operations" help:"Show everything about an operation: status, parameters, history, and what to do now."`
	Status    statusCommand    `cmd:"" aliases:"get" group:"operations" help:"Show an operation, its last error and the recommended action."`
	History   historyCommand   `cmd:"" group:"operations" help:"Show the events of an operation, step by step."`
	Watch     watchCommand     `cmd:"" group:"operations" help:"Show the events of an operation as they happen."`
	Wait      waitCommand      `cmd:"" group:"operations" help:"Wait until an operation has ended; the exit code shows the result."`
	List      listCommand      `cmd:"" aliases:"ls" group:"operations" help:"List operations, newest first."`
	Cancel    cancelCommand    `cmd:"" group:"operations" help:"Cancel an operation."`
	Pause     pauseCommand     `cmd:"" group:"operations" help:"Pause an operation: it makes no calls until it is resumed."`
	Resume    resumeCommand    `cmd:"" group:"operations" help:"Resume a paused operation."`
	Retry     retryCommand     `cmd:"" group:"operations" help:"Retry a failed, timed-out or parked operation."`
	Summary   summaryCommand   `cmd:"" group:"operations" help:"Count the operations by status and flow."`
	Limits    limitsCommand    `cmd:"" group:"operations" help:"List Azure's limits as far as they are known, and the operations that wait for them."`
	Flows     flowsCommand     `cmd:"" group:"operations" help:"List the flows that can be started, or show the parameters of one."`
	Rejected  rejectedCommand  `cmd:"" group:"operations" help:"List, show, replay and delete rejected requests."`
	Rescue    rescueCommand    `cmd:"" group:"operations" help:"Run the sweep now: wake operations whose message was lost."`
	Errors    errorsCommand    `cmd:"" group:"operations" help:"Explain error codes of Azure and azbackupflow: what azbackupflow does, and what you can do."`
	Preflight preflightCommand `cmd:"" group:"operations" help:"Check the app's settings, identity, queues and permissions."`

	Items          itemsCommand          `cmd:"" group:"vaults" help:"List the protected items of a vault."`
	RecoveryPoints recoveryPointsCommand `cmd:"" group:"vaults" help:"List the recovery points of an item."`
	Protectable    protectableCommand    `cmd:"" group:"vaults" help:"List what a vault can protect."`
	Policies       policiesCommand       `cmd:"" group:"vaults" help:"List the policies of a vault."`
	Readiness      readinessCommand      `cmd:"" group:"vaults" help:"Show which resources are protected and proven to be restorable."`
	Deleted        deletedCommand        `cmd:"" group:"vaults" help:"List the soft-deleted items of a vault."`

	Schedules schedulesCommand `cmd:"" group:"declared" help:"List, run, pause and resume the schedules of the app; check schedules.yaml."`
	Drills    drillsCommand    `cmd:"" group:"declared" help:"List, run and pause restore drills; verify their evidence; check drills.yaml."`
	Protect   protectCommand   `cmd:"" group:"declared" help:"Show what automatic protection decides, and why; check protection.yaml."`

	Context   contextCommand   `cmd:"" group:"local" help:"Add, select and show contexts: how to reach deployed apps."`
	Dashboard dashboardCommand `cmd:"" group:"local" help:"Show the operations of the app in a browser, until Ctrl-C."`
	Local     localCommand     `cmd:"" group:"local" help:"Run the local stack until Ctrl-C."`
	Demo      demoCommand      `cmd:"" group:"local" help:"Run every flow on a local stack: one step by step, then all others in parallel."`
	Version   versionCommand   `cmd:"" group:"local" help:"Show the version of this program."`

	Completion completionCommand `cmd:"" group:"local" help:"Write the script that completes commands, flows and IDs in a shell."`
	Man        manCommand        `cmd:"" group:"local" help:"Write the man page."`
	Help       helpCommand       `cmd:"" group:"local" help:"Show the help of a command, like --help."`
}

const description = `Runs Azure Backup operations to completion.

First steps:

  azbackupflow local --tour       try it without Azure
  azbackupflow context add -h     connect a deployed app
  azbackupflow start FLOW -h      see how to start a flow

` + cli.ExitCodesHelp

// app holds what every command needs.
type app struct {
	environment
	flags commandLine
	// outputGiven reports that the command line names the output format.
	outputGiven bool
	connection  connection
	book        flowFlags
	out         *render.Printer
}

func newApp(env environment, flags commandLine) (*app, error) {
	query, err := render.ParseQuery(flags.Query)
	if err != nil {
		return nil, err
	}
	out, err := render.New(render.Config{
		Out: env.stdout, Err: env.stderr, Format: render.Format(flags.Output), Query: query, Now: env.now, Ticks: env.ticks,
		Columns: columnsOf(env.stdoutTerminal, env.stdoutColumns), ErrColumns: columnsOf(env.stderrTerminal, env.stderrColumns),
		Color: env.stdoutTerminal && render.WantsColor(env.lookup), Links: env.stdoutTerminal && render.CanLink(env.lookup),
		Spinner: env.stderrTerminal,
	})
	if err != nil {
		return nil, err
	}
	return &app{environment: env, flags: flags, out: out}, nil
}

// columnsOf returns the width of a terminal, and nil for another writer.
func columnsOf(terminal bool, columns func() int) func() int {
	if !terminal {
		return nil
	}
	return columns
}

// fail writes the error and its remedy in one line and returns the exit code.
func fail(ctx context.Context, env environment, caller cli.Caller, err error) int {
	note := func(line string) {
		line = "azbackupflow: " + line
		if env.stderrTerminal && env.stderrColumns != nil {
			line = render.FitLines(line, env.stderrColumns())
		}
		_, _ = fmt.Fprintln(env.stderr, line) // a closed terminal cannot be reported anywhere
	}
	var failed *cli.OperationError
	if ctx.Err() != nil && !errors.As(err, &failed) {
		note("interrupted; operations continue")
		return cli.ExitInterrupted
	}
	line := render.Plain(err.Error())
	if remedy := cli.Remedy(err, caller); remedy != "" {
		line += "; " + render.Plain(remedy)
	}
	note(line)
	return cli.ExitCode(err)
}
