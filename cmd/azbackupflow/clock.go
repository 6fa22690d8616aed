package main

import (
	"context"
	"time"
)

// The clock of the program: nothing else in it reads the time or waits.

func now() time.Time {
	return time.Now() //nolint:forbidigo // the one place where the program meets the clock
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

// ticks gives a tick every so often until stop is called.
func ticks(every time.Duration) (ticks <-chan time.Time, stop func()) {
	t := time.NewTicker(every)
	return t.C, t.Stop
}
