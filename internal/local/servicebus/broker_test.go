package servicebus

import (
	"context"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/stretchr/testify/require"
)

// clientOptions makes azservicebus retry with short pauses.
func clientOptions() *azservicebus.ClientOptions {
	return &azservicebus.ClientOptions{RetryOptions: azservicebus.RetryOptions{
		MaxRetries: 5, RetryDelay: 10 * time.Millisecond, MaxRetryDelay: 50 * time.Millisecond,
	}}
}

// within limits the time that a test waits for a broker. The limit is long because
// machines are slow; a passing test does not reach it.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func startBroker(t *testing.T, cfg Config) *Broker {
	t.Helper()
	if cfg.Queues == nil && cfg.Topics == nil {
		cfg.Queues = []QueueConfig{{Name: "steps"}}
	}
	b, err := New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

func connect(t *testing.T, b *Broker) *azservicebus.Client {
	t.Helper()
	client, err := azservicebus.NewClientFromConnectionString(b.ConnectionString(), clientOptions())
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close(context.Background()) })
	return client
}

func newSender(t *testing.T, client *azservicebus.Client, queue string) *azservicebus.Sender {
	t.Helper()
	sender, err := client.NewSender(queue, nil)
	require.NoError(t, err)
	return sender
}

func newReceiver(t *testing.T, client *azservicebus.Client, queue string) *azservicebus.Receiver {
	t.Helper()
	receiver, err := client.NewReceiverForQueue(queue, nil)
	require.NoError(t, err)
	return receiver
}

func message(id string) *azservicebus.Message {
	return &azservicebus.Message{MessageID: &id, Body: []byte("body of " + id)}
}

func send(t *testing.T, sender *azservicebus.Sender, ids ...string) {
	t.Helper()
	for _, id := range ids {
		require.NoError(t, sender.SendMessage(within(t), message(id), nil))
	}
}

func receive(t *testing.T, receiver *azservicebus.Receiver) *azservicebus.ReceivedMessage {
	t.Helper()
	ctx := within(t)
	for {
		// The client returns without a message when its link is detached.
		received, err := receiver.ReceiveMessages(ctx, 1, nil)
		require.NoError(t, err)
		if len(received) == 1 {
			return received[0]
		}
	}
}

func TestMessage_ArrivesUnchanged(t *testing.T) {
	t.Parallel()
	b := startBroker(t, Config{})
	client := connect(t, b)
	sender, receiver := newSender(t, client, "steps"), newReceiver(t, client, "steps")
	subject, ttl := "wake", time.Hour
	m := message("m-1")
	m.Subject, m.TimeToLive = &subject, &ttl
	m.ApplicationProperties = map[string]any{"n": int64(7), "s": "text", "b": true}
	require.NoError(t, sender.SendMessage(within(t), m, nil))

	got := receive(t, receiver)
	require.Equal(t, "m-1", got.MessageID)
	require.Equal(t, "body of m-1", string(got.Body))
	require.Equal(t, &subject, got.Subject)
	require.Equal(t, &ttl, got.TimeToLive)
	require.Equal(t, m.ApplicationProperties, got.ApplicationProperties)
	require.EqualValues(t, 1, got.DeliveryCount)
	require.EqualValues(t, 1, *got.SequenceNumber)
	require.NotNil(t, got.EnqueuedTime)
	require.NotNil(t, got.LockedUntil)
	require.NotEqual(t, [16]byte{}, got.LockToken)
	require.NoError(t, receiver.CompleteMessage(within(t), got, nil))
	require.Equal(t, []QueueStats{{Name: "steps"}}, b.Queues())
}
