package servicebus

import (
	"sync"
	"time"
)

// manualClock is a Clock that advances only when a test advances it.
type manualClock struct {
	mu     sync.Mutex
	now    time.Time
	timers map[*manualTimer]struct{}
}

type manualTimer struct {
	clock *manualClock
	at    time.Time
	call  func()
}

func newManualClock() *manualClock {
	return &manualClock{
		now:    time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		timers: make(map[*manualTimer]struct{}),
	}
}

func (c *manualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *manualClock) AfterFunc(d time.Duration, f func()) Timer {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &manualTimer{clock: c, at: c.now.Add(d), call: f}
	c.timers[t] = struct{}{}
	return t
}

func (t *manualTimer) Stop() bool {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	_, waiting := t.clock.timers[t]
	delete(t.clock.timers, t)
	return waiting
}

// advance advances the clock and makes the calls that are due.
func (c *manualClock) advance(d time.Duration) {
	c.mu.Lock()
	c.now = c.now.Add(d)
	var due []func()
	for t := range c.timers {
		if !t.at.After(c.now) {
			due = append(due, t.call)
			delete(c.timers, t)
		}
	}
	c.mu.Unlock()
	for _, call := range due {
		call()
	}
}
