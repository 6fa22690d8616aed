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
