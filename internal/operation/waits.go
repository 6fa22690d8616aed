package operation

import "time"

// Waits are the durations of the engine, and the retry policies of the error
// classes. NewWaits constructs them.
type Waits struct {
	// Default is the wait if Azure sends no Retry-After.
	Default time.Duration
	// MinJob and MaxJob limit the wait for a job, which is a tenth of its age.
	MinJob, MaxJob time.Duration
	// ClaimWindow is how long a claim allows its call to start. ClaimGrace is
	// added before the claim is reconciled. Azure's job list must show a new
	// job within the grace period.
	ClaimWindow, ClaimGrace time.Duration
	// SpreadSlot is the time between two due times of one program where many
	// operations fall due at the same moment.
	SpreadSlot time.Duration
	// Overdue is the time between an operation's due time and the sweep's first
	// rescue. It doubles with each rescue.
	Overdue time.Duration
	// LockCooldown is the time between an operation's end and the first change
	// of the same item by another one. During that time a delivery of the ended
	// operation may still be running.
	LockCooldown time.Duration
	// MaxNoticeAge is how long the engine retries a notice.
	MaxNoticeAge time.Duration
	// MinSnooze and MaxSnooze limit how long a message is rescheduled while
	// storage is unavailable.
	MinSnooze, MaxSnooze time.Duration

	// Retry holds the retry policy of each class that is retried.
	Retry map[Class]RetryPolicy
}

// AzureWaits returns the waits for Azure.
func AzureWaits() Waits { return NewWaits(1) }

// NewWaits returns the waits for Azure divided by the speed factor. The local
// stack, whose clock runs faster, uses a factor above 1.
func NewWaits(speedFactor float64) Waits {
	scale := func(d time.Duration) time.Duration { return time.Duration(float64(d) / speedFactor) }
	w := Waits{
		Default:      scale(time.Minute),
		MinJob:       scale(30 * time.Second),
		MaxJob:       scale(10 * time.Minute),
		ClaimWindow:  scale(time.Minute),
		ClaimGrace:   scale(5 * time.Minute),
		SpreadSlot:   scale(4 * time.Millisecond),
		Overdue:      scale(10 * time.Minute),
		LockCooldown: scale(2 * time.Minute),
		MaxNoticeAge: scale(7 * 24 * time.Hour),
		MinSnooze:    scale(30 * time.Second),
		MaxSnooze:    scale(5 * time.Minute),
		Retry:        map[Class]RetryPolicy{},
	}
	for _, c := range Classes() {
		if p, ok := c.RetryPolicy(); ok {
			p.InitialWait, p.MaxWait = scale(p.InitialWait), scale(p.MaxWait)
			w.Retry[c] = p
		}
	}
	return w
}

// retryPolicy returns the class's retry rules. ok is false for Fatal and for
// unknown classes, which are not retried.
func (w Waits) retryPolicy(c Class) (p RetryPolicy, ok bool) {
	p, ok = w.Retry[c]
	return p, ok
}

// MaxRetryAfter is the longest Retry-After that is honored. Azure sends hours at
// times; a Retry-After of years is an error.
const MaxRetryAfter = 24 * time.Hour

// next returns when to check again: after Retry-After if Azure sent one, never
// before it. Spread only adds to the wait.
func (in Input) next(retryAfter, otherwise time.Duration) time.Time {
	wait := otherwise
	if retryAfter > 0 {
		wait = min(retryAfter, MaxRetryAfter)
	}
	due := in.Now.Add(wait)
	if wait <= 0 || in.Spread == nil {
		return due
	}
	return in.Spread(due)
}

// pace returns the wait if Azure sent no Retry-After.
func (w Waits) pace(p Pace, age time.Duration) time.Duration {
	switch p {
	case PaceJob:
		return min(max(age/10, w.MinJob), w.MaxJob)
	case PaceNow:
		return 0
	case PaceDefault:
	}
	return w.Default
}
