package main

import (
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
)

type errorsCommand struct {
	Code string `arg:"" optional:"" help:"Only this code, such as UserErrorStorageAccountIsLocked; casing does not matter."`
}

// Help is shown below the command's own help.
func (errorsCommand) Help() string {
	return `The codes are Azure's. Those of azbackupflow's own are in docs/flows.md.`
}

// Run prints the error catalogue, or what is known of one code.
func (e *errorsCommand) Run(a *app) error {
	all := newErrorGuide()
	if e.Code != "" {
		all = all.only(e.Code)
	}
	if a.json() {
		return a.printJSON(all)
	}
	switch {
	case e.Code == "":
		a.allErrors(all)
	case len(all.Errors) == 0:
		a.say("%s is not in the catalogue. The HTTP status it comes with decides:\n", plain(e.Code))
		a.unknownErrors(all)
	default:
		a.oneError(all.Errors[0])
	}
	return nil
}

func (a *app) oneError(e errorEntry) {
	facts := [][2]string{
		{"Codes", strings.Join(e.Codes, ", ")},
		{"Class", string(e.Class)},
		{"azbackupflow", e.Does},
	}
	if e.Text != "" {
		facts = append(facts, [2]string{"Also", "without a code, where the message has " + quoted(e.Text)})
	}
	a.facts(append(facts, [2]string{"What to do", e.Advice}))
}

func (a *app) allErrors(all errorGuide) {
	for _, class := range all.Classes {
		a.say("%s: %s.", a.paint.bold(string(class.Class)), class.Meaning)
		a.indented(2, "azbackupflow "+class.Does)
		for _, e := range all.Errors {
			if e.Class != class.Class {
				continue
			}
			a.say("")
			a.indented(2, a.paint.bold(strings.Join(e.Codes, ", ")))
			if e.Text != "" {
				a.indented(6, "also without a code, where the message has "+quoted(e.Text))
			}
			if e.Does != class.Does {
				a.indented(6, "azbackupflow "+e.Does)
			}
			a.indented(6, e.Advice)
		}
		a.say("")
	}
	a.say("Codes that are not listed: the HTTP status decides.\n")
	a.unknownErrors(all)
}

func (a *app) unknownErrors(all errorGuide) {
	var rows [][]string
	for _, u := range all.Unknown {
		rows = append(rows, []string{u.Status, string(u.Class), u.Does})
	}
	a.list([]string{"HTTP status", "Class", "What azbackupflow does"}, rows)
	a.say("\nWhat Azure had accepted and what failed later, such as a job, has no status.")
}

// indented writes text below a margin, broken into lines.
func (a *app) indented(margin int, what string) {
	space := strings.Repeat(" ", margin)
	for line := range strings.SplitSeq(text.WrapSoft(what, width-margin), "\n") {
		a.say("%s", space+strings.TrimRight(line, " "))
	}
}

func quoted(s string) string { return "“" + s + "”" }
