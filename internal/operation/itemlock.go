package operation

import (
	"slices"
	"time"
)

// ItemLock says which operation may change a protected item: one at a time. It
// is a pointer and no more: it is held for as long as the operation that it
// names has not ended, so that ending and letting go are one save, and nobody
// has to release anything.
type ItemLock struct {
	Item string `json:"item"`
	// Holder has the lock since its Round-th retry. An operation that was
	// retried takes it anew: it may have been taken over meanwhile.
	Holder string    `json:"holder"`
	Round  int       `json:"round,omitempty"`
	Since  time.Time `json:"since"`
	// Starts are the operations that took the lock on Day, a date in UTC.
	Day    string   `json:"day,omitempty"`
	Starts []string `json:"starts,omitempty"`
}

// LockVerdict is what becomes of an attempt to take a lock.
type LockResult string

// The verdicts.
const (
	// LockIsOurs: the operation has it already.
	LockOwned LockResult = "ours"
	// LockIsFree: it may be taken, by saving it over the one that was read.
	LockFree LockResult = "free"
	// LockIsHeld: its holder has not ended.
	LockHeld LockResult = "held"
	// LockIsUsedUp: as many operations as may have begun on the item today.
	LockLimitReached LockResult = "used up"
)

// HeldByOther reports whether the lock names another operation. Whether that
// has ended must be read after the lock was.
func (l ItemLock) HeldByOther(op Operation) bool { return l.Holder != "" && l.Holder != op.ID }

// Acquire decides whether the operation may have the lock as it was read. over
// says that the other operation that it names has let go. limit is how many
// operations may begin on the item in a day; zero is no limit. next is what to
// save where the lock is free; the save must fail if the lock was changed since
// it was read.
func (l ItemLock) Acquire(op Operation, item string, over bool, limit int, now time.Time) (next ItemLock, v LockResult) {
	if l.Holder == op.ID && l.Round == op.Round {
		return l, LockOwned
	}
	if l.HeldByOther(op) && !over {
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

// LetsGo reports whether an operation has let go of its lock: it ended so long
// ago that no invocation of it can still be at work.
func (op Operation) ReleasesLock(w Waits, now time.Time) bool {
	return op.Status.Terminal() && !now.Before(op.EndedAt.Add(w.LockCooldown))
}
