package clienttest

import (
	"context"
	"sync"
	"time"
)

// Clock stands still but for its sleepers: a sleep takes no time, lets the
// clock go on, and has the operations worked on meanwhile.
type Clock struct {
	passing func(until time.Time)

	mu    sync.Mutex
	now   time.Time
	slept []time.Duration
}

// Now is the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Sleep lets the time pass; a context that has ended lets none.
func (c *Clock) Sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	c.slept = append(c.slept, d)
	c.mu.Unlock()
	c.Pass(d)
	return ctx.Err()
}

// Pass lets the time pass.
func (c *Clock) Pass(d time.Duration) {
	until := c.Now().Add(d)
	c.passing(until)
	c.forward(until)
}

// Slept are the sleeps so far.
func (c *Clock) Slept() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]time.Duration(nil), c.slept...)
}

func (c *Clock) forward(to time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if to.After(c.now) {
		c.now = to
	}
}
