package main

import (
	"context"
	"strings"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli/render"
)

type historyCommand struct {
	oneOperation
}

// Run shows the events of the operation so far.
func (h *historyCommand) Run(ctx context.Context, a *app) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	id, err := h.find(ctx, c)
	if err != nil {
		return err
	}
	history, err := c.History(ctx, id)
	if err != nil {
		return err
	}
	if a.out.Structured() {
		return a.out.Data(history)
	}
	if len(history.Unreadable) > 0 {
		a.out.Line("%d rows cannot be read: %s", len(history.Unreadable), render.Plain(strings.Join(history.Unreadable, ", ")))
	}
	a.showTimeline(history.Events)
	return nil
}

// showTimeline shows the events of an operation.
func (a *app) showTimeline(events []api.Event) {
	t := render.Timeline{Paint: a.out.Paint, Columns: a.out.Width()}
	for _, ev := range events {
		for _, line := range t.Lines(ev) {
			a.out.Line("%s", line)
		}
	}
	for _, line := range t.End() {
		a.out.Line("%s", line)
	}
}
