package main

import (
	"context"
	"sync"
	"time"

	"azbackupflow/bench/internal/harness"
	"azbackupflow/bench/internal/work"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	queuememory "azbackupflow/internal/queue/memory"
	"azbackupflow/internal/state/memory"
)

// inMemory runs azbackupflow with state and queue in memory.
type inMemory struct {
	now     func() time.Time
	engine  *engine.Engine
	queue   notifyingQueue
	stop    context.CancelFunc
	working sync.WaitGroup
}

// notifyingQueue signals each send, because it can change which message is due
// first.
type notifyingQueue struct {
	*queuememory.Queue
	sent chan struct{}
}

// Send implements engine.Queue.
func (q notifyingQueue) Send(ctx context.Context, m engine.Message) error {
	if err := q.Queue.Send(ctx, m); err != nil {
		return err
	}
	select {
	case q.sent <- struct{}{}:
	default:
	}
	return nil
}

func openMemory(ctx context.Context, w harness.Env) (harness.Runner, error) {
	m := &inMemory{now: w.Now, queue: notifyingQueue{Queue: &queuememory.Queue{}, sent: make(chan struct{}, 1)}}
	var err error
	if m.engine, err = newEngine(w, memory.New(), m.queue, operation.AzureWaits()); err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	m.stop = stop
	m.working.Go(func() { m.deliver(running) })
	return m, nil
}

func (m *inMemory) Start(ctx context.Context, id string) error { return begin(ctx, m.engine, id) }

// deliver runs the steps of due messages, with the harness.Concurrency of a deployment.
func (m *inMemory) deliver(ctx context.Context) {
	slots := make(chan struct{}, harness.Concurrency)
	costs := newRequestCounter()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		for _, due := range m.queue.Due(m.now()) {
			slots <- struct{}{}
			m.working.Go(func() {
				defer func() { <-slots }()
				d := operation.Delivery{Wakeup: due.Wakeup, Count: 1}
				for runStep(ctx, m.engine, costs, d) != nil && ctx.Err() == nil {
					d.Count++
				}
			})
		}
		if next, waiting := m.queue.Next(); waiting {
			timer.Reset(next.Sub(m.now()))
		}
		select {
		case <-timer.C:
		case <-m.queue.sent:
		case <-ctx.Done():
			return
		}
	}
}

func (m *inMemory) Cost() *work.Cost { return nil }

func (m *inMemory) Close(context.Context) error {
	m.stop()
	m.working.Wait()
	return nil
}
