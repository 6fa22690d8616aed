package flow_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jonboulle/clockwork"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/flow"
	"azbackupflow/internal/jobcache"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/operation"
	queuememory "azbackupflow/internal/queue/memory"
	"azbackupflow/internal/ratelimit"
	"azbackupflow/internal/request"
	shelves "azbackupflow/internal/state"
	"azbackupflow/internal/state/memory"
)

// fleet is one or more instances of the app, each with its own engine, rate
// limits and job lists, over one store, one queue and one simulated Azure with
// Azure's quotas. Its clock jumps to each second in which a message is due, and
// runs the due messages of one second in parallel.
type fleet struct {
	t         *testing.T
	sim       *armsim.Simulator
	client    *arm.Client
	instances []*engine.Engine
	limiters  []*ratelimit.Limiter
	rows      *memory.Store
	shared    shelves.SharedStore
	queue     *queuememory.Queue
	clock     *clockwork.FakeClock
	keys      int
	// each second, before its due messages run.
	tick func(now time.Time)

	mu   sync.Mutex
	rand *rand.Rand
}

func newFleet(t *testing.T, instances int, c armsim.Config) *fleet {
	t.Helper()
	f := &fleet{t: t, clock: clockwork.NewFakeClockAt(morning()), rows: memory.New(), queue: &queuememory.Queue{}, rand: rand.New(rand.NewPCG(1, 2))}
	f.shared = f.rows
	c.Now, c.Quotas = f.clock.Now, armsim.AzureQuotas()
	var err error
	c.RequireSignedPolls = true
	f.sim, err = armsim.New(c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.sim.Close()) })
	f.client = f.connect(nil)
	for range instances {
		f.add()
	}
	return f
}

func (f *fleet) connect(limiter *ratelimit.Limiter) *arm.Client {
	client, err := arm.New(arm.Config{Endpoint: f.sim.Endpoint(), Credential: credential(f.sim.Token), Now: f.clock.Now, Limiter: limiter})
	require.NoError(f.t, err)
	return client
}

// add starts another instance.
func (f *fleet) add() {
	limiter, err := ratelimit.New(ratelimit.Config{Now: f.clock.Now, Store: shelves.SharedRows{Store: f, Kind: "ratelimit"}})
	require.NoError(f.t, err)
	jobs, err := jobcache.New(jobcache.Config{
		Store: shelves.SharedRows{Store: f, Kind: "jobs"}, Now: f.clock.Now, NewID: f.newID, Waits: operation.AzureWaits(), MinGap: flow.JobPace(limiter),
	})
	require.NoError(f.t, err)
	flows, err := flow.New(flow.Config{
		ARM: f.connect(limiter), Now: f.clock.Now, Guardrails: flow.Guardrails{RestoreTargets: []string{demoContainer}},
		Jobs: jobs,
	})
	require.NoError(f.t, err)
	e, err := engine.New(engine.Config{
		Store: f.rows, Queue: f.queue, Flows: flows, Waits: operation.AzureWaits(), Tenant: "contoso",
		Now: f.clock.Now, Jitter: f.jitter, NewID: f.newID,
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	require.NoError(f.t, err)
	f.instances, f.limiters = append(f.instances, e), append(f.limiters, limiter)
}

// LoadShared implements the store of shared rows over the current f.shared.
func (f *fleet) LoadShared(ctx context.Context, kind, key string) ([]byte, string, error) {
	return f.shared.LoadShared(ctx, kind, key)
}

// SaveShared implements the store of shared rows.
func (f *fleet) SaveShared(ctx context.Context, kind, key string, value []byte, etag string) (string, bool, error) {
	return f.shared.SaveShared(ctx, kind, key, value, etag)
}

func (f *fleet) jitter() float64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.rand.Float64()
}

func (f *fleet) newID() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return fmt.Sprintf("%08x-0000-4000-8000-%012x", f.rand.Uint32(), f.rand.Uint64()>>16)
}

// begin starts an operation and returns its ID.
func (f *fleet) begin(name string, parameters any) string {
	f.t.Helper()
	raw, err := json.Marshal(parameters)
	require.NoError(f.t, err)
	f.keys++
	op, _, err := f.instances[f.keys%len(f.instances)].Start(f.t.Context(),
		request.Request{Flow: name, Key: fmt.Sprint(f.keys), Parameters: raw}, engine.Origin{})
	require.NoError(f.t, err)
	return op.ID
}

// run delivers messages until none is left or the time has come.
func (f *fleet) run(until time.Time) {
	f.t.Helper()
	for {
		due, ok := f.queue.Next()
		if !ok || due.After(until) {
			return
		}
		second := due.Truncate(time.Second)
		if second.Before(due) {
			second = second.Add(time.Second)
		}
		if wait := second.Sub(f.clock.Now()); wait > 0 {
			f.clock.Advance(wait)
		}
		if f.tick != nil {
			f.tick(f.clock.Now())
		}
		var group errgroup.Group
		group.SetLimit(4)
		for i, m := range f.queue.Due(f.clock.Now()) {
			group.Go(func() error {
				return f.instances[i%len(f.instances)].RunStep(f.t.Context(), operation.Delivery{Wakeup: m.Wakeup, Count: 1})
			})
		}
		require.NoError(f.t, group.Wait())
	}
}

func (f *fleet) operation(id string) operation.Operation {
	f.t.Helper()
	row, err := f.rows.Load(f.t.Context(), id)
	require.NoError(f.t, err)
	return row.Operation
}

// story returns an operation's history as text.
func (f *fleet) story(id string) string {
	var b strings.Builder
	for ev, err := range f.rows.History(f.t.Context(), id) {
		require.NoError(f.t, err)
		fmt.Fprintf(&b, "%s %s: %s %v\n", ev.At.Format("15:04:05"), ev.Step, ev.What, ev.Err)
	}
	return b.String()
}

// requests returns the simulator's requests of a kind, and how many were
// throttled.
func (f *fleet) requests(kind string) (all []armsim.Request, throttled []time.Time) {
	for _, r := range f.sim.Requests() {
		if r.Kind == kind {
			all = append(all, r)
			if r.Status == http.StatusTooManyRequests {
				throttled = append(throttled, r.Time)
			}
		}
	}
	return all, throttled
}

// vaultsOfMachines returns a world of vaults that protect machines.
func vaultsOfMachines(vaults, machines int) *armsim.World {
	w := armsim.DemoWorld()
	first := w.Vaults[0]
	w.VirtualMachines, w.Databases = nil, nil
	for v := range vaults {
		vault := first
		if v > 0 {
			vault.Name = fmt.Sprintf("vault%d", v)
			w.Vaults = append(w.Vaults, vault)
		}
		for m := range machines {
			w.VirtualMachines = append(w.VirtualMachines, armsim.VirtualMachine{
				Subscription: vault.Subscription, ResourceGroup: "machines", Name: fmt.Sprintf("vm-%d-%04d", v, m),
				Vault: vault.ID(), Policy: "DefaultPolicy",
			})
		}
	}
	return &w
}
