package main

import "context"

type rescueCommand struct{}

// Run has the app sweep now.
func (rescueCommand) Run(ctx context.Context, a *app) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	swept, err := c.Rescue(ctx)
	if err != nil {
		return err
	}
	if a.json() {
		return a.printJSON(swept)
	}
	a.say("Looked at %d live operations: %d woken because their message did not come, %d owe a notice, %d settled.",
		swept.Live-swept.Skipped, swept.Overdue, swept.PendingNotices, swept.Finalized)
	if swept.Parked > 0 {
		a.say("%d wait for a person:  azbackupflow list --status Parked", swept.Parked)
	}
	if swept.Failed+swept.Skipped > 0 {
		a.say("%d could not be looked at, for %d there was no time: ask again.", swept.Failed, swept.Skipped)
	}
	return nil
}
