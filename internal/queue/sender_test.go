package queue

import (
	"context"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/servicebus"
)

func TestSender_ReplacesClosedLink(t *testing.T) {
	t.Parallel()
	broker, err := servicebus.New(servicebus.Config{Queues: []servicebus.QueueConfig{{Name: "steps"}}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, broker.Close()) })
	client, err := azservicebus.NewClientFromConnectionString(broker.ConnectionString(), ClientOptions())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Close(context.Background())) })

	s := &sender{client: client, queue: "steps"}
	require.NoError(t, s.send(t.Context(), &azservicebus.Message{}))
	first, err := s.open()
	require.NoError(t, err)
	require.NoError(t, first.Close(t.Context()))
	require.NoError(t, s.send(t.Context(), &azservicebus.Message{}))
	second, err := s.open()
	require.NoError(t, err)
	require.NotSame(t, first, second)

	s.discard(t.Context(), first)
	third, err := s.open()
	require.NoError(t, err)
	require.Same(t, second, third, "a late discard of the old link keeps the new one")
	require.Len(t, broker.Messages("steps"), 2)
}

// A link that fails for a permanent reason would fail with it after the reason is
// gone.
func TestSender_DropsALinkThatFailed(t *testing.T) {
	t.Parallel()
	broker, err := servicebus.New(servicebus.Config{Queues: []servicebus.QueueConfig{{Name: "steps"}}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, broker.Close()) })
	client, err := azservicebus.NewClientFromConnectionString(broker.ConnectionString(), ClientOptions())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, client.Close(context.Background())) })

	missing := &sender{client: client, queue: "nowhere"}
	require.Error(t, missing.send(t.Context(), &azservicebus.Message{}))
	require.Nil(t, missing.current)

	s := &sender{client: client, queue: "steps"}
	require.NoError(t, s.send(t.Context(), &azservicebus.Message{}))
	link := s.current
	require.ErrorIs(t, s.send(t.Context(), &azservicebus.Message{Body: make([]byte, 2<<20)}), azservicebus.ErrMessageTooLarge)
	require.Same(t, link, s.current, "the link is intact")
}
