package operation

import (
	"slices"
	"time"
)

// ItemLock names the operation that may change a protected item: one at a time.
// The lock is only a pointer. It is held until the operation that it names has
// ended, so that one save both ends the operation and releases the lock.
type ItemLock struct {
	Item string `json:"item"`
	// Holder has held the lock since its retry number Round. A retried
	// operation acquires the lock again, because another operation may have
	// acquired it meanwhile.
	Holder string    `json:"holder"`
	Round  int       `json:"round,omitempty"`
	Since  time.Time `json:"since"`
	// Starts are the operations that acquired the lock on Day, a date in UTC.
	Day    string   `json:"day,omitempty"`
	Starts []string `json:"starts,omitempty"`
}

// LockResult is the result of an attempt to acquire a lock.
type LockResult string

// The results of an attempt to acquire a lock.
const (
	// LockOwned: the operation already has the lock.
	LockOwned LockResult = "owned"
	// LockFree: the operation may acquire the lock by saving it over the one
	// that was read.
	LockFree LockResult = "free"
	// LockHeld: the holder has not ended.
	LockHeld LockResult = "held"
	// LockLimitReached: the maximum number of operations has already begun on
	// the item today.
	LockLimitReached LockResult = "limit reached"
)

// HeldByOther reports whether the lock names another operation. Load that
// operation after the lock to find out whether it has ended.
func (l ItemLock) HeldByOther(op Operation) bool { return l.Holder != "" && l.Holder != op.ID }

// Acquire decides whether the operation may have the lock as it was read.
// released says that the other operation that it names has released it. limit
// is the number of operations that may begin on the item in a day; zero means
// no limit. If the lock is free, next is the lock to save. The save must fail
// if the lock has changed since it was read.
func (l ItemLock) Acquire(op Operation, item string, released bool, limit int, now time.Time) (next ItemLock, result LockResult) {
	if l.Holder == op.ID && l.Round == op.Round {
		return l, LockOwned
	}
	if l.HeldByOther(op) && !released {
		return l, LockHeld
	}
	next = ItemLock{Item: item, Holder: op.ID, Round: op.Round, Since: now}
	if limit <= 0 {
		return next, LockFree
	}
	next.Day = now.UTC().Format(time.DateOnly)
	if l.Day == next.Day {
		next.Starts = slices.Clone(l.Starts)
	}
	if !slices.Contains(next.Starts, op.ID) {
		if len(next.Starts) >= limit {
			return l, LockLimitReached
		}
		next.Starts = append(next.Starts, op.ID)
	}
	return next, LockFree
}

// ReleasesLock reports whether an operation has released its lock: it ended so
// long ago that no delivery of it can still be running.
func (op Operation) ReleasesLock(w Waits, now time.Time) bool {
	return op.Status.Terminal() && !now.Before(op.EndedAt.Add(w.LockCooldown))
}
