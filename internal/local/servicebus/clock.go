package servicebus

import "time"

// Clock is the clock of the queues: schedules, locks, expiry and duplicate detection
// follow it. A test can replace it and advance it by hours at once.
type Clock interface {
	Now() time.Time
	// AfterFunc calls f once after d, on its own goroutine or on the one that advances
	// the clock, but not before AfterFunc has returned.
	AfterFunc(d time.Duration, f func()) Timer
}

// Timer is a pending call of a Clock.
type Timer interface {
	// Stop prevents the call and reports whether it did.
	Stop() bool
}

// systemClock is the machine's clock.
type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() } //nolint:forbidigo // the only place where the broker reads the machine's clock

func (systemClock) AfterFunc(d time.Duration, f func()) Timer { return time.AfterFunc(d, f) }
