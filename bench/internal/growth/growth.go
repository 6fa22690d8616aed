// Package growth measures what azbackupflow's program spends on a sweep, a list, a
// start and a poll, with growing numbers of live and of ended operations.
package growth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/google/uuid"

	"azbackupflow/bench/internal/work"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/local/azurite"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/parallel"
	"azbackupflow/internal/request"
	"azbackupflow/internal/state"
	"azbackupflow/internal/state/memory"
	"azbackupflow/internal/step"
)

// Config holds the largest numbers to measure with.
type Config struct {
	// Live is the maximum number of live operations in memory. Azurite gets a tenth.
	Live int
	// Ended is the maximum number of ended operations in memory, with 100 live ones.
	Ended int
	Now   func() time.Time
	// Progress receives one line per measurement.
	Progress io.Writer
}

const (
	minLive      = 10
	liveAtEnded  = 100
	minEnded     = 1000
	samples      = 100 // starts, polls and lists per measurement
	writers      = 16  // concurrent creations
	azuriteShare = 10
	// azuriteLimit keeps a run short where Azurite is slow: it searches a partition
	// from its beginning, so each start costs more than the one before.
	azuriteLimit = 5 * time.Minute
)

// store is the interface of both stores.
type store interface {
	engine.Store
	List(ctx context.Context, q operation.Query) (operation.Page, error)
}

// Measure measures in memory and, if it is installed, with Azurite.
func Measure(ctx context.Context, cfg Config) ([]work.Growth, error) {
	found, err := measure(ctx, cfg, "memory", memory.New(), func() int64 { return 0 }, tens(minLive, cfg.Live), nil)
	if err != nil {
		return nil, err
	}
	ended, err := measure(ctx, cfg, "memory", memory.New(), func() int64 { return 0 }, []int{liveAtEnded}, append([]int{0}, tens(minEnded, cfg.Ended)...))
	if err != nil {
		return nil, err
	}
	found = append(found, ended...)
	tables, err := azurite.New(ctx, azurite.Config{})
	if err != nil {
		_, err = fmt.Fprintf(cfg.Progress, "growth with Azurite SKIPPED: %v\n", err)
		return found, err
	}
	var requests atomic.Int64
	options := state.ClientOptions()
	options.PerRetryPolicies = append(options.PerRetryPolicies, policy.Policy(counting{&requests}))
	service, err := aztables.NewServiceClientFromConnectionString(tables.ConnectionString(), options)
	if err == nil {
		var s *state.Store
		if s, err = state.New(state.Config{Service: service}); err == nil {
			var more []work.Growth
			limited, cancel := context.WithTimeout(ctx, azuriteLimit)
			defer cancel()
			more, err = measure(limited, cfg, "Azurite", s, requests.Load, tens(minLive, cfg.Live/azuriteShare), nil)
			found = append(found, more...)
		}
	}
	if stopErr := tables.Stop(); err == nil {
		err = stopErr
	}
	return found, err
}

// tens returns first, 10 × first, and so on, up to the limit.
func tens(first, limit int) []int {
	var all []int
	for n := first; n <= limit; n *= 10 {
		all = append(all, n)
	}
	return all
}

// counting counts the requests to the table service, retries included.
type counting struct{ n *atomic.Int64 }

// Do implements policy.Policy.
func (c counting) Do(req *policy.Request) (*http.Response, error) {
	c.n.Add(1)
	return req.Next()
}

// discard is a queue that keeps no message: each poll is delivered by the
// measurement itself.
type discard struct{}

// Send implements engine.Queue.
func (discard) Send(ctx context.Context, _ engine.Message) error { return ctx.Err() }

// flows has one flow, which waits.
type flows struct{ flow step.Flow }

// Find implements engine.Flows.
func (f flows) Find(name string, version int) (step.Flow, bool) {
	return f.flow, name == f.flow.Name && version == f.flow.Version
}

// Newest implements engine.Flows.
func (f flows) Newest(name string) (step.Flow, bool) { return f.flow, name == f.flow.Name }

// Names implements engine.Flows.
func (f flows) Names() []string { return []string{f.flow.Name} }

// measurement measures one store.
type measurement struct {
	cfg      Config
	store    store
	engine   *engine.Engine
	requests func() int64
	started  int
	ended    int
}

func measure(ctx context.Context, cfg Config, name string, s store, requests func() int64, live, ended []int) ([]work.Growth, error) {
	m := &measurement{cfg: cfg, store: s, requests: requests}
	var err error
	m.engine, err = engine.New(engine.Config{
		Store: s, Queue: discard{}, Waits: operation.AzureWaits(), Tenant: "bench", Now: cfg.Now, NewID: uuid.NewString, Jitter: rand.Float64,
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		Flows: flows{step.Flow{
			Name: "wait", Version: 1, Deadline: 24 * time.Hour, Check: func(p json.RawMessage) (json.RawMessage, error) { return p, nil },
			Steps: []step.Step{{Name: "await", Effect: step.Read, Run: func(context.Context, step.Call) (operation.Outcome, error) {
				return operation.Outcome{Kind: operation.Wait, After: time.Hour, Note: "the work"}, nil
			}}},
		}},
	})
	if err != nil {
		return nil, err
	}
	if len(ended) == 0 {
		ended = []int{0}
	}
	var found []work.Growth
	for _, l := range live {
		for _, e := range ended {
			g, err := m.at(ctx, name, l, e)
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				_, err := fmt.Fprintf(cfg.Progress, "growth %s: %d live SKIPPED: not done within %s\n", name, l, azuriteLimit)
				return found, err
			}
			if err != nil {
				return nil, fmt.Errorf("growth with %d live and %d ended operations: %w", l, e, err)
			}
			found = append(found, g)
			if _, err := fmt.Fprintf(cfg.Progress, "growth %s: %d live, %d ended: sweep %v and %.2f requests per operation, list %v, start %v, poll %v\n",
				name, l, e, g.Sweep.CPU, g.Sweep.Requests, g.List.CPU, g.Start.CPU, g.Poll.CPU); err != nil {
				return nil, err
			}
		}
	}
	return found, nil
}

// at fills the store up to the numbers and measures. The starts of the measurement
// leave some more operations, which count as live.
func (m *measurement) at(ctx context.Context, name string, live, ended int) (g work.Growth, err error) {
	if err := m.fill(ctx, live, ended); err != nil {
		return g, err
	}
	g = work.Growth{Store: name, Live: live, Ended: ended}
	if g.Sweep, err = m.spent(m.started, func() error {
		_, err := m.engine.Sweep(ctx)
		return err
	}); err != nil {
		return g, err
	}
	if g.List, err = m.spent(samples, func() error {
		for range samples {
			if _, err := m.store.List(ctx, operation.Query{PageSize: 50}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return g, err
	}
	first := m.started
	if g.Start, err = m.spent(samples, func() error {
		for range samples {
			if err := m.start(ctx, m.started); err != nil {
				return err
			}
			m.started++
		}
		return nil
	}); err != nil {
		return g, err
	}
	g.Poll, err = m.spent(samples, func() error {
		for i := range samples {
			wakeup := operation.Wakeup{OperationID: operation.ID("bench", "wait", key(first+i)), Seq: 1}
			if err := m.engine.RunStep(ctx, operation.Delivery{Wakeup: wakeup, Count: 1}); err != nil {
				return err
			}
		}
		return nil
	})
	return g, err
}

func key(n int) string { return fmt.Sprint("operation-", n) }

func (m *measurement) start(ctx context.Context, n int) error {
	_, _, err := m.engine.Start(ctx, request.Request{Flow: "wait", Key: key(n), Parameters: json.RawMessage(`{}`)}, engine.Origin{})
	return err
}

// fill starts and ends operations up to the numbers.
func (m *measurement) fill(ctx context.Context, live, ended int) error {
	group, tasks := parallel.WithContext(ctx)
	group.SetLimit(writers)
	for ; m.started < live; m.started++ {
		n := m.started
		group.Go(func() error { return m.start(tasks, n) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for ; m.ended < ended; m.ended++ {
		if err := m.end(ctx, m.ended); err != nil {
			return err
		}
	}
	return nil
}

// end stores an operation that has ended.
func (m *measurement) end(ctx context.Context, n int) error {
	at := m.cfg.Now()
	op := operation.Operation{
		Identity: operation.Identity{ID: operation.ID("bench", "wait", fmt.Sprint("ended-", n)), Tenant: "bench", Key: fmt.Sprint("ended-", n), Flow: "wait", Version: 1, Parameters: json.RawMessage(`{}`), CreatedAt: at},
		Progress: operation.Progress{Status: operation.Succeeded, Step: "await", Seq: 2, WriteID: "w", UpdatedAt: at, StepStartedAt: at, EndedAt: at},
	}
	row, _, err := m.store.Create(ctx, op, operation.Event{Seq: 2, At: at, Status: op.Status, What: "done", WriteID: "w"})
	if err != nil {
		return err
	}
	return m.store.Finalize(ctx, row)
}

// spent returns what the work costs for each of n operations.
func (m *measurement) spent(n int, do func() error) (work.Spent, error) {
	before, requests := cpu(), m.requests()
	if err := do(); err != nil {
		return work.Spent{}, err
	}
	return work.Spent{CPU: (cpu() - before) / time.Duration(n), Requests: float64(m.requests()-requests) / float64(n)}, nil
}

// cpu returns the CPU time of this process so far.
func cpu() time.Duration {
	var ru syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &ru) != nil {
		return 0
	}
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
}
