package main

import (
	"context"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"azbackupflow/internal/connection"
	"azbackupflow/internal/handlers/intake"
	"azbackupflow/internal/notify"
	"azbackupflow/internal/queue"
	"azbackupflow/internal/settings"
	"azbackupflow/internal/state"
)

// messaging is everything that sends messages over Service Bus.
type messaging struct {
	base      *base
	client    *azservicebus.Client
	publisher *queue.Publisher
	steps     *queue.Queue
	notifier  *notify.Notifier
	rejecter  *intake.Rejecter
	// deadRequests and deadSteps read the dead-letter queues.
	deadRequests, deadSteps *queue.DeadLetters
}

func newMessaging(b *base, store *state.Store) (*messaging, error) {
	client, err := connection.ServiceBus(b.lookup, settings.ServiceBusConnection, queue.ClientOptions())
	if err != nil {
		return nil, err
	}
	m := &messaging{base: b, client: client}
	m.publisher, err = queue.NewPublisher(queue.PublisherConfig{Client: client, Observe: b.telemetry.StartSend})
	if err != nil {
		return nil, err
	}
	m.steps, err = queue.New(queue.Config{Client: client, Name: settings.StepsQueue, Now: b.now, Observe: b.telemetry.StartSend})
	if err != nil {
		return nil, err
	}
	m.deadRequests, err = queue.NewDeadLetters(queue.DeadLettersConfig{Client: client, Queue: settings.RequestsQueue})
	if err != nil {
		return nil, err
	}
	m.deadSteps, err = queue.NewDeadLetters(queue.DeadLettersConfig{Client: client, Queue: settings.StepsQueue})
	if err != nil {
		return nil, err
	}
	m.notifier, err = notify.New(notify.Config{
		Destination: b.settings.Notices, ReplyQueues: b.settings.ReplyQueues, Tenant: b.settings.Tenant, Send: m.publisher.Send, Log: b.log,
	})
	if err != nil {
		return nil, err
	}
	m.rejecter, err = intake.NewRejecter(intake.RejecterConfig{
		Record: store.SaveRejected, Publish: m.publisher.Publish, Replies: m.notifier, Keep: b.settings.Retention(), Now: b.now, Log: b.log,
	})
	return m, err
}

// ping checks that the app can send to a queue and, except for rejected, receive
// from it.
func (m *messaging) ping(ctx context.Context, name string) error {
	ctx, done := m.base.telemetry.StartPing(ctx, name)
	err := queue.Ping(ctx, m.client, name, name != settings.RejectedQueue)
	done(err)
	return err
}
