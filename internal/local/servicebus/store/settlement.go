package store

import (
	"fmt"
	"time"

	"azbackupflow/internal/local/servicebus/wire"
)

// Complete removes a locked message. Like all methods with a lock token, it returns
// ErrLockLost if no message is locked with the token.
func (q *Queue) Complete(now time.Time, token wire.UUID) error {
	it, err := q.locked(now, token)
	if err != nil {
		return err
	}
	q.remove(it)
	return nil
}

// Abandon unlocks a message, counts a failed delivery and merges properties into the
// application properties of the message.
func (q *Queue) Abandon(now time.Time, token wire.UUID, properties wire.Map) error {
	it, err := q.locked(now, token)
	if err != nil {
		return err
	}
	q.unlock(it)
	it.Content = it.Content.WithProperties(properties)
	q.fail(it)
	return nil
}

// Release unlocks a message without counting a delivery.
func (q *Queue) Release(now time.Time, token wire.UUID) error {
	it, err := q.locked(now, token)
	if err != nil {
		return err
	}
	q.unlock(it)
	if it.State == Active {
		q.wait(it)
	}
	return nil
}

// Defer unlocks a message, which from then on is received only by sequence number.
func (q *Queue) Defer(now time.Time, token wire.UUID, properties wire.Map) error {
	it, err := q.locked(now, token)
	if err != nil {
		return err
	}
	q.unlock(it)
	it.Content = it.Content.WithProperties(properties)
	if it.State != Deferred {
		it.State = Deferred
		q.deferred++
	}
	return nil
}

// DeadLetter moves a locked message to the dead-letter queue and merges properties into
// its application properties. In a dead-letter queue it returns ErrAlreadyDeadLettered
// and the message stays locked.
func (q *Queue) DeadLetter(now time.Time, token wire.UUID, properties wire.Map) error {
	it, err := q.locked(now, token)
	if err != nil {
		return err
	}
	if q.dead == nil {
		return ErrAlreadyDeadLettered
	}
	q.deadLetter(it, properties)
	return nil
}

// Renew extends a lock to the lock duration from now and returns its new expiry time.
func (q *Queue) Renew(now time.Time, token wire.UUID) (time.Time, error) {
	it, err := q.locked(now, token)
	if err != nil {
		return time.Time{}, err
	}
	it.LockedUntil = now.Add(q.settings.LockDuration)
	q.locks.moved(it)
	return it.LockedUntil, nil
}

func (q *Queue) locked(now time.Time, token wire.UUID) (*item, error) {
	it := q.byToken[token]
	if it == nil || !it.LockedUntil.After(now) {
		return nil, ErrLockLost
	}
	return it, nil
}

// fail counts a failed delivery of an unlocked item, and makes it available or
// dead-letters it. A deferred message stays deferred. In a dead-letter queue nothing is
// counted.
func (q *Queue) fail(it *item) {
	if q.dead != nil {
		it.DeliveryCount++
	}
	switch {
	case it.State == Deferred:
	case q.dead != nil && it.DeliveryCount >= q.settings.MaxDeliveryCount:
		q.deadLetter(it, DeadLetterProperties(ReasonMaxDeliveryCount,
			fmt.Sprintf("Message could not be consumed after %d delivery attempts.", it.DeliveryCount)))
	default:
		q.wait(it)
	}
}
