package histories_test

import (
	"context"
	"slices"
	"time"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
)

// Facts of the queue: the lock of a message, the deliveries before it is
// dead-lettered, and the time of duplicate detection.
const (
	messageLock   = 5 * time.Minute
	maxDeliveries = 10
	detectWithin  = 10 * time.Minute
)

// message is a message of the queue.
type message struct {
	sent    engine.Message
	order   int
	visible time.Time
	// count is the number of its deliveries. The lock of the last one is its.
	count  int
	locked bool
	dead   bool
}

// sender is the queue as one process sees it.
type sender struct{ p *process }

// Send implements engine.Queue.
func (s sender) Send(ctx context.Context, m engine.Message) error {
	w := s.p.w
	w.pass(s.p, "send "+w.messageName(m))
	if err := ctx.Err(); err != nil {
		return err
	}
	err := errAway
	switch {
	case w.away("bus"), w.happens(w.plan.torn / 2):
		w.note(s.p, "the queue is unavailable")
	case w.happens(w.plan.torn / 2):
		w.enqueue(m)
		w.note(s.p, "the queue's answer is lost")
	default:
		w.enqueue(m)
		err = nil
	}
	w.pass(s.p, "sent")
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// enqueue adds a message, unless it is lost or a detected duplicate.
func (w *world) enqueue(m engine.Message) {
	copies := 1
	switch {
	case w.plan.detect && time.Since(w.seen[m.ID]) < detectWithin:
		copies = 0
	case w.happens(w.plan.lost):
		w.note(nil, "lost: "+w.messageName(m))
		w.lost++
		copies = 0
	case w.happens(w.plan.doubled):
		copies = 2
	}
	w.seen[m.ID] = time.Now()
	for range copies {
		w.order++
		one := &message{sent: m, order: w.order, visible: later(m.Due, time.Now())}
		w.queue = append(w.queue, one)
		w.at(one.visible, func() {}) // wakes the dispatcher
	}
}

// due returns the message to deliver next; nil if there is none.
func (w *world) due() (next *message) {
	now := time.Now()
	for _, m := range w.queue {
		if m.locked || m.visible.After(now) {
			continue
		}
		if next == nil || m.visible.Before(next.visible) || m.visible.Equal(next.visible) && m.order < next.order {
			next = m
		}
	}
	return next
}

// deliver delivers a message to a process.
func (w *world) deliver(p *process, m *message) {
	m.count++
	m.locked = true
	count := m.count
	release := func(visible time.Time) {
		if m.locked && m.count == count {
			m.locked, m.visible = false, visible
			w.at(visible, func() {})
		}
	}
	until := time.Now().Add(messageLock)
	w.at(until, func() { release(until) })
	i := &invocation{name: "delivery of " + w.messageName(m.sent), operation: m.sent.Wakeup.OperationID}
	i.done = func(err error) {
		switch {
		case !m.locked || m.count != count || err == errCrashed: //nolint:errorlint // the value itself
		case err == nil && w.happens(w.plan.doubled):
			w.note(p, "the completion is lost")
		case err == nil:
			w.queue = slices.DeleteFunc(w.queue, func(q *message) bool { return q == m })
		case m.dead:
			release(time.Now().Add(30 * time.Second))
		case m.count >= maxDeliveries:
			w.note(p, "dead-lettered")
			m.dead, m.count = true, 0
			count = 0
			release(time.Now())
		default:
			release(time.Now())
		}
	}
	wakeup := m.sent.Wakeup
	p.invoke(i, func(ctx context.Context, e *engine.Engine) error {
		if m.dead {
			return e.WakeDeadLettered(ctx, wakeup)
		}
		return e.RunStep(ctx, operation.Delivery{Wakeup: wakeup, Count: count})
	})
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
