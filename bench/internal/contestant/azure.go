package contestant

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

	"azbackupflow/bench/internal/work"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/queue"
	"azbackupflow/internal/settings"
	"azbackupflow/internal/state"
)

// azure is azbackupflow over its real clients: Table Storage and Service Bus.
// Messages come as the Functions host takes them: peek-lock, as many at once as
// host.json says, completed when the step is done.
type azure struct {
	engine   *engine.Engine
	costs    *ledger
	bus      *azservicebus.Client
	receiver *azservicebus.Receiver
	queue    *queue.Queue
	stop     context.CancelFunc
	working  sync.WaitGroup
}

// gatherTime is how long a receive goes on after its first message.
const gatherTime = time.Millisecond

func openAzure(waits func() operation.Waits) func(context.Context, world) (runner, error) {
	return func(ctx context.Context, w world) (runner, error) {
		options := state.ClientOptions()
		options.PerRetryPolicies = append(options.PerRetryPolicies, policy.Policy(countTables{}))
		tables, err := aztables.NewServiceClientFromConnectionString(w.job.Tables, options)
		if err != nil {
			return nil, fmt.Errorf("table service: %w", err)
		}
		store, err := state.New(state.Config{Service: tables})
		if err != nil {
			return nil, err
		}
		a := &azure{costs: newLedger()}
		if a.bus, err = azservicebus.NewClientFromConnectionString(w.job.Bus, queue.ClientOptions()); err != nil {
			return nil, fmt.Errorf("service bus: %w", err)
		}
		if a.receiver, err = a.bus.NewReceiverForQueue(settings.StepsQueue, nil); err != nil {
			return nil, fmt.Errorf("service bus: %w", err)
		}
		if a.queue, err = queue.New(queue.Config{Client: a.bus, Name: settings.StepsQueue, Now: w.now}); err != nil {
			return nil, err
		}
		if a.engine, err = newEngine(w, store, countSends{a.queue}, waits()); err != nil {
			return nil, err
		}
		receiving, stop := context.WithCancel(context.WithoutCancel(ctx))
		a.stop = stop
		a.working.Go(func() { a.receive(receiving) })
		return a, nil
	}
}

func (a *azure) start(ctx context.Context, id string) error {
	i := &invocation{kind: accept}
	err := begin(context.WithValue(ctx, invocationKey{}, i), a.engine, id)
	a.costs.add(i)
	if id == work.WarmUp {
		a.costs.reset()
	}
	return err
}

// receive takes messages until the context ends.
func (a *azure) receive(ctx context.Context) {
	slots := make(chan struct{}, atOnce)
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
		if err != nil && pause(ctx, time.Second) != nil {
			return
		}
	}
}

// process runs the step of a message and settles it. One that cannot be settled
// comes again when its lock ends, and shows as an operation that is late.
func (a *azure) process(ctx context.Context, m *azservicebus.ReceivedMessage) {
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

func (a *azure) cost() *work.Cost { return costOf(a.costs) }

func (a *azure) close(ctx context.Context) error {
	a.stop()
	a.working.Wait()
	return errors.Join(a.queue.Close(ctx), a.receiver.Close(ctx), a.bus.Close(ctx))
}
