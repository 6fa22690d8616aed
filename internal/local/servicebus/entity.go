package servicebus

import (
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"azbackupflow/internal/local/servicebus/store"
	"azbackupflow/internal/local/servicebus/wire"
)

// entity is a queue with its dead-letter queue, made safe for concurrent use
// and given a clock.
type entity struct {
	name       string
	clock      Clock
	live, dead *node

	mu       sync.Mutex
	timer    Timer // nil: none is set
	timerFor time.Time
	timers   int // counts them, so that a late call knows itself
	closed   bool
}

// node is what a link attaches to: a queue or a dead-letter queue.
type node struct {
	entity *entity
	path   string // the address, with the queue's name as configured
	// queue and waiting are guarded by entity.mu.
	queue   *store.Queue
	waiting map[waiter]struct{}
}

// waiter is told when a node that it found empty has a message.
type waiter interface{ wake() }

func newEntity(name string, settings store.Settings, clock Clock) *entity {
	queue := store.New(settings, newLockToken)
	e := &entity{name: name, clock: clock}
	e.live = &node{entity: e, path: name, queue: queue, waiting: make(map[waiter]struct{})}
	e.dead = &node{entity: e, path: name + "/$DeadLetterQueue", queue: queue.DeadLetter(), waiting: make(map[waiter]struct{})}
	return e
}

func newLockToken() wire.UUID { return wire.UUID(uuid.New()) }

// newMessageID names a message that came without an id: clients rely on one
// being there (the lock renewal of @azure/service-bus does).
func newMessageID() string { return strings.ReplaceAll(uuid.NewString(), "-", "") }

// do runs f with the queue locked and up to date, and then tells those who
// wait for messages and sets the timer.
func (n *node) do(f func(now time.Time, q *store.Queue)) {
	e := n.entity
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.clock.Now()
	e.catchUp(now)
	f(now, n.queue)
	e.settle(now)
}

func (e *entity) catchUp(now time.Time) {
	e.live.queue.Tick(now)
	e.dead.queue.Tick(now)
}

func (e *entity) settle(now time.Time) {
	for _, n := range []*node{e.live, e.dead} {
		if len(n.waiting) > 0 && n.queue.Available() {
			for w := range n.waiting {
				w.wake()
			}
			clear(n.waiting)
		}
	}
	e.arm(now)
}

// arm sets the timer for the next thing to happen by itself. A timer that goes
// off too early does no harm, so one is replaced only by an earlier one.
func (e *entity) arm(now time.Time) {
	next, due := e.live.queue.NextEvent()
	if other, also := e.dead.queue.NextEvent(); also && (!due || other.Before(next)) {
		next, due = other, true
	}
	if !due || e.closed || (e.timer != nil && !next.Before(e.timerFor)) {
		return
	}
	if e.timer != nil {
		e.timer.Stop()
	}
	e.timers++
	number := e.timers
	e.timerFor = next
	e.timer = e.clock.AfterFunc(next.Sub(now), func() { e.timerFired(number) })
}

func (e *entity) timerFired(number int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed || number != e.timers {
		return
	}
	e.timer = nil
	now := e.clock.Now()
	e.catchUp(now)
	e.settle(now)
}

func (e *entity) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	if e.timer != nil {
		e.timer.Stop()
	}
}

// enqueue adds messages and returns their sequence numbers.
func (n *node) enqueue(messages []store.Incoming) (numbers []int64) {
	n.do(func(now time.Time, q *store.Queue) { numbers = q.Enqueue(now, messages) })
	return numbers
}

// reserve takes the first message for w, or has w told when there is one.
func (n *node) reserve(w waiter) (m store.Message, ok bool) {
	n.do(func(_ time.Time, q *store.Queue) {
		if m, ok = q.Reserve(); !ok {
			n.waiting[w] = struct{}{}
		}
	})
	return m, ok
}

// deliver makes a reserved message the receiver's: locked, or removed.
func (n *node) deliver(number int64, remove bool) (m store.Message, ok bool) {
	n.do(func(now time.Time, q *store.Queue) {
		if remove {
			m, ok = q.Take(number)
		} else {
			m, ok = q.Lock(now, number)
		}
	})
	return m, ok
}

// forget makes sure that w is no longer told of messages.
func (n *node) forget(w waiter) {
	n.entity.mu.Lock()
	defer n.entity.mu.Unlock()
	delete(n.waiting, w)
}
