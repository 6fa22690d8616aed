package servicebus

import "time"

// Clock tells the time to the broker's queues: schedules, locks, expiry and
// duplicate detection follow it. A test that drives it makes hours pass at
// once.
type Clock interface {
	Now() time.Time
	// AfterFunc calls f once when d has passed: on a goroutine of its own or on
	// the one that moves the clock, but not before AfterFunc has returned.
	AfterFunc(d time.Duration, f func()) Timer
}

// Timer is a call that a Clock will make.
type Timer interface {
	// Stop prevents the call, and reports whether it was in time to.
	Stop() bool
}

// systemClock is the machine's clock.
type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() } //nolint:forbidigo // the one place where the broker reads the machine's clock

func (systemClock) AfterFunc(d time.Duration, f func()) Timer { return time.AfterFunc(d, f) }
