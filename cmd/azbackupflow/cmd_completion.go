package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli"
	"azbackupflow/internal/cli/completion"
	"azbackupflow/internal/cli/parameters"
	"azbackupflow/internal/cli/render"
)

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish,powershell" help:"Shell: bash, zsh, fish or powershell."`
}

// Help is shown below the command's own help.
func (completionCommand) Help() string {
	return `The first lines of the script say how to install it. It completes commands, flags,
flows and contexts. From the app it gets the IDs of the latest operations, schedules,
vaults, items and recovery points; it keeps those of Azure for a minute.`
}

// Run writes the script for the shell.
func (c *completionCommand) Run(a *app) error {
	script, err := completion.Script(c.Shell)
	if err != nil {
		return &cli.UsageError{Text: err.Error()}
	}
	a.out.Line("%s", strings.TrimSuffix(script, "\n"))
	return nil
}

const (
	// maxCompletionWait bounds the calls to the app while a user waits for a
	// completion.
	maxCompletionWait = 2 * time.Second
	// completedIDs is the number of the latest operations that are completed.
	completedIDs = 100
)

// completer completes an unfinished line.
type completer struct {
	env    environment
	parser *kong.Kong
	flags  *commandLine
	book   flowFlags
}

// complete writes the completions of a line. Without an app that answers, the IDs
// are missing.
func (c completer) complete(ctx context.Context, words []string) {
	if last := len(words) - 1; last >= 0 && words[last] == `""` { // from PowerShell, which passes no empty words
		words[last] = ""
	}
	line := completion.Parse(c.parser.Model, words)
	ctx, cancel := context.WithTimeout(ctx, maxCompletionWait)
	defer cancel()
	result := line.Complete(func(kind completion.Kind) []completion.Candidate {
		switch kind {
		case completion.Statuses:
			return statusWords()
		case completion.Flows:
			return c.flowWords()
		case completion.Commands:
			return c.commandWords()
		case completion.Parameters:
			return c.parameterWords(line)
		case completion.Operations, completion.Rejected, completion.Contexts, completion.FlowsOrFiles, completion.Files, completion.None,
			completion.Schedules, completion.Vaults, completion.VaultIDs, completion.Items, completion.RecoveryPoints:
		}
		a, err := c.app(line)
		if err != nil {
			return nil
		}
		switch kind {
		case completion.Schedules, completion.Vaults, completion.VaultIDs, completion.Items, completion.RecoveryPoints:
			return azureWords{app: a, line: line}.words(ctx, kind)
		default:
			return a.words(ctx, kind)
		}
	})
	_, _ = fmt.Fprint(c.env.stdout, result.Text()) // the shell shows no errors
}

// app returns the app that the flags of the line name.
func (c completer) app(line completion.Line) (*app, error) {
	args := []string{"list"}
	for _, f := range c.parser.Model.Flags {
		if value, set := line.Flags[f.Name]; set {
			args = append(args, "--"+f.Name+"="+value)
		}
	}
	parsed, err := c.parser.Parse(args)
	if err != nil {
		return nil, err
	}
	a, _, err := open(c.env, *c.flags, parsed, c.book)
	return a, err
}

// flowWords returns the flows of this program. It needs no app.
func (c completer) flowWords() (all []completion.Candidate) {
	for _, f := range c.book.flows {
		all = append(all, completion.Candidate{Value: f.Name, Help: f.Summary})
	}
	return all
}

// parameterWords returns the flags of the flow that the line names.
func (c completer) parameterWords(line completion.Line) (all []completion.Candidate) {
	for _, name := range line.Arguments {
		f, err := c.book.get(name)
		if err != nil {
			continue
		}
		for _, flag := range f.Flags {
			all = append(all, completion.Candidate{Value: "--" + flag.Name, Help: parameters.Meaning(flag.Parameter)})
		}
	}
	return all
}

func (c completer) commandWords() (all []completion.Candidate) {
	for _, child := range c.parser.Model.Children {
		if !child.Hidden {
			all = append(all, completion.Candidate{Value: child.Name, Help: child.Help})
		}
	}
	return all
}

// words returns the values of a kind. Whatever cannot be read has no values.
func (a *app) words(ctx context.Context, kind completion.Kind) []completion.Candidate {
	var all []completion.Candidate
	switch kind {
	case completion.Operations:
		c, err := a.client()
		if err != nil {
			return nil
		}
		page, err := c.List(ctx, api.OperationQuery{PageSize: completedIDs})
		if err != nil {
			return nil
		}
		for _, op := range page.Operations {
			all = append(all, completion.Candidate{Value: op.ID, Help: strings.Join([]string{string(op.Status), op.Flow, render.ItemName(op)}, " ")})
		}
	case completion.Rejected:
		c, err := a.client()
		if err != nil {
			return nil
		}
		page, err := c.ListRejected(ctx, api.RejectedQuery{PageSize: completedIDs})
		if err != nil {
			return nil
		}
		for _, r := range page.Rejected {
			all = append(all, completion.Candidate{Value: r.ID, Help: render.FirstLine(r.Reason)})
		}
	case completion.Contexts:
		contexts, err := a.contextFile().Load()
		if err != nil {
			return nil
		}
		for _, name := range contexts.Names() {
			all = append(all, completion.Candidate{Value: name, Help: contexts.Contexts[name].URL})
		}
	default:
	}
	return all
}

func statusWords() (all []completion.Candidate) {
	for _, s := range api.Statuses() {
		all = append(all, completion.Candidate{Value: string(s)})
	}
	return all
}
