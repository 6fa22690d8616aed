package functionshost

import "time"

// Clock is the time that a host lives in.
type Clock interface {
	// Now is the current time.
	Now() time.Time
	// After sends the time once d has passed.
	After(d time.Duration) <-chan time.Time
}

// systemClock is the machine's clock.
type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() } //nolint:forbidigo // the one place that reads the machine's clock

func (systemClock) After(d time.Duration) <-chan time.Time { return time.After(d) }
