package clienttest

import (
	"context"
	"sync"
	"time"
)

// Clock is a fake clock. Sleep returns at once, moves the clock, and runs the
// operations that become due meanwhile.
type Clock struct {
	passing func(until time.Time)

	mu    sync.Mutex
	now   time.Time
	slept []time.Duration
}

// Now returns the clock's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Sleep moves the clock, unless the context has ended.
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

// Pass moves the clock and runs the operations that become due.
func (c *Clock) Pass(d time.Duration) {
	until := c.Now().Add(d)
	c.passing(until)
	c.forward(until)
}

// Slept returns the durations of all sleeps.
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
