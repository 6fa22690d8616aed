package queue_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/local/servicebus"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/queue"
	"azbackupflow/internal/queue/queuetest"
)

func TestServiceBus_KeepsContract(t *testing.T) {
	t.Parallel()
	queuetest.Run(t, func(t *testing.T) queuetest.Harness {
		b := startBus(t)
		q := newQueue(t, b.client, "steps", machineClock, nil)
		t.Cleanup(func() { require.NoError(t, q.Close(context.Background())) })
		return queuetest.Harness{
			Queue: q, Now: machineClock, Tick: 300 * time.Millisecond,
			Receive: func(t *testing.T, wait time.Duration) (queuetest.Delivered, bool) {
				m, ok := b.receive(t, "steps", wait)
				if !ok {
					return queuetest.Delivered{}, false
				}
				d := queuetest.Delivered{ID: m.MessageID, At: machineClock()}
				require.NoError(t, json.Unmarshal(m.Body, &d.Wakeup))
				return d, true
			},
		}
	})
}

func TestQueue_SendsWakeupsAsJSON(t *testing.T) {
	t.Parallel()
	b := startBus(t)
	q := newQueue(t, b.client, "steps", machineClock, nil)
	require.NoError(t, q.Send(t.Context(), engine.Message{ID: "op:1", Wakeup: operation.Wakeup{OperationID: "op", Seq: 1}}))
	m, ok := b.receive(t, "steps", time.Minute)
	require.True(t, ok)
	require.Equal(t, "op:1", m.MessageID)
	require.Equal(t, "application/json", *m.ContentType)
	require.JSONEq(t, `{"operation":"op","seq":1}`, string(m.Body))
}

func TestQueue_RoundsDueTimesUp(t *testing.T) {
	t.Parallel()
	b := startBus(t)
	now := time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
	q := newQueue(t, b.client, "steps", func() time.Time { return now }, nil)
	require.NoError(t, q.Send(t.Context(), engine.Message{ID: "a", Due: now.Add(time.Millisecond + 1)}))
	require.NoError(t, q.Send(t.Context(), engine.Message{ID: "b", Due: now.Add(time.Millisecond)}))
	waiting := b.broker.Messages("steps")
	require.Equal(t, now.Add(2*time.Millisecond), waiting[0].ScheduledEnqueueTime.UTC())
	require.Equal(t, now.Add(time.Millisecond), waiting[1].ScheduledEnqueueTime.UTC())
}

func TestPublisher_SendsProperties(t *testing.T) {
	t.Parallel()
	b := startBus(t)
	p := newPublisher(t, b.client, nil)
	for i := range 3 {
		require.NoError(t, p.Publish(t.Context(), "rejected", fmt.Sprint(i), []byte(`{"flow":"x"}`), map[string]any{"reason": "invalid", "n": int64(i)}))
	}
	for i := range 3 {
		m, ok := b.receive(t, "rejected", time.Minute)
		require.True(t, ok)
		require.Equal(t, fmt.Sprint(i), m.MessageID)
		require.JSONEq(t, `{"flow":"x"}`, string(m.Body))
		require.Equal(t, map[string]any{"reason": "invalid", "n": int64(i)}, m.ApplicationProperties)
	}
	require.NoError(t, p.Close(t.Context()))
	require.NoError(t, p.Publish(t.Context(), "rejected", "4", []byte(`{}`), nil))
	require.NoError(t, p.Close(t.Context()))
}

func TestQueue_RecoversFromLostConnectionAndLink(t *testing.T) {
	t.Parallel()
	b := startBus(t)
	q := newQueue(t, b.client, "steps", machineClock, nil)
	for i, disturb := range []func(){func() {}, b.broker.DropConnections, func() { b.broker.DetachLinks("steps") }} {
		disturb()
		require.NoError(t, q.Send(t.Context(), engine.Message{ID: fmt.Sprint(i)}))
	}
	require.Len(t, b.broker.Messages("steps"), 3)
}

func TestQueue_ReportsUnavailableNamespaceWithinSeconds(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for the retries of the client")
	}
	b := startBus(t)
	q := newQueue(t, b.client, "steps", machineClock, nil)
	require.NoError(t, q.Send(t.Context(), engine.Message{ID: "1"}))
	b.broker.SetAvailable(false)
	began := machineClock()
	require.Error(t, q.Send(t.Context(), engine.Message{ID: "2"}))
	require.Less(t, machineClock().Sub(began), 15*time.Second)
	b.broker.SetAvailable(true)
	require.NoError(t, q.Send(t.Context(), engine.Message{ID: "3"}))
}

func TestQueue_ReportsSilentNamespaceWithinSeconds(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits ten seconds for the timeout")
	}
	silent, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = silent.Close() })
	q := newQueue(t, newClient(t, fmt.Sprintf(
		"Endpoint=sb://%s;SharedAccessKeyName=k;SharedAccessKey=a2V5;UseDevelopmentEmulator=true", silent.Addr())), "steps", machineClock, nil)
	began := machineClock()
	require.Error(t, q.Send(t.Context(), engine.Message{ID: "1"}))
	require.Less(t, machineClock().Sub(began), 15*time.Second)
}

func TestQueue_NamesMissingQueue(t *testing.T) {
	t.Parallel()
	b := startBus(t)
	q := newQueue(t, b.client, "nowhere", machineClock, nil)
	for range 2 {
		require.ErrorContains(t, q.Send(t.Context(), engine.Message{ID: "1"}), "nowhere")
	}
}

func TestPublisher_KeepsLinkAfterTooLargeMessage(t *testing.T) {
	t.Parallel()
	b := startBus(t)
	p := newPublisher(t, b.client, nil)
	require.NoError(t, p.Publish(t.Context(), "rejected", "1", []byte(`{}`), nil))
	require.ErrorIs(t, p.Publish(t.Context(), "rejected", "2", []byte(strings.Repeat("x", 2<<20)), nil), azservicebus.ErrMessageTooLarge)
	require.NoError(t, p.Publish(t.Context(), "rejected", "3", []byte(`{}`), nil))
}

func TestQueue_StopsWithContext(t *testing.T) {
	t.Parallel()
	b := startBus(t)
	q := newQueue(t, b.client, "steps", machineClock, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, q.Send(ctx, engine.Message{ID: "1"}), context.Canceled)
	require.NoError(t, q.Send(t.Context(), engine.Message{ID: "2"}))
}

func TestObserver_SeesEachKindOfSend(t *testing.T) {
	t.Parallel()
	b := startBus(t)
	type sent struct {
		queue  string
		failed bool
	}
	for name, send := range map[string]func(ctx context.Context, o queue.Observer, queue string) error{
		"wake-up": func(ctx context.Context, o queue.Observer, name string) error {
			return newQueue(t, b.client, name, machineClock, o).Send(ctx, engine.Message{ID: "wake-up"})
		},
		"message": func(ctx context.Context, o queue.Observer, name string) error {
			return newPublisher(t, b.client, o).Send(ctx, name, queue.Message{ID: "message", Body: []byte(`{}`)})
		},
		"copy": func(ctx context.Context, o queue.Observer, name string) error {
			return newPublisher(t, b.client, o).Publish(ctx, name, "copy", []byte(`{}`), nil)
		},
		"scheduled message": func(ctx context.Context, o queue.Observer, name string) error {
			return newPublisher(t, b.client, o).Schedule(ctx, machineClock().Add(time.Hour), name, "later", []byte(`{}`), nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var observed []sent
			observe := func(ctx context.Context, queue string) (context.Context, func(error)) {
				return ctx, func(err error) { observed = append(observed, sent{queue, err != nil}) }
			}
			require.NoError(t, send(t.Context(), observe, "rejected"))
			require.Error(t, send(t.Context(), observe, "nowhere"))
			require.Equal(t, []sent{{"rejected", false}, {"nowhere", true}}, observed)
		})
	}
}

func TestNew_ReportsIncompleteConfig(t *testing.T) {
	t.Parallel()
	_, err := queue.New(queue.Config{})
	require.Error(t, err)
	_, err = queue.NewPublisher(queue.PublisherConfig{})
	require.Error(t, err)
}

func newQueue(t *testing.T, client *azservicebus.Client, name string, now func() time.Time, o queue.Observer) *queue.Queue {
	t.Helper()
	q, err := queue.New(queue.Config{Client: client, Name: name, Now: now, Observe: o})
	require.NoError(t, err)
	return q
}

func newPublisher(t *testing.T, client *azservicebus.Client, o queue.Observer) *queue.Publisher {
	t.Helper()
	p, err := queue.NewPublisher(queue.PublisherConfig{Client: client, Observe: o})
	require.NoError(t, err)
	return p
}

// bus is a broker with a client.
type bus struct {
	broker *servicebus.Broker
	client *azservicebus.Client
}

func startBus(t *testing.T) *bus {
	t.Helper()
	broker, err := servicebus.New(servicebus.Config{Queues: []servicebus.QueueConfig{
		{Name: "steps", DuplicateDetectionWindow: time.Minute}, {Name: "rejected"},
	}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, broker.Close()) })
	return &bus{broker: broker, client: newClient(t, broker.ConnectionString())}
}

func newClient(t *testing.T, connection string) *azservicebus.Client {
	t.Helper()
	client, err := azservicebus.NewClientFromConnectionString(connection, queue.ClientOptions())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Close(context.Background())) })
	return client
}

// receive removes one message from the queue.
func (b *bus) receive(t *testing.T, name string, wait time.Duration) (*azservicebus.ReceivedMessage, bool) {
	t.Helper()
	receiver, err := b.client.NewReceiverForQueue(name, &azservicebus.ReceiverOptions{ReceiveMode: azservicebus.ReceiveModeReceiveAndDelete})
	require.NoError(t, err)
	defer func() { require.NoError(t, receiver.Close(context.Background())) }()
	ctx, cancel := context.WithTimeout(t.Context(), wait)
	defer cancel()
	messages, err := receiver.ReceiveMessages(ctx, 1, nil)
	if ctx.Err() != nil && len(messages) == 0 {
		return nil, false
	}
	require.NoError(t, err)
	return messages[0], true
}

// machineClock is the clock that the broker uses too.
func machineClock() time.Time { return time.Now() }
