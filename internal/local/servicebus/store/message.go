package store

import (
	"time"

	"azbackupflow/internal/local/servicebus/wire"
)

// State is where a message is in its life.
type State int

// The states of a message.
const (
	Active    State = iota // waiting for a receiver, or locked by one
	Scheduled              // waiting for its time
	Deferred               // set aside, to be received by sequence number
)

// String names the state.
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

// Incoming is a message that is being sent.
type Incoming struct {
	ID           string // message id, for duplicate detection
	Content      *wire.Message
	TimeToLive   time.Duration // 0: as the queue says
	ScheduledFor time.Time     // zero or past: at once
	// Lost and Twice are faults: a lost message is accepted, remembered for
	// duplicate detection and never delivered; a doubled one is there twice.
	Lost, Twice bool
}

// Message is a message as it was at one moment.
type Message struct {
	SequenceNumber int64
	ID             string
	Content        *wire.Message
	State          State
	EnqueuedAt     time.Time
	ScheduledFor   time.Time // zero unless State is Scheduled
	DeliveryCount  int       // deliveries that failed
	Locked         bool
	LockToken      wire.UUID // of a locked message
	LockedUntil    time.Time // of a locked message
}

// item is a message in a queue.
type item struct {
	Message
	timeToLive time.Duration
	expiresAt  time.Time // zero: never
	reserved   bool
	position   [heaps]int // in each heap; -1: not in it
}

func newItem(m Message, timeToLive time.Duration) *item {
	it := &item{Message: m, timeToLive: timeToLive}
	for h := range it.position {
		it.position[h] = -1
	}
	return it
}
