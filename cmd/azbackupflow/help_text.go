package main

import (
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"azbackupflow/internal/cli/render"
)

// The titles of the sections of a help text.
const (
	argumentsTitle = "Arguments:"
	flagsTitle     = "Flags:"
	commandsTitle  = "Commands:"
	globalTitle    = "Flags of every command:"
	exitCodesTitle = "Exit codes:"
	// parametersTitle begins the title of the section with the flags of a flow.
	parametersTitle = "Parameters of "
	// moreTitle begins the line below all sections.
	moreTitle = "Run \"azbackupflow"
)

// groups are the groups of commands and flags.
func groups() []kong.Group {
	return []kong.Group{
		{Key: "operations", Title: "Operations:"},
		{Key: "vaults", Title: "Vaults:"},
		{Key: "declared", Title: "Schedules, drills and automatic protection:"},
		{Key: "local", Title: "On this machine:"},
		{Key: "global", Title: globalTitle},
	}
}

// flagHelp returns the help text of a flag, with its environment variable as all
// texts name it.
func flagHelp(v *kong.Value) string {
	text := v.Help
	if len(v.Tag.Envs) > 0 {
		text = strings.TrimSuffix(text, ".") + " (" + strings.Join(v.Tag.Envs, ", ") + ")."
	}
	return text
}

// helpOf returns a printer of help texts. It puts first what differs between
// commands, and wraps what kong leaves too long.
func helpOf(columns int, book flowFlags) kong.HelpPrinter {
	return func(options kong.HelpOptions, parsed *kong.Context) error {
		out := parsed.Stdout
		defer func() { parsed.Stdout = out }()
		var shown strings.Builder
		parsed.Stdout = &shown
		if err := kong.DefaultHelpPrinter(options, parsed); err != nil {
			return err
		}
		book.writeFlags(&shown, parsed.Args)
		_, err := io.WriteString(out, render.FitLines(inOrder(shown.String()), columns))
		return err
	}
}

// inOrder puts the sections of a help text in order.
func inOrder(text string) string {
	type section struct {
		rank int
		text string
	}
	all := []section{{}}
	for line := range strings.Lines(text) {
		if rank, begins := rankOf(strings.TrimSuffix(line, "\n")); begins {
			all = append(all, section{rank: rank})
		}
		all[len(all)-1].text += line
	}
	slices.SortStableFunc(all, func(a, b section) int { return a.rank - b.rank })
	var texts []string
	for _, s := range all {
		texts = append(texts, strings.Trim(s.text, "\n"))
	}
	return strings.Join(texts, "\n\n") + "\n"
}

// rankOf returns the place of a section whose title is the line.
func rankOf(line string) (rank int, isTitle bool) {
	titles := []string{"", argumentsTitle, flagsTitle, parametersTitle, commandsTitle, globalTitle, exitCodesTitle, moreTitle}
	for rank, title := range titles {
		if title != "" && (line == title || !strings.HasSuffix(title, ":") && strings.HasPrefix(line, title)) {
			return rank, true
		}
	}
	if slices.ContainsFunc(groups(), func(g kong.Group) bool { return g.Title == line }) {
		return slices.Index(titles, commandsTitle), true
	}
	return 0, false
}
