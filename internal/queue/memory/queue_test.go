package memory_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/queue/memory"
	"azbackupflow/internal/queue/queuetest"
)

func TestQueue_KeepsContract(t *testing.T) {
	t.Parallel()
	queuetest.Run(t, func(*testing.T) queuetest.Harness {
		var (
			q        memory.Queue
			mu       sync.Mutex
			now      = time.Date(2025, 3, 1, 8, 0, 0, 0, time.UTC)
			received []engine.Message
		)
		clock := func() time.Time {
			mu.Lock()
			defer mu.Unlock()
			return now
		}
		return queuetest.Harness{
			Queue: &q, Now: clock, Tick: time.Second,
			Receive: func(_ *testing.T, wait time.Duration) (queuetest.Delivered, bool) {
				mu.Lock()
				defer mu.Unlock()
				if len(received) == 0 {
					due, ok := q.Next()
					if !ok || due.After(now.Add(wait)) {
						return queuetest.Delivered{}, false
					}
					if due.After(now) {
						now = due
					}
					received = q.Due(now)
				}
				m := received[0]
				received = received[1:]
				return queuetest.Delivered{ID: m.ID, Wakeup: m.Wakeup, At: now}, true
			},
		}
	})
}

func TestQueue_WaitingRemovesNothing(t *testing.T) {
	t.Parallel()
	var q memory.Queue
	at := time.Date(2025, 3, 1, 8, 0, 0, 0, time.UTC)
	require.NoError(t, q.Send(t.Context(), engine.Message{ID: "b", Due: at.Add(time.Minute)}))
	require.NoError(t, q.Send(t.Context(), engine.Message{ID: "a", Due: at}))
	require.NoError(t, q.Send(t.Context(), engine.Message{ID: "c", Due: at.Add(time.Minute)}))
	for range 2 {
		ids := ""
		for _, m := range q.Waiting() {
			ids += m.ID
		}
		require.Equal(t, "abc", ids)
	}
	due, ok := q.Next()
	require.True(t, ok)
	require.Equal(t, at, due)
}

func TestQueue_SendFailsAfterContextEnds(t *testing.T) {
	t.Parallel()
	var q memory.Queue
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, q.Send(ctx, engine.Message{ID: "a"}), context.Canceled)
	require.Empty(t, q.Waiting())
}
