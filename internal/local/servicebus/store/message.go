package store

import (
	"time"

	"azbackupflow/internal/local/servicebus/wire"
)

// State is the state of a message.
type State int

// The states of a message.
const (
	Active    State = iota // available, or locked by a receiver
	Scheduled              // not yet due
	Deferred               // received only by sequence number
)

// String returns the name of the state.
func (s State) String() string {
	switch s {
	case Active:
		return "active"
	case Scheduled:
		return "scheduled"
	case Deferred:
		return "deferred"
	}
	return "unknown"
}

// Incoming is a message to enqueue.
type Incoming struct {
	ID           string // message id, for duplicate detection
	Content      *wire.Message
	TimeToLive   time.Duration // 0: the default of the queue
	ScheduledFor time.Time     // zero or past: available at once
	// Lost and Duplicated are faults. A lost message is accepted, stored for duplicate
	// detection and not delivered. A duplicated one is added twice.
	Lost, Duplicated bool
}

// Message is a snapshot of a message.
type Message struct {
	SequenceNumber int64
	ID             string
	Content        *wire.Message
	State          State
	EnqueuedAt     time.Time
	TimeToLive     time.Duration // 0: it does not expire
	ScheduledFor   time.Time     // zero unless State is Scheduled
	DeliveryCount  int           // failed deliveries
	Locked         bool
	LockToken      wire.UUID // of a locked message
	LockedUntil    time.Time // of a locked message
}

// item is a message in a queue.
type item struct {
	Message
	expiresAt time.Time // zero: never
	reserved  bool
	position  [heaps]int // in each heap; -1: not in it
}

func newItem(m Message) *item {
	it := &item{Message: m}
	for h := range it.position {
		it.position[h] = -1
	}
	return it
}
