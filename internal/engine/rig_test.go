package engine_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/flow"
	"azbackupflow/internal/operation"
	queuememory "azbackupflow/internal/queue/memory"
	"azbackupflow/internal/request"
	"azbackupflow/internal/state/memory"
	"azbackupflow/internal/step"
)

// rig is an engine over a store and a queue in memory and a fake Azure. Its clock
// advances only with a test or a wait.
type rig struct {
	t      *testing.T
	clock  *clockwork.FakeClock
	engine *engine.Engine
	rows   *memory.Store
	store  *faultStore
	queue  *queuememory.Queue
	bus    *faultQueue
	azure  *azure
	mail   *mail
	// startsPerItem is the engine's limit. It takes effect at the next deploy.
	startsPerItem int
	// log receives the engine's log from the next deploy on; nil discards it.
	log *slog.Logger

	mu     sync.Mutex
	ids    int
	sleeps []time.Duration
	// dead holds the messages whose ten deliveries failed.
	dead []engine.Message
}

func morning() time.Time { return time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC) }

// newRig returns a rig with the given flows, or with the demo flow.
func newRig(t *testing.T, flows ...func(*azure) step.Flow) *rig {
	t.Helper()
	r := &rig{t: t, clock: clockwork.NewFakeClockAt(morning()), rows: memory.New(), queue: &queuememory.Queue{}}
	r.store = &faultStore{store: r.rows}
	r.bus = &faultQueue{queue: r.queue}
	r.azure = &azure{clock: r.clock.Now}
	r.mail = &mail{}
	r.deploy(flows...)
	return r
}

// deploy starts another version of the program over the same store and queue.
func (r *rig) deploy(flows ...func(*azure) step.Flow) {
	r.t.Helper()
	if len(flows) == 0 {
		flows = append(flows, demo)
	}
	var err error
	r.engine, err = engine.New(engine.Config{
		Store: r.store, Queue: r.bus, Flows: registry(r.t, r.azure, flows...), Waits: operation.AzureWaits(), Tenant: "contoso",
		Now: r.clock.Now, Jitter: func() float64 { return 0 }, NewID: r.newID, Sleep: r.sleep,
		Log: r.log, Notifier: r.mail, Locks: r.rows, StartsPerItem: r.startsPerItem,
	})
	require.NoError(r.t, err)
}

func registry(t *testing.T, a *azure, flows ...func(*azure) step.Flow) *flow.Registry {
	t.Helper()
	bound := make([]step.Flow, len(flows))
	for i, f := range flows {
		bound[i] = f(a)
	}
	b, err := flow.NewRegistry(bound...)
	require.NoError(t, err)
	return b
}

func (r *rig) newID() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ids++
	return fmt.Sprintf("id-%d", r.ids)
}

func (r *rig) sleep(ctx context.Context, d time.Duration) error {
	r.clock.Advance(d)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sleeps = append(r.sleeps, d)
	return ctx.Err()
}

func (r *rig) ctx() context.Context { return r.t.Context() }

func demoRequest() request.Request {
	return request.Request{Flow: "demo", Key: "nightly", Parameters: []byte(`{"share":"s1"}`)}
}

// start starts the demo operation and returns its ID.
func (r *rig) start() string {
	r.t.Helper()
	op, created, err := r.engine.Start(r.ctx(), demoRequest(), engine.Origin{TraceParent: "trace-1"})
	require.NoError(r.t, err)
	require.True(r.t, created)
	return op.ID
}

// operation returns the stored operation.
func (r *rig) operation(id string) operation.Operation {
	r.t.Helper()
	row, err := r.rows.Load(context.WithoutCancel(r.ctx()), id)
	require.NoError(r.t, err)
	return row.Operation
}

func (r *rig) history(id string) (lines []string) {
	r.t.Helper()
	for ev, err := range r.rows.History(r.ctx(), id) {
		require.NoError(r.t, err)
		lines = append(lines, fmt.Sprintf("%d %s %s: %s", ev.Seq, ev.Status, ev.Step, ev.What))
	}
	return lines
}

func (r *rig) live() (ids []string) {
	r.t.Helper()
	for live, err := range r.rows.ListLive(r.ctx()) {
		require.NoError(r.t, err)
		ids = append(ids, live.ID)
	}
	slices.Sort(ids)
	return ids
}

// errDied means that the process ended in the middle of an invocation.
var errDied = errors.New("the process died")

// survive runs a function in a process that the function may end.
func survive(do func() error) error {
	done := make(chan error, 1)
	go func() {
		err := errDied
		defer func() { done <- err }()
		err = do()
	}()
	return <-done
}

// invoke is one invocation by the host.
func (r *rig) invoke(w operation.Wakeup, count int) error {
	return survive(func() error { return r.engine.RunStep(r.ctx(), operation.Delivery{Wakeup: w, Count: count}) })
}

// deliver delivers a message to the host, again at once after each failure, ten
// times at most.
func (r *rig) deliver(m engine.Message) {
	for count := 1; count <= 10; count++ {
		if r.invoke(m.Wakeup, count) == nil {
			return
		}
	}
	r.dead = append(r.dead, m)
}

// next removes the message that is due next from the queue, at its due time.
func (r *rig) next() engine.Message {
	r.t.Helper()
	due, ok := r.queue.Next()
	require.True(r.t, ok, "the queue is empty")
	r.clock.Advance(max(0, due.Sub(r.clock.Now())))
	messages := r.queue.Due(r.clock.Now())
	for _, m := range messages[1:] {
		require.NoError(r.t, r.queue.Send(r.ctx(), m))
	}
	return messages[0]
}

// step delivers the next message.
func (r *rig) step() {
	r.t.Helper()
	r.deliver(r.next())
}

// until delivers messages until the operation is at the step.
func (r *rig) until(id, name string) {
	r.t.Helper()
	for n := 0; r.operation(id).Step != name; n++ {
		require.Less(r.t, n, 100, "the operation never gets to step %s: %v", name, r.history(id))
		r.step()
	}
}

// finish delivers messages in the order of their due times until the queue is
// empty.
func (r *rig) finish() {
	r.t.Helper()
	for n := 0; len(r.queue.Waiting()) > 0; n++ {
		require.Less(r.t, n, 1000, "the queue never empties: %v", r.queue.Waiting()[0])
		r.step()
	}
}

// operate runs the whole program for a while: every minute it delivers due
// messages and wakes dead letters, every five minutes it sweeps.
func (r *rig) operate(d time.Duration) {
	for minute := range int(d / time.Minute) {
		for range 100 {
			due := r.queue.Due(r.clock.Now())
			if len(due) == 0 {
				break
			}
			for _, m := range due {
				r.deliver(m)
			}
		}
		dead := r.dead
		r.dead = nil
		for _, m := range dead {
			if survive(func() error { return r.engine.WakeDeadLettered(r.ctx(), m.Wakeup) }) != nil {
				r.dead = append(r.dead, m)
			}
		}
		if minute%5 == 0 {
			// A failed sweep is repeated five minutes later.
			_ = survive(func() error { _, err := r.engine.Sweep(r.ctx()); return err })
		}
		r.clock.Advance(time.Minute)
	}
}

// requireSucceeded checks that the operation succeeded with one started job, and
// that it was finalized.
func (r *rig) requireSucceeded(id string) {
	r.t.Helper()
	op := r.operation(id)
	require.Equal(r.t, operation.Succeeded, op.Status, "%v\n%v", op.LastError, r.history(id))
	require.Len(r.t, r.azure.jobs, 1, "jobs started: %v", r.history(id))
	require.Empty(r.t, r.live(), "the live marker is removed at the end")
	require.Empty(r.t, r.queue.Waiting())
}
