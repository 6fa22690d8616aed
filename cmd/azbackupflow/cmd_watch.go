package main

import (
	"context"
	"fmt"

	"azbackupflow/internal/api"
)

type watchCommand struct {
	ID string `arg:"" help:"The operation's id."`
}

// Help is shown below the command's own help.
func (watchCommand) Help() string {
	return "With -o json, each event is one line of JSON.\n\n" + exitCodes
}

// Run shows the timeline until the operation has ended.
func (w *watchCommand) Run(ctx context.Context, a *app) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	f := a.newFollowing(false)
	v, err := f.to(ctx, c, w.ID)
	if err != nil {
		return err
	}
	if !a.json() {
		a.say("")
		a.facts(a.summary(v, f.tally.calls))
	}
	return outcome(v)
}

// summary says how an operation has ended.
func (a *app) summary(v api.Operation, calls int) [][2]string {
	facts := [][2]string{
		{"Operation", v.ID},
		{"Status", a.paint.status(v.Status)},
	}
	if v.JobID != "" {
		facts = append(facts, [2]string{"Job", v.JobID})
	}
	facts = append(facts,
		[2]string{"Duration", span(took(v, a.now()))},
		[2]string{"ARM calls", fmt.Sprint(calls)},
	)
	for _, warning := range v.Warnings {
		facts = append(facts, [2]string{"Warning", plain(warning)})
	}
	return facts
}
