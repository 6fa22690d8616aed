package functionshost

import (
	"context"
	"sync"
)

// gate returns the ready handler to invocations, and blocks them while there is
// none.
type gate struct {
	mu      sync.Mutex
	ready   *worker
	stopped error
	changed chan struct{} // closed and replaced at each change
}

func newGate() *gate { return &gate{changed: make(chan struct{})} }

// open sets the ready worker; nil if there is none.
func (g *gate) open(w *worker) { g.change(func() { g.ready = w }) }

// stop ends all waits, because no worker will be ready again. It keeps the first
// reason.
func (g *gate) stop(reason error) {
	g.change(func() {
		if g.stopped == nil {
			g.stopped = reason
		}
	})
}

func (g *gate) change(change func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	change()
	close(g.changed)
	g.changed = make(chan struct{})
}

// wait returns the ready worker. It blocks until there is one.
func (g *gate) wait(ctx context.Context) (*worker, error) {
	for {
		g.mu.Lock()
		w, stopped, changed := g.ready, g.stopped, g.changed
		g.mu.Unlock()
		if stopped != nil {
			return nil, stopped
		}
		// A worker that ended is replaced, except after exit code 0. Then calls
		// to it fail.
		if w != nil && (w.alive() || w.exit == 0) {
			return w, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
