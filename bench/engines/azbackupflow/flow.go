package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"azbackupflow/bench/internal/harness"
	"azbackupflow/bench/internal/work"
	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/request"
	"azbackupflow/internal/step"
)

// flowName is the name of the benchmark's flow. The key of an operation is its ID.
const flowName = "bench"

// newEngine returns azbackupflow's engine with a flow that does the benchmark's work
// as the product's flows do: it starts an operation, saves its tracking record, and
// awaits the end.
func newEngine(w harness.Env, store engine.Store, queue engine.Queue, waits operation.Waits) (*engine.Engine, error) {
	made, err := harness.NewCalls(w)
	if err != nil {
		return nil, err
	}
	c := calls{made}
	flows := oneFlow{step.Flow{
		Name: flowName, Version: 1, Deadline: time.Hour,
		Check: func(p json.RawMessage) (json.RawMessage, error) { return p, nil },
		Steps: []step.Step{
			// A PUT is idempotent. A POST would need a claim, which is one more
			// transaction, and which no peer has.
			{Name: "start", Effect: step.Idempotent, Run: c.startStep},
			{Name: "await", Effect: step.Read, Run: c.awaitStep(w)},
		},
	}}
	if n := w.Job.Scenario.Sequential; n > 0 {
		flows.flow.Steps = sequential(w, n)
	}
	return engine.New(engine.Config{
		Store: store, Queue: queue, Flows: flows, Waits: waits, Tenant: "bench",
		Now: w.Now, NewID: uuid.NewString, Sleep: harness.Pause,
		Jitter: rand.Float64,
	})
}

// sequential returns steps that do nothing, one after the other.
func sequential(w harness.Env, n int) []step.Step {
	steps := make([]step.Step, n)
	for i := range steps {
		steps[i] = step.Step{Name: fmt.Sprint("step ", i+1), Effect: step.Read, Run: func(ctx context.Context, s step.Call) (operation.Outcome, error) {
			if i+1 < n {
				return operation.Outcome{Kind: operation.Advance, Pace: operation.PaceNow, Note: "done"}, nil
			}
			invocationOf(ctx).after = func() { w.Ended(s.Operation.Key) }
			return operation.Outcome{Kind: operation.Finish, Note: "done"}, nil
		}}
	}
	return steps
}

// calls are the steps of the flow.
type calls struct{ harness.Calls }

// oneFlow is a registry of one flow. The product's registry would link all flows
// and the Azure SDK.
type oneFlow struct{ flow step.Flow }

// Find implements engine.Flows.
func (f oneFlow) Find(name string, version int) (step.Flow, bool) {
	return f.flow, name == f.flow.Name && version == f.flow.Version
}

// Newest implements engine.Flows.
func (f oneFlow) Newest(name string) (step.Flow, bool) { return f.flow, name == f.flow.Name }

// Names implements engine.Flows.
func (f oneFlow) Names() []string { return []string{f.flow.Name} }

func (c calls) startStep(ctx context.Context, s step.Call) (operation.Outcome, error) {
	invocationOf(ctx).kind = startStep
	submitted, err := c.Bound(s).Submit(ctx, s.Operation.Key, s.AttemptID)
	if err != nil {
		return operation.Outcome{}, err
	}
	return operation.Outcome{Kind: operation.Advance, Tracking: &submitted.Tracking, After: submitted.RetryAfter, Note: "accepted"}, nil
}

func (c calls) awaitStep(w harness.Env) func(context.Context, step.Call) (operation.Outcome, error) {
	return func(ctx context.Context, s step.Call) (operation.Outcome, error) {
		i := invocationOf(ctx)
		p, err := lro.Track(ctx, c.Bound(s).ARM, *s.Operation.Tracking)
		if err != nil {
			return operation.Outcome{}, err
		}
		if p.State == lro.Running {
			i.kind = pollStep
			return operation.Outcome{Kind: operation.Wait, After: p.RetryAfter, Note: "the work"}, nil
		}
		i.kind, i.after = lastStep, func() { w.Ended(s.Operation.Key) }
		return operation.Outcome{Kind: operation.Finish, Note: "the work is done"}, nil
	}
}

// begin starts an operation.
func begin(ctx context.Context, e *engine.Engine, id string) error {
	_, _, err := e.Start(ctx, request.Request{Flow: flowName, Key: id, Parameters: json.RawMessage(`{}`)}, engine.Origin{})
	return err
}

// runStep handles a delivery as the function run-step does, and counts the requests
// to the table service and the bus.
func runStep(ctx context.Context, e *engine.Engine, costs *requestCounter, d operation.Delivery) error {
	i := &invocation{}
	err := e.RunStep(context.WithValue(ctx, invocationKey{}, i), d)
	costs.add(i)
	if err == nil && i.after != nil {
		i.after()
	}
	return err
}

func costOf(costs *requestCounter) *work.Cost {
	c := costs.total()
	return &c
}
