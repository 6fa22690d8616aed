package main

import "context"

type historyCommand struct {
	ID string `arg:"" help:"The operation's id."`
}

// Run tells what happened to the operation so far.
func (h *historyCommand) Run(ctx context.Context, a *app) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	history, err := c.History(ctx, h.ID)
	if err != nil {
		return err
	}
	if a.json() {
		return a.printJSON(history)
	}
	t := timeline{paint: a.paint}
	for _, ev := range history.Events {
		for _, line := range t.lines(ev) {
			a.say("%s", line)
		}
	}
	return nil
}
