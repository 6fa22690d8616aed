package servicebus

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The time for one message must not grow with the number of queued messages: all are
// sent before the first is received.
func BenchmarkThroughput(b *testing.B) {
	for _, n := range []int{1000, 5000, 20000} {
		b.Run(fmt.Sprintf("messages=%d", n), func(b *testing.B) {
			for b.Loop() {
				moveMessages(b, n, 8)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/message")
		})
	}
}

func moveMessages(b *testing.B, n, receivers int) {
	b.Helper()
	broker, err := New(Config{Queues: []QueueConfig{{Name: "steps"}}})
	require.NoError(b, err)
	defer func() { assert.NoError(b, broker.Close()) }()
	client, err := azservicebus.NewClientFromConnectionString(broker.ConnectionString(), clientOptions())
	require.NoError(b, err)
	defer func() { assert.NoError(b, client.Close(context.Background())) }()
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	sendMany(b, client, n)

	var completed atomic.Int64
	var group sync.WaitGroup
	for range receivers {
		receiver, err := client.NewReceiverForQueue("steps", nil)
		require.NoError(b, err)
		group.Go(func() {
			for ctx.Err() == nil {
				received, err := receiver.ReceiveMessages(ctx, 50, nil)
				if ctx.Err() == nil {
					assert.NoError(b, err)
				}
				for _, m := range received {
					assert.NoError(b, receiver.CompleteMessage(context.Background(), m, nil))
					if completed.Add(1) == int64(n) {
						cancel()
					}
				}
			}
		})
	}
	group.Wait()
	require.Equal(b, []QueueStats{{Name: "steps"}}, broker.Queues())
}

func sendMany(b *testing.B, client *azservicebus.Client, n int) {
	b.Helper()
	sender, err := client.NewSender("steps", nil)
	require.NoError(b, err)
	for i := 0; i < n; {
		batch, err := sender.NewMessageBatch(b.Context(), nil)
		require.NoError(b, err)
		for ; i < n && batch.NumMessages() < 500; i++ {
			require.NoError(b, batch.AddMessage(message(fmt.Sprint(i)), nil))
		}
		require.NoError(b, sender.SendMessageBatch(b.Context(), batch, nil))
	}
}
