package store

import (
	"fmt"
	"time"

	"azbackupflow/internal/local/servicebus/wire"
)

// Complete removes a locked message. Like every method that takes a lock
// token, it returns ErrLockLost when the token locks nothing.
func (q *Queue) Complete(now time.Time, token wire.UUID) error {
	it, err := q.locked(now, token)
	if err != nil {
		return err
	}
	q.remove(it)
	return nil
}

// Abandon gives a locked message back and counts a failed delivery. Properties
// are put into the application properties of the message.
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

// Release gives a locked message back as if it had not been delivered.
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

// Defer sets a locked message aside.
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

// Bury moves a locked message to the dead-letter queue and puts properties
// into its application properties. In a dead-letter queue it returns
// ErrDeadAlready and leaves the message locked.
func (q *Queue) Bury(now time.Time, token wire.UUID, properties wire.Map) error {
	it, err := q.locked(now, token)
	if err != nil {
		return err
	}
	if q.dead == nil {
		return ErrDeadAlready
	}
	q.bury(it, properties)
	return nil
}

// Renew prolongs a lock to the lock duration from now and returns its new end.
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

// fail counts a failed delivery of an unlocked item and decides where it goes.
// A deferred message stays deferred; a dead-lettered one is not counted.
func (q *Queue) fail(it *item) {
	if q.dead != nil {
		it.DeliveryCount++
	}
	switch {
	case it.State == Deferred:
	case q.dead != nil && it.DeliveryCount >= q.settings.MaxDeliveryCount:
		q.bury(it, DeadLetterProperties(ReasonMaxDeliveryCount,
			fmt.Sprintf("Message could not be consumed after %d delivery attempts.", it.DeliveryCount)))
	default:
		q.wait(it)
	}
}
