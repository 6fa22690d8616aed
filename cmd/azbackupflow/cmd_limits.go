package main

import (
	"context"
	"fmt"
	"time"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli/render"
)

type limitsCommand struct{}

// Help is shown below the command's own help.
func (limitsCommand) Help() string {
	return `The app learns the limits from Azure's answers. An instance of the app knows its own
calls, and the limits that are running low for any instance. Used and left are
estimates between two answers.`
}

// Run lists what the app knows of Azure's limits, and who waits for them.
func (limitsCommand) Run(ctx context.Context, a *app) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	list, err := c.Limits(ctx)
	if err != nil {
		return err
	}
	if a.out.Structured() {
		return a.out.Data(list)
	}
	if len(list.Limits) == 0 {
		a.out.Line("No limit of Azure is known yet: the app learns them from Azure's answers.")
		return nil
	}
	rows := make([][]string, 0, len(list.Limits))
	var ids []string
	for _, l := range list.Limits {
		for _, w := range l.Waiting {
			ids = append(ids, w.Operation)
		}
		rows = append(rows, []string{
			render.Plain(l.Name), render.Plain(limitScope(l)), limitNumber(l, l.Used), limitNumber(l, l.Remaining), limitNumber(l, l.Limit),
			limitWindow(l), a.until(l.ResetAt, list.At), a.until(l.BlockedUntil, list.At), count(l.WaitingCount),
		})
	}
	a.out.Columns([]render.Column{
		{Heading: "Limit", Min: 14}, {Heading: "Of", Min: 12, Drop: 1, Middle: true}, {Heading: "Used"}, {Heading: "Left", Drop: 2}, {Heading: "Allowed", Drop: 3},
		{Heading: "Within", Drop: 6}, {Heading: "Resets", Drop: 5}, {Heading: "Blocked until", Drop: 4}, {Heading: "Waiting"},
	}, rows)
	if len(ids) > 0 {
		a.out.Line("")
		a.showWaiters(list.Limits, render.ShortIDs(ids))
	}
	return nil
}

// showWaiters lists the operations that wait, in the order of the limits. short
// holds their IDs.
func (a *app) showWaiters(limits []api.Limit, short []string) {
	var rows [][]string
	more := 0
	for _, l := range limits {
		for _, w := range l.Waiting {
			id := short[len(rows)]
			if !a.out.AtTerminal() {
				id = w.Operation
			}
			rows = append(rows, []string{id, render.Plain(w.Flow), render.Time(w.Until), render.Plain(l.Name)})
		}
		more += l.WaitingCount - len(l.Waiting)
	}
	a.out.Columns([]render.Column{{Heading: "Waits"}, {Heading: "Flow", Min: 12, Drop: 2}, {Heading: "Until UTC"}, {Heading: "For", Min: 12, Drop: 1}}, rows)
	if more > 0 {
		a.out.Line("There are %d more.", more)
	}
}

// limitScope returns the name of what a limit belongs to: the vault or account of
// a quota, or the subscription.
func limitScope(l api.Limit) string {
	if l.Scope != "" {
		return lastSegment(l.Scope)
	}
	return l.Subscription
}

// limitNumber formats a number of calls; empty if the limit is unknown.
func limitNumber(l api.Limit, n int) string {
	if l.Limit == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

func limitWindow(l api.Limit) string {
	if l.WindowSeconds == 0 {
		return ""
	}
	return render.Duration(time.Duration(l.WindowSeconds) * time.Second)
}

// until formats a time to come: at a terminal how long it is until then. A time in
// the past is empty.
func (a *app) until(t, now time.Time) string {
	switch {
	case !t.After(now):
		return ""
	case a.out.AtTerminal():
		return "in " + render.Duration(t.Sub(now))
	}
	return render.Time(t)
}
