package store

import "time"

// Available reports whether Reserve would find a message.
func (q *Queue) Available() bool { return q.ready.Len() > 0 }

// Reserve reserves the first available message, so that no other receiver gets it. The
// caller must call Lock or Take next.
func (q *Queue) Reserve() (Message, bool) {
	it := q.ready.first()
	if it == nil {
		return Message{}, false
	}
	q.ready.remove(it)
	q.expiry.remove(it)
	it.reserved = true
	return it.Message, true
}

// Lock locks a reserved message for the lock duration of the queue.
func (q *Queue) Lock(now time.Time, number int64) (Message, bool) {
	it := q.reserved(number)
	if it == nil {
		return Message{}, false
	}
	q.lock(now, it)
	return it.Message, true
}

// Take removes a reserved message and returns it.
func (q *Queue) Take(number int64) (Message, bool) {
	it := q.reserved(number)
	if it == nil {
		return Message{}, false
	}
	q.remove(it)
	return it.Message, true
}

// reserved returns a reserved message and ends its reservation, or returns nil.
func (q *Queue) reserved(number int64) *item {
	it := q.items[number]
	if it == nil || !it.reserved {
		return nil
	}
	it.reserved = false
	return it
}

func (q *Queue) lock(now time.Time, it *item) {
	it.Locked = true
	it.LockToken = q.newToken()
	it.LockedUntil = now.Add(q.settings.LockDuration)
	q.byToken[it.LockToken] = it
	q.locks.add(it)
}

func (q *Queue) unlock(it *item) {
	if it.Locked {
		q.locks.remove(it)
		delete(q.byToken, it.LockToken)
		it.Locked = false
	}
}

// TakeDeferred receives deferred messages. It locks them if lock is true, else it
// removes them. If one of them is not deferred or is locked, it receives none and
// returns ErrNotFound.
func (q *Queue) TakeDeferred(now time.Time, numbers []int64, lock bool) ([]Message, error) {
	found, err := q.all(numbers, func(it *item) bool { return it.State == Deferred && !it.Locked })
	if err != nil {
		return nil, err
	}
	messages := make([]Message, len(found))
	for i, it := range found {
		if lock {
			q.lock(now, it)
		}
		messages[i] = it.Message
		if !lock {
			q.remove(it)
		}
	}
	return messages, nil
}

// Cancel removes scheduled messages. If one of them is not scheduled, it removes none
// and returns ErrNotFound.
func (q *Queue) Cancel(numbers []int64) error {
	found, err := q.all(numbers, func(it *item) bool { return it.State == Scheduled })
	if err != nil {
		return err
	}
	for _, it := range found {
		q.remove(it)
	}
	return nil
}

// all returns the items with the given numbers, each once. It returns ErrNotFound if
// one is missing or does not fit.
func (q *Queue) all(numbers []int64, fit func(*item) bool) ([]*item, error) {
	found := make([]*item, 0, len(numbers))
	met := make(map[int64]bool, len(numbers))
	for _, n := range numbers {
		it := q.items[n]
		if it == nil || !fit(it) {
			return nil, ErrNotFound
		}
		if !met[n] {
			met[n] = true
			found = append(found, it)
		}
	}
	return found, nil
}
