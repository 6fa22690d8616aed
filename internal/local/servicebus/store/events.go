package store

import "time"

// Tick applies all due events: locks expire, scheduled messages become active,
// messages expire.
func (q *Queue) Tick(now time.Time) {
	for it := q.locks.first(); it != nil && !it.LockedUntil.After(now); it = q.locks.first() {
		q.unlock(it)
		q.fail(it)
	}
	// A scheduled message gets a new number, as if it was sent now.
	for it := q.scheduled.first(); it != nil && !it.ScheduledFor.After(now); it = q.scheduled.first() {
		q.remove(it)
		it.SequenceNumber = q.nextNumber()
		q.activate(now, it)
	}
	for it := q.expiry.first(); it != nil && !it.expiresAt.After(now); it = q.expiry.first() {
		if q.settings.DeadLetterOnExpiration {
			q.deadLetter(it, DeadLetterProperties(ReasonExpired, "The message expired and was dead lettered."))
		} else {
			q.remove(it)
		}
	}
}

// NextEvent returns the time of the next event that Tick applies, or false. Locked and
// deferred messages do not expire.
func (q *Queue) NextEvent() (time.Time, bool) {
	var next time.Time
	earliest := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	if it := q.locks.first(); it != nil {
		earliest(it.LockedUntil)
	}
	if it := q.scheduled.first(); it != nil {
		earliest(it.ScheduledFor)
	}
	if it := q.expiry.first(); it != nil {
		earliest(it.expiresAt)
	}
	return next, !next.IsZero()
}
