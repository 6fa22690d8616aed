package main

import (
	"strings"

	"azbackupflow/internal/cli/render"
)

type errorsCommand struct {
	Code string `arg:"" optional:"" help:"Only this code, such as UserErrorStorageAccountIsLocked; case is ignored."`
}

// Help is shown below the command's own help.
func (errorsCommand) Help() string {
	return `It knows the codes of Azure, and those of azbackupflow itself.`
}

// Run shows the error catalogue, or one code.
func (e *errorsCommand) Run(a *app) error {
	guide := newErrorGuide()
	if e.Code != "" {
		guide = guide.only(e.Code)
	}
	if a.out.Structured() {
		return a.out.Data(guide)
	}
	switch {
	case e.Code == "":
		a.showErrors(guide)
	case len(guide.Own) > 0:
		a.showOwnCode(guide.Own[0])
	case len(guide.Errors) == 0:
		a.out.Line("%s is not in the catalogue. The HTTP status of the response decides:\n", render.Plain(e.Code))
		a.showUnknownErrors(guide)
	default:
		a.showError(guide.Errors[0])
	}
	return nil
}

func (a *app) showError(e errorEntry) {
	facts := []render.Fact{
		{Name: "Codes", Value: strings.Join(e.Codes, ", ")},
		{Name: "Class", Value: string(e.Class)},
		{Name: "azbackupflow", Value: e.Does},
	}
	if e.MessageContains != "" {
		facts = append(facts, render.Fact{Name: "Also", Value: "without a code, if the message contains " + quoted(e.MessageContains)})
	}
	a.out.Facts(append(facts, render.Fact{Name: "What to do", Value: e.RecommendedAction}))
}

func (a *app) showOwnCode(own ownCode) {
	facts := []render.Fact{{Name: "Codes", Value: strings.Join(own.Codes, ", ")}, {Name: "From", Value: "azbackupflow"}, {Name: "Meaning", Value: own.Meaning}}
	if own.RecommendedAction != "" {
		facts = append(facts, render.Fact{Name: "What to do", Value: own.RecommendedAction})
	}
	a.out.Facts(facts)
}

func (a *app) showErrors(guide errorGuide) {
	for _, class := range guide.Classes {
		a.out.Line("%s: %s.", a.out.Bold(string(class.Class)), class.Meaning)
		a.out.Wrapped(2, "azbackupflow "+class.Does)
		for _, e := range guide.Errors {
			if e.Class != class.Class {
				continue
			}
			a.out.Line("")
			a.out.Wrapped(2, a.out.Bold(strings.Join(e.Codes, ", ")))
			if e.MessageContains != "" {
				a.out.Wrapped(6, "also without a code, if the message contains "+quoted(e.MessageContains))
			}
			if e.Does != class.Does {
				a.out.Wrapped(6, "azbackupflow "+e.Does)
			}
			a.out.Wrapped(6, e.RecommendedAction)
		}
		a.out.Line("")
	}
	a.out.Line("%s: azbackupflow's own codes.", a.out.Bold("azbackupflow"))
	for _, own := range guide.Own {
		a.out.Line("")
		a.out.Wrapped(2, a.out.Bold(strings.Join(own.Codes, ", ")))
		a.out.Wrapped(6, own.Meaning)
		if own.RecommendedAction != "" {
			a.out.Wrapped(6, "What to do: "+own.RecommendedAction)
		}
	}
	a.out.Line("")
	a.out.Line("For other codes, the HTTP status of the response decides.\n")
	a.showUnknownErrors(guide)
}

func (a *app) showUnknownErrors(guide errorGuide) {
	var rows [][]string
	for _, u := range guide.Unknown {
		rows = append(rows, []string{u.Status, string(u.Class), u.Does})
	}
	a.out.Table([]string{"HTTP status", "Class", "azbackupflow"}, rows)
	a.out.Line("\nAn error of a job has no HTTP status, because Azure accepted the request.")
}

func quoted(s string) string { return "“" + s + "”" }
