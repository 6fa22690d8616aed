package store

import (
	"errors"
	"time"

	"azbackupflow/internal/local/servicebus/wire"
)

// ErrLockLost is returned if no message is locked with a token: the lock has expired
// or the message was settled.
var ErrLockLost = errors.New("lock lost: it has expired or the message was settled")

// ErrNotFound is returned if no message with a sequence number is in the state that
// the operation requires.
var ErrNotFound = errors.New("message not found")

// ErrAlreadyDeadLettered is returned if a message of a dead-letter queue is
// dead-lettered.
var ErrAlreadyDeadLettered = errors.New("message is already in a dead-letter queue")

// The reasons with which the broker itself dead-letters a message.
const (
	ReasonMaxDeliveryCount = "MaxDeliveryCountExceeded"
	ReasonExpired          = "TTLExpiredException"
)

// Settings are the properties of a queue.
type Settings struct {
	LockDuration time.Duration
	// MaxDeliveryCount is the number of failed deliveries after which a message
	// is dead-lettered.
	MaxDeliveryCount         int
	DefaultTimeToLive        time.Duration // 0: messages do not expire
	DeadLetterOnExpiration   bool          // else expired messages are dropped
	DuplicateDetectionWindow time.Duration // 0: no detection
}

// Queue holds the messages of one queue or dead-letter queue.
type Queue struct {
	settings Settings
	dead     *Queue // nil for a dead-letter queue
	sequence *int64 // the last number assigned; shared with the dead-letter queue
	newToken func() wire.UUID

	items      map[int64]*item
	byToken    map[wire.UUID]*item
	order      order
	duplicates duplicates
	ready      itemHeap
	scheduled  itemHeap
	locks      itemHeap
	expiry     itemHeap
	deferred   int
}

// New returns an empty queue with its dead-letter queue. newToken returns unique lock
// tokens.
func New(s Settings, newToken func() wire.UUID) *Queue {
	sequence := new(int64)
	q := newQueue(s, sequence, newToken)
	q.dead = newQueue(Settings{LockDuration: s.LockDuration}, sequence, newToken)
	return q
}

func newQueue(s Settings, sequence *int64, newToken func() wire.UUID) *Queue {
	return &Queue{
		settings:   s,
		sequence:   sequence,
		newToken:   newToken,
		items:      make(map[int64]*item),
		byToken:    make(map[wire.UUID]*item),
		duplicates: duplicates{window: s.DuplicateDetectionWindow},
		ready: itemHeap{kind: heapReady, before: func(a, b *item) bool {
			return a.SequenceNumber < b.SequenceNumber
		}},
		scheduled: itemHeap{kind: heapScheduled, before: func(a, b *item) bool {
			if a.ScheduledFor.Equal(b.ScheduledFor) {
				return a.SequenceNumber < b.SequenceNumber
			}
			return a.ScheduledFor.Before(b.ScheduledFor)
		}},
		locks:  itemHeap{kind: heapLocks, before: func(a, b *item) bool { return a.LockedUntil.Before(b.LockedUntil) }},
		expiry: itemHeap{kind: heapExpiry, before: func(a, b *item) bool { return a.expiresAt.Before(b.expiresAt) }},
	}
}

// DeadLetterQueue returns the dead-letter queue, or nil if q is one.
func (q *Queue) DeadLetterQueue() *Queue { return q.dead }

// Enqueue adds messages and returns their sequence numbers. A message whose id was
// enqueued within the duplicate detection window gets a number but is dropped.
func (q *Queue) Enqueue(now time.Time, messages []Incoming) []int64 {
	numbers := make([]int64, len(messages))
	for i, in := range messages {
		numbers[i] = q.nextNumber()
		if q.duplicates.repeated(now, in.ID) || in.Lost {
			continue
		}
		q.insert(now, numbers[i], in)
		if in.Duplicated {
			q.insert(now, q.nextNumber(), in)
		}
	}
	return numbers
}

func (q *Queue) nextNumber() int64 {
	*q.sequence++
	return *q.sequence
}

func (q *Queue) insert(now time.Time, number int64, in Incoming) {
	it := newItem(Message{
		SequenceNumber: number, ID: in.ID, Content: in.Content, EnqueuedAt: now, TimeToLive: in.TimeToLive,
	})
	if d := q.settings.DefaultTimeToLive; d > 0 && (it.TimeToLive <= 0 || it.TimeToLive > d) {
		it.TimeToLive = d
	}
	if in.ScheduledFor.After(now) {
		it.State = Scheduled
		it.ScheduledFor = in.ScheduledFor
		q.put(it)
		q.scheduled.add(it)
		return
	}
	q.activate(now, it)
}

// activate makes an item available, after all others.
func (q *Queue) activate(now time.Time, it *item) {
	it.State = Active
	it.ScheduledFor = time.Time{}
	it.EnqueuedAt = now
	if it.TimeToLive > 0 {
		it.expiresAt = now.Add(it.TimeToLive)
	}
	q.put(it)
	q.wait(it)
}

func (q *Queue) put(it *item) {
	q.items[it.SequenceNumber] = it
	q.order.add(it.SequenceNumber)
}

// wait makes an active item available to receivers.
func (q *Queue) wait(it *item) {
	q.ready.add(it)
	if !it.expiresAt.IsZero() {
		q.expiry.add(it)
	}
}

// remove removes an item from the queue.
func (q *Queue) remove(it *item) {
	q.ready.remove(it)
	q.scheduled.remove(it)
	q.expiry.remove(it)
	q.unlock(it)
	if it.State == Deferred {
		q.deferred--
	}
	delete(q.items, it.SequenceNumber)
	q.order.remove(func(n int64) bool { return q.items[n] != nil })
}

// deadLetter moves an item to the dead-letter queue, where it keeps its sequence
// number, its delivery count and its enqueued time.
func (q *Queue) deadLetter(it *item, properties wire.Map) {
	q.remove(it)
	m := it.Message
	m.State = Active
	m.Content = m.Content.WithProperties(properties)
	m.TimeToLive = 0
	moved := newItem(m)
	q.dead.put(moved)
	q.dead.wait(moved)
}

// DeadLetterProperties returns the application properties with the reason why a
// message was dead-lettered.
func DeadLetterProperties(reason, description string) wire.Map {
	return wire.Map{
		{Key: wire.String("DeadLetterReason"), Value: wire.String(reason)},
		{Key: wire.String("DeadLetterErrorDescription"), Value: wire.String(description)},
	}
}
