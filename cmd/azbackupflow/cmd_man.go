package main

import (
	"github.com/alecthomas/kong"
	mangokong "github.com/alecthomas/mango-kong"
	"github.com/muesli/roff"
)

type manCommand struct{}

// Help is shown below the command's own help.
func (manCommand) Help() string {
	return "To install it:\n\n  azbackupflow man > ~/.local/share/man/man1/azbackupflow.1"
}

// Run writes the man page.
func (manCommand) Run(a *app, parsed *kong.Context) error {
	page := mangokong.NewManPage(1, parsed.Model)
	a.out.Line("%s", page.Build(roff.NewDocument()))
	return nil
}
