package functionshost

import (
	"context"
	"sync"
)

// gate hands the handler that is ready to whoever has an invocation for it, and
// lets invocations wait while there is none.
type gate struct {
	mu      sync.Mutex
	ready   *worker
	stopped error
	changed chan struct{} // closed and replaced at each change
}

func newGate() *gate { return &gate{changed: make(chan struct{})} }

// open says that a worker is ready; nil says that none is.
func (g *gate) open(w *worker) { g.change(func() { g.ready = w }) }

// stop says that there will be none any more. The first reason stays.
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

// wait returns a worker that is ready, waiting for one if need be.
func (g *gate) wait(ctx context.Context) (*worker, error) {
	for {
		g.mu.Lock()
		w, stopped, changed := g.ready, g.stopped, g.changed
		g.mu.Unlock()
		if stopped != nil {
			return nil, stopped
		}
		// A worker that died just now will be replaced; one that ended by
		// itself with 0 stays, and calls to it fail.
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
