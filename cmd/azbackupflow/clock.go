package main

import (
	"context"
	"time"
)

// The functions in this file are the clock of the program. Nothing else in it
// reads the time or waits.

func now() time.Time {
	return time.Now() //nolint:forbidigo // the clock of the program
}

// sleep waits, or returns early with the context's error.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ticks returns a channel that ticks at an interval until stop is called.
func ticks(interval time.Duration) (ticks <-chan time.Time, stop func()) {
	t := time.NewTicker(interval)
	return t.C, t.Stop
}
