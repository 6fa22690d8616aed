package main

import (
	"context"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/completion"
)

// maxHelpColumns is the maximum width of help texts.
const maxHelpColumns = 80

// newParser returns the parser of the command line. It calls shown when it has
// shown a help text or the version, instead of ending the program.
func newParser(ctx context.Context, flags *commandLine, env environment, book flowFlags, shown func()) (*kong.Kong, error) {
	flags.Start.Parameters, flags.Validate.Parameters = kong.Plugins{book.plugin()}, kong.Plugins{book.plugin()}
	columns := env.helpColumns()
	info, _ := debug.ReadBuildInfo()
	parser, err := kong.New(flags,
		kong.Name("azbackupflow"), kong.Description(description),
		kong.Writers(env.stdout, env.stderr),
		kong.Exit(func(int) { shown() }),
		kong.Vars{"version": "azbackupflow " + programVersion(version, info)},
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, WrapUpperBound: columns}),
		kong.Help(helpOf(columns, book)), kong.ValueFormatter(flagHelp),
		kong.ExplicitGroups(groups()),
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	if err != nil {
		return nil, err
	}
	parser.Model.HelpFlag.Help = "Show this help."
	for _, command := range parser.Model.Children {
		for _, below := range command.Children { // not in the group of the command
			below.Group = &kong.Group{Key: "commands", Title: commandsTitle}
		}
	}
	return parser, nil
}

// helpColumns returns the width of help texts.
func (env environment) helpColumns() int {
	if env.stdoutTerminal && env.stdoutColumns != nil {
		return min(maxHelpColumns, env.stdoutColumns())
	}
	return maxHelpColumns
}

// run runs the program and returns the exit code.
func run(ctx context.Context, args []string, env environment) int {
	flags := &commandLine{}
	var book flowFlags
	var err error
	if takesFlow(args) {
		if book, err = newFlowFlags(env); err != nil {
			return fail(ctx, env, cli.Caller{}, err)
		}
	}
	helpShown := false
	parser, err := newParser(ctx, flags, env, book, func() { helpShown = true })
	if err != nil {
		return fail(ctx, env, cli.Caller{}, err)
	}
	if len(args) > 0 && args[0] == completion.HiddenCommand {
		completer{env, parser, flags, book}.complete(ctx, args[1:])
		return cli.ExitDone
	}
	parsed, err := parser.Parse(args)
	if helpShown {
		return cli.ExitDone
	}
	if err != nil {
		return fail(ctx, env, cli.Caller{}, usageError(err))
	}
	if command, _, _ := strings.Cut(parsed.Command(), " "); command == "help" {
		return run(ctx, append(flags.Help.Command, "--help"), env)
	}
	a, caller, err := open(env, *flags, parsed, book)
	if err == nil {
		err = parsed.Run(a)
	}
	if err != nil {
		return fail(ctx, env, caller, err)
	}
	return cli.ExitDone
}

// takesFlow reports whether a command of the line may take the flags of a flow. Most
// do not, and start in a third of the time without them.
func takesFlow(args []string) bool {
	return slices.ContainsFunc(args, func(arg string) bool {
		return slices.Contains([]string{"start", "validate", "flows", completion.HiddenCommand}, arg)
	})
}

// open returns what the command of a parsed line needs.
func open(env environment, flags commandLine, parsed *kong.Context, book flowFlags) (*app, cli.Caller, error) {
	link, err := env.connect(flags.connectionFlags)
	if err != nil && !callsNoApp(parsed) {
		return nil, cli.Caller{}, err
	}
	outputGiven := given(parsed, "output")
	if !outputGiven && link.context.Output != "" {
		flags.Output = link.context.Output
	}
	a, err := newApp(env, flags)
	if err != nil {
		return nil, link.caller(), err
	}
	a.outputGiven, a.connection, a.book = outputGiven, link, book
	return a, link.caller(), nil
}

// callsNoApp reports whether a command works without a context that exists.
func callsNoApp(parsed *kong.Context) bool {
	command, _, _ := strings.Cut(parsed.Command(), " ")
	return slices.Contains([]string{"context", "version", "completion", "man", "errors"}, command)
}
