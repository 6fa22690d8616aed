package main

import "context"

type rescueCommand struct{}

// Run runs the sweep of the app now.
func (rescueCommand) Run(ctx context.Context, a *app) error {
	c, err := a.client()
	if err != nil {
		return err
	}
	s, err := c.Rescue(ctx)
	if err != nil {
		return err
	}
	if a.out.Structured() {
		return a.out.Data(s)
	}
	a.out.Line("Checked %d live operations: %d woken (overdue), %d with pending notices, %d finalized.",
		s.Live-s.Skipped, s.Overdue, s.PendingNotices, s.Finalized)
	if s.Parked > 0 {
		a.out.Line("%d parked, waiting for an operator:  azbackupflow list --status Parked", s.Parked)
	}
	if s.Failed+s.Skipped > 0 {
		a.out.Line("%d could not be checked, %d skipped for lack of time; run the command again.", s.Failed, s.Skipped)
	}
	if s.Unreadable > 0 {
		a.out.Line("%d cannot be read; the log names their rows.", s.Unreadable)
	}
	return nil
}
