package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"azbackupflow/bench/internal/harness"
	"azbackupflow/bench/internal/work"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/queue"
	"azbackupflow/internal/settings"
	"azbackupflow/internal/state"
)

// deployed runs azbackupflow with its real clients of Table Storage and Service Bus.
// It receives messages as the Functions host does: in peek-lock mode, with the
// harness.Concurrency of host.json, and completes a message when its step is done.
type deployed struct {
	engine   *engine.Engine
	costs    *requestCounter
	bus      *azservicebus.Client
	receiver *azservicebus.Receiver
	queue    *queue.Queue
	stop     context.CancelFunc
	working  sync.WaitGroup
}

// gatherTime is the time that a receive waits for more messages after its first.
const gatherTime = time.Millisecond

func openDeployed(ctx context.Context, w harness.Env) (harness.Runner, error) {
	options := state.ClientOptions()
	options.PerRetryPolicies = append(options.PerRetryPolicies, policy.Policy(countTables{}))
	tables, err := aztables.NewServiceClientFromConnectionString(w.Job.Tables, options)
	if err != nil {
		return nil, fmt.Errorf("table service: %w", err)
	}
	store, err := state.New(state.Config{Service: tables})
	if err != nil {
		return nil, err
	}
	a := &deployed{costs: newRequestCounter()}
	if a.bus, err = azservicebus.NewClientFromConnectionString(w.Job.Bus, queue.ClientOptions()); err != nil {
		return nil, fmt.Errorf("service bus: %w", err)
	}
	if a.receiver, err = a.bus.NewReceiverForQueue(settings.StepsQueue, nil); err != nil {
		return nil, fmt.Errorf("service bus: %w", err)
	}
	if a.queue, err = queue.New(queue.Config{Client: a.bus, Name: settings.StepsQueue, Now: w.Now}); err != nil {
		return nil, err
	}
	if a.engine, err = newEngine(w, store, countSends{a.queue}, operation.AzureWaits()); err != nil {
		return nil, err
	}
	receiving, stop := context.WithCancel(context.WithoutCancel(ctx))
	a.stop = stop
	a.working.Go(func() { a.receive(receiving) })
	return a, nil
}

func (a *deployed) Start(ctx context.Context, id string) error {
	i := &invocation{kind: accept}
	err := begin(context.WithValue(ctx, invocationKey{}, i), a.engine, id)
	a.costs.add(i)
	if id == work.WarmUp {
		a.costs.reset()
	}
	return err
}

// receive receives messages until the context ends.
func (a *deployed) receive(ctx context.Context) {
	slots := make(chan struct{}, harness.Concurrency)
	for ctx.Err() == nil {
		select {
		case slots <- struct{}{}:
			<-slots
		case <-ctx.Done():
			return
		}
		messages, err := a.receiver.ReceiveMessages(ctx, cap(slots)-len(slots), &azservicebus.ReceiveMessagesOptions{TimeAfterFirstMessage: gatherTime})
		for _, m := range messages {
			slots <- struct{}{}
			a.working.Go(func() {
				defer func() { <-slots }()
				a.process(context.WithoutCancel(ctx), m)
			})
		}
		if err != nil && harness.Pause(ctx, time.Second) != nil {
			return
		}
	}
}

// process runs the step of a message and settles it. A message that cannot be
// settled is redelivered when its lock ends, and its operation counts as late.
func (a *deployed) process(ctx context.Context, m *azservicebus.ReceivedMessage) {
	var wakeup operation.Wakeup
	err := json.Unmarshal(m.Body, &wakeup)
	if err == nil {
		err = runStep(ctx, a.engine, a.costs, operation.Delivery{Wakeup: wakeup, Count: int(m.DeliveryCount)})
	}
	if err != nil {
		_ = a.receiver.AbandonMessage(ctx, m, nil)
		return
	}
	_ = a.receiver.CompleteMessage(ctx, m, nil)
}

func (a *deployed) Cost() *work.Cost { return costOf(a.costs) }

func (a *deployed) Close(ctx context.Context) error {
	a.stop()
	a.working.Wait()
	return errors.Join(a.queue.Close(ctx), a.receiver.Close(ctx), a.bus.Close(ctx))
}
