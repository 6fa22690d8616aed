package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/servicebus/wire"
)

func TestTakeDeferred_AllOrNone(t *testing.T) {
	t.Parallel()
	q := newTestQueue(Settings{})
	q.Enqueue(start(), incoming("a", "b", "c"))
	for range 2 {
		require.NoError(t, q.Defer(start(), lockNext(t, q, start()).LockToken, nil))
	}
	require.Equal(t, Counts{Active: 1, Deferred: 2}, q.Count())
	_, err := q.TakeDeferred(start(), []int64{1, 3}, true)
	require.ErrorIs(t, err, ErrNotFound, "c is not deferred")
	taken, err := q.TakeDeferred(start(), []int64{1, 1}, true)
	require.NoError(t, err)
	require.Equal(t, []string{"a"}, idsOf(taken))
	_, err = q.TakeDeferred(start(), []int64{1}, true)
	require.ErrorIs(t, err, ErrNotFound, "a is locked")
	require.Equal(t, Counts{Active: 1, Deferred: 2, Locked: 1}, q.Count())

	require.NoError(t, q.Defer(start(), taken[0].LockToken, nil))
	taken, err = q.TakeDeferred(start(), []int64{1, 2}, false)
	require.NoError(t, err)
	require.Len(t, taken, 2)
	require.Equal(t, Counts{Active: 1}, q.Count())
}

func TestDefer_SurvivesReleaseAbandonAndLockExpiry(t *testing.T) {
	t.Parallel()
	q := newTestQueue(Settings{MaxDeliveryCount: 2})
	q.Enqueue(start(), incoming("a"))
	require.NoError(t, q.Defer(start(), lockNext(t, q, start()).LockToken, nil))
	now := start()
	for _, giveBack := range []func(wire.UUID) error{
		func(u wire.UUID) error { return q.Release(now, u) },
		func(u wire.UUID) error { return q.Abandon(now, u, nil) },
		func(wire.UUID) error { now = now.Add(time.Minute); q.Tick(now); return nil },
		func(u wire.UUID) error { return q.Abandon(now, u, nil) },
	} {
		taken, err := q.TakeDeferred(now, []int64{1}, true)
		require.NoError(t, err)
		require.NoError(t, giveBack(taken[0].LockToken))
		require.Equal(t, Counts{Deferred: 1}, q.Count())
	}
	require.Equal(t, 3, q.All()[0].DeliveryCount)
}

func TestCancel_AllOrNone(t *testing.T) {
	t.Parallel()
	q := newTestQueue(Settings{})
	in := incoming("a", "b", "now")
	in[0].ScheduledFor, in[1].ScheduledFor = start().Add(time.Hour), start().Add(time.Hour)
	numbers := q.Enqueue(start(), in)
	require.ErrorIs(t, q.Cancel(numbers), ErrNotFound)
	require.Equal(t, 2, q.Count().Scheduled)
	require.NoError(t, q.Cancel(numbers[:2]))
	require.Equal(t, []string{"now"}, idsOf(q.All()))
	require.ErrorIs(t, q.Cancel(numbers[:1]), ErrNotFound)
}

func TestSchedule_SameTimeKeepsTheOrder(t *testing.T) {
	t.Parallel()
	q := newTestQueue(Settings{})
	in := incoming("a", "b", "c", "d")
	for i := range in {
		in[i].ScheduledFor = start().Add(time.Hour)
	}
	q.Enqueue(start(), in)
	q.Tick(start().Add(time.Hour))
	require.Equal(t, []string{"a", "b", "c", "d"}, idsOf(q.All()))
	require.EqualValues(t, 5, q.All()[0].SequenceNumber)
}

func TestPeek_SkipsRemovedMessages(t *testing.T) {
	t.Parallel()
	q := newTestQueue(Settings{})
	const n = 1000
	for i := range n {
		q.Enqueue(start(), incoming(fmt.Sprint(i)))
	}
	for i := range n {
		m := lockNext(t, q, start())
		if i%10 != 0 {
			require.NoError(t, q.Complete(start(), m.LockToken))
		}
	}
	require.Equal(t, []string{"500", "510"}, idsOf(q.Peek(493, 2)))
	require.Len(t, q.All(), n/10)
	require.LessOrEqual(t, len(q.order.numbers), n/5+64, "numbers that have left do not pile up")
}

// Messages are dead-lettered out of order, but listed in order.
func TestDeadLetterQueue_IsOrderedBySequenceNumber(t *testing.T) {
	t.Parallel()
	q := newTestQueue(Settings{})
	q.Enqueue(start(), incoming("a", "b", "c"))
	var held []Message
	for range 3 {
		held = append(held, lockNext(t, q, start()))
	}
	for _, i := range []int{2, 0, 1} {
		require.NoError(t, q.DeadLetter(start(), held[i].LockToken, DeadLetterProperties("why", "")))
	}
	require.Equal(t, []string{"a", "b", "c"}, idsOf(q.DeadLetterQueue().All()))
	require.Equal(t, "a", lockNext(t, q.DeadLetterQueue(), start()).ID)
}

// The time for one message must not grow with the number of messages.
func BenchmarkQueue(b *testing.B) {
	for _, n := range []int{1000, 20_000, 200_000} {
		b.Run(fmt.Sprintf("messages=%d", n), func(b *testing.B) {
			for b.Loop() {
				q := newTestQueue(Settings{DefaultTimeToLive: time.Hour, DuplicateDetectionWindow: time.Hour})
				now := start()
				for i := range n {
					in := incoming(fmt.Sprint(i))
					in[0].ScheduledFor = now.Add(time.Duration(i%100) * time.Second)
					q.Enqueue(now, in)
				}
				now = now.Add(10 * time.Minute)
				q.Tick(now)
				for range n {
					m, _ := q.Reserve()
					m, _ = q.Lock(now, m.SequenceNumber)
					if q.Complete(now, m.LockToken) != nil {
						b.Fatal("the lock is lost")
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/message")
		})
	}
}
