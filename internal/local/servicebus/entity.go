package servicebus

import (
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"azbackupflow/internal/local/servicebus/store"
	"azbackupflow/internal/local/servicebus/wire"
)

// entity is a queue, a topic or a subscription. It adds a lock and a clock to the
// stores of its messages. An operation that locks a topic and its subscriptions locks
// the topic first.
type entity struct {
	name  string // the path, as configured
	clock Clock
	live  *node
	dead  *node // nil for a topic

	mu            sync.Mutex
	subscriptions []*entity // of a topic
	rules         *rules    // of a subscription; nil: a queue or a topic
	topic         bool
	timer         Timer // nil: none is set
	timerFor      time.Time
	timers        int // number of timers so far, by which a late call recognizes itself
	closed        bool
}

// node is the target of a link: the messages of an entity, or its dead-letter queue.
type node struct {
	entity *entity
	path   string // the address, with the name as configured
	// queue and waiting are guarded by entity.mu.
	queue   *store.Queue
	waiting map[waiter]struct{}
}

// waiter is woken when a node that it found empty has a message.
type waiter interface{ wake() }

func newQueue(name string, settings store.Settings, clock Clock) *entity {
	queue := store.New(settings, newLockToken)
	e := &entity{name: name, clock: clock}
	e.live = &node{entity: e, path: name, queue: queue, waiting: make(map[waiter]struct{})}
	e.dead = &node{entity: e, path: name + "/$DeadLetterQueue", queue: queue.DeadLetterQueue(), waiting: make(map[waiter]struct{})}
	return e
}

// newTopic returns a topic. Its queue holds scheduled messages until they are due;
// all others are forwarded at once.
func newTopic(name string, settings store.Settings, subscriptions []*entity, clock Clock) *entity {
	e := newQueue(name, settings, clock)
	e.topic, e.subscriptions, e.dead = true, subscriptions, nil
	return e
}

func newSubscription(topic, name string, settings store.Settings, r *rules, clock Clock) *entity {
	e := newQueue(topic+"/Subscriptions/"+name, settings, clock)
	e.rules = r
	return e
}

func newLockToken() wire.UUID { return wire.UUID(uuid.New()) }

// newMessageID returns the id of a message that was sent without one. The lock
// renewal of @azure/service-bus requires an id.
func newMessageID() string { return strings.ReplaceAll(uuid.NewString(), "-", "") }

// nodes returns the nodes of the entity.
func (e *entity) nodes() []*node {
	if e.dead == nil {
		return []*node{e.live}
	}
	return []*node{e.live, e.dead}
}

// do runs f with the queue locked and its due events applied. Then it wakes the
// waiters and sets the timer.
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
	for _, n := range e.nodes() {
		n.queue.Tick(now)
	}
}

func (e *entity) settle(now time.Time) {
	if e.topic {
		e.forward()
	}
	for _, n := range e.nodes() {
		if len(n.waiting) > 0 && n.queue.Available() {
			for w := range n.waiting {
				w.wake()
			}
			clear(n.waiting)
		}
	}
	e.arm(now)
}

// forward moves the messages of a topic to the subscriptions whose rules match, in as
// many copies as the rules make.
func (e *entity) forward() {
	for {
		m, found := e.live.queue.Reserve()
		if !found {
			return
		}
		m, found = e.live.queue.Take(m.SequenceNumber)
		if !found {
			continue
		}
		for _, s := range e.subscriptions {
			s.live.do(func(now time.Time, q *store.Queue) {
				for _, content := range s.rules.copies(m) {
					q.Enqueue(now, []store.Incoming{{ID: content.MessageID(), Content: content, TimeToLive: m.TimeToLive}})
				}
			})
		}
	}
}

// arm sets the timer for the next event. It replaces a timer only by an earlier one,
// because a timer that fires too early is harmless.
func (e *entity) arm(now time.Time) {
	var next time.Time
	due := false
	for _, n := range e.nodes() {
		if at, also := n.queue.NextEvent(); also && (!due || at.Before(next)) {
			next, due = at, true
		}
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

// reserve reserves the first message for w. Without a message, it wakes w when there
// is one.
func (n *node) reserve(w waiter) (m store.Message, ok bool) {
	n.do(func(_ time.Time, q *store.Queue) {
		if m, ok = q.Reserve(); !ok {
			n.waiting[w] = struct{}{}
		}
	})
	return m, ok
}

// deliver locks a reserved message for the receiver, or removes it.
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

// forget removes w from the waiters.
func (n *node) forget(w waiter) {
	n.entity.mu.Lock()
	defer n.entity.mu.Unlock()
	delete(n.waiting, w)
}
