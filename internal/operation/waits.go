package operation

import "time"

// Waits are the engine's durations. They are settings because the local stack
// runs them faster (see Faster); in Azure nobody needs to change them.
type Waits struct {
	// Default is the wait where Azure names none.
	Default time.Duration
	// JobShortest and JobLongest bound the wait for a job, which is a tenth of
	// its age.
	MinJob, MaxJob time.Duration
	// Retry divides the waits after errors (see Class.Patience); 1 in Azure.
	Retry float64
	// ClaimWindow is how long a claim allows its call to start; ClaimGrace is
	// added before anyone looks for what became of it. Azure's job list must
	// show a new job within the grace.
	ClaimWindow, ClaimGrace time.Duration
	// Jitter is the share of a wait that is added at random, at most.
	Jitter float64
	// Overdue is how long after its due time an operation is first woken by
	// the sweep; it doubles with each rescue.
	Overdue time.Duration
	// Quiet is how long after an operation's end another one may change the
	// same item: until then an invocation of it may still be at work.
	LockCooldown time.Duration
	// Notice is how long a notice that cannot be sent is tried again.
	MaxNoticeAge time.Duration
	// SnoozeShortest and SnoozeLongest bound how long a message is put off
	// while the table is away.
	MinSnooze, MaxSnooze time.Duration
}

// AzureWaits are the durations that fit Azure.
func AzureWaits() Waits {
	return Waits{
		Default: time.Minute,
		MinJob:  30 * time.Second, MaxJob: 10 * time.Minute,
		Retry:       1,
		ClaimWindow: time.Minute, ClaimGrace: 5 * time.Minute,
		Jitter:       0.1,
		Overdue:      10 * time.Minute,
		LockCooldown: 2 * time.Minute,
		MaxNoticeAge: 7 * 24 * time.Hour,
		MinSnooze:    30 * time.Second, MaxSnooze: 5 * time.Minute,
	}
}

// Faster divides every duration by speed: what a simulator whose clock runs
// speed times as fast needs.
func (w Waits) Faster(speed float64) Waits {
	by := func(d time.Duration) time.Duration { return time.Duration(float64(d) / speed) }
	w.Default = by(w.Default)
	w.MinJob, w.MaxJob = by(w.MinJob), by(w.MaxJob)
	w.Retry *= speed
	w.ClaimWindow, w.ClaimGrace = by(w.ClaimWindow), by(w.ClaimGrace)
	w.Overdue, w.MaxNoticeAge, w.LockCooldown = by(w.Overdue), by(w.MaxNoticeAge), by(w.LockCooldown)
	w.MinSnooze, w.MaxSnooze = by(w.MinSnooze), by(w.MaxSnooze)
	return w
}

// MaxRetryAfter is the longest Retry-After that is honoured. Azure requests hours
// at times; a Retry-After of years is an error.
const MaxRetryAfter = 24 * time.Hour

// next is when to look again: after Retry-After if there is one, never before
// it, with jitter only added.
func (w Waits) next(now time.Time, retryAfter, otherwise time.Duration, jitter float64) time.Time {
	wait := otherwise
	if retryAfter > 0 {
		wait = min(retryAfter, MaxRetryAfter)
	}
	return now.Add(wait + time.Duration(float64(wait)*w.Jitter*jitter))
}

// pace is the wait where Azure named none.
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

// afterError is the wait after a number of failures in a row.
func (w Waits) afterError(p RetryPolicy, failures int) time.Duration {
	return time.Duration(float64(p.Backoff(failures)) / w.Retry)
}
