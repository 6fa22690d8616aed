package store

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/servicebus/wire"
)

func start() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

func newTestQueue(s Settings) *Queue {
	if s.LockDuration == 0 {
		s.LockDuration = time.Minute
	}
	if s.MaxDeliveryCount == 0 {
		s.MaxDeliveryCount = 3
	}
	tokens := uint64(0)
	return New(s, func() (t wire.UUID) {
		tokens++
		binary.BigEndian.PutUint64(t[8:], tokens)
		return t
	})
}

func incoming(ids ...string) []Incoming {
	list := make([]Incoming, len(ids))
	for i, id := range ids {
		list[i] = Incoming{ID: id, Content: &wire.Message{}}
	}
	return list
}

func lockNext(t *testing.T, q *Queue, now time.Time) Message {
	t.Helper()
	m, ok := q.Reserve()
	require.True(t, ok)
	m, ok = q.Lock(now, m.SequenceNumber)
	require.True(t, ok)
	return m
}

func idsOf(messages []Message) []string {
	list := []string{}
	for _, m := range messages {
		list = append(list, m.ID)
	}
	return list
}

func TestReserve_KeepsTheOrderOfSending(t *testing.T) {
	t.Parallel()
	q := newTestQueue(Settings{})
	require.Equal(t, []int64{1, 2, 3}, q.Enqueue(start(), incoming("a", "b", "c")))
	a := lockNext(t, q, start())
	require.Equal(t, "b", lockNext(t, q, start()).ID)
	require.NoError(t, q.Abandon(start(), a.LockToken, nil))
	require.Equal(t, "a", lockNext(t, q, start()).ID, "an abandoned message keeps its place")
	require.Equal(t, "c", lockNext(t, q, start()).ID)
	require.False(t, q.Available())
	require.Equal(t, Counts{Active: 3, Locked: 3}, q.Count())
}

func TestTake_RemovesAReservedMessageOnce(t *testing.T) {
	t.Parallel()
	q := newTestQueue(Settings{})
	q.Enqueue(start(), incoming("a"))
	m, ok := q.Reserve()
	require.True(t, ok)
	require.Zero(t, m.DeliveryCount)
	require.False(t, q.Available())
	_, ok = q.Take(m.SequenceNumber)
	require.True(t, ok)
	_, ok = q.Take(m.SequenceNumber)
	require.False(t, ok, "it is no longer reserved")
	_, ok = q.Lock(start(), m.SequenceNumber)
	require.False(t, ok)
	require.Empty(t, q.All())
}

func TestLockToken_SettlesOnceAndBeforeExpiry(t *testing.T) {
	t.Parallel()
	q := newTestQueue(Settings{})
	q.Enqueue(start(), incoming("a", "b"))
	a, b := lockNext(t, q, start()), lockNext(t, q, start())
	require.NoError(t, q.Complete(start(), a.LockToken))
	late := start().Add(time.Minute)
	for name, settle := range map[string]func(wire.UUID) error{
		"complete":    func(u wire.UUID) error { return q.Complete(late, u) },
		"abandon":     func(u wire.UUID) error { return q.Abandon(late, u, nil) },
		"release":     func(u wire.UUID) error { return q.Release(late, u) },
		"defer":       func(u wire.UUID) error { return q.Defer(late, u, nil) },
		"dead-letter": func(u wire.UUID) error { return q.DeadLetter(late, u, nil) },
		"renew":       func(u wire.UUID) error { _, err := q.Renew(late, u); return err },
	} {
		require.ErrorIs(t, settle(a.LockToken), ErrLockLost, name)
		require.ErrorIs(t, settle(b.LockToken), ErrLockLost, name)
	}
}

func TestTick_AppliesDueEventsAtNextEvent(t *testing.T) {
	t.Parallel()
	q := newTestQueue(Settings{DeadLetterOnExpiration: true})
	_, due := q.NextEvent()
	require.False(t, due)
	later := incoming("later")
	later[0].ScheduledFor = start().Add(3 * time.Hour)
	short := incoming("short")
	short[0].TimeToLive = 2 * time.Hour
	q.Enqueue(start(), append(later, incoming("held")...))
	q.Enqueue(start(), short)
	require.Equal(t, "held", lockNext(t, q, start()).ID)

	for _, step := range []struct {
		after time.Duration
		live  Counts
		dead  int
	}{
		{time.Minute, Counts{Active: 2, Scheduled: 1}, 0},   // the lock expires
		{2 * time.Hour, Counts{Active: 1, Scheduled: 1}, 1}, // short expires
		{3 * time.Hour, Counts{Active: 2}, 1},               // later becomes active
	} {
		at, due := q.NextEvent()
		require.True(t, due)
		require.Equal(t, start().Add(step.after), at)
		q.Tick(at.Add(-1))
		same, _ := q.NextEvent()
		require.Equal(t, at, same, "too early, nothing happens")
		q.Tick(at)
		require.Equal(t, step.live, q.Count())
		require.Len(t, q.DeadLetterQueue().All(), step.dead)
	}
	_, due = q.NextEvent()
	require.False(t, due)
	require.Equal(t, []string{"held", "later"}, idsOf(q.All()))
}

func TestExpiry_WaitsForTheLock(t *testing.T) {
	t.Parallel()
	q := newTestQueue(Settings{})
	in := incoming("a")
	in[0].TimeToLive = time.Second
	q.Enqueue(start(), in)
	m := lockNext(t, q, start())
	now := start().Add(30 * time.Second)
	q.Tick(now)
	require.Len(t, q.All(), 1, "a locked message does not expire")
	require.NoError(t, q.Release(now, m.LockToken))
	q.Tick(now)
	require.Empty(t, q.All())
	require.Empty(t, q.DeadLetterQueue().All(), "dropped, not dead-lettered")
}

func TestDeliveryCount_LeadsToDeadLettering(t *testing.T) {
	t.Parallel()
	q := newTestQueue(Settings{MaxDeliveryCount: 2})
	q.Enqueue(start(), incoming("a"))
	released := lockNext(t, q, start())
	require.NoError(t, q.Release(start(), released.LockToken))
	now := start()
	for n := range 2 {
		m := lockNext(t, q, now)
		require.Equal(t, n, m.DeliveryCount)
		now = now.Add(time.Minute)
		q.Tick(now)
	}
	require.Empty(t, q.All())
	dead := q.DeadLetterQueue().All()
	require.Equal(t, []string{"a"}, idsOf(dead))
	require.EqualValues(t, 1, dead[0].SequenceNumber)
	require.Equal(t, start(), dead[0].EnqueuedAt)
	require.Equal(t, 2, dead[0].DeliveryCount)
	require.Equal(t, wire.String(ReasonMaxDeliveryCount), dead[0].Content.ApplicationProperties.Get("DeadLetterReason"))

	for range 5 {
		m := lockNext(t, q.DeadLetterQueue(), now)
		require.Equal(t, 2, m.DeliveryCount)
		require.ErrorIs(t, q.DeadLetterQueue().DeadLetter(now, m.LockToken, nil), ErrAlreadyDeadLettered)
		require.NoError(t, q.DeadLetterQueue().Abandon(now, m.LockToken, nil))
	}
}

func TestEnqueue_DropsDuplicatesWithinTheWindow(t *testing.T) {
	t.Parallel()
	q := newTestQueue(Settings{DuplicateDetectionWindow: time.Minute})
	q.Enqueue(start(), incoming("a", "a", "", ""))
	require.Equal(t, []string{"a", "", ""}, idsOf(q.All()), "no id, no duplicate")
	q.Enqueue(start().Add(59*time.Second), incoming("a"))
	require.Len(t, q.All(), 3)
	q.Enqueue(start().Add(60*time.Second), incoming("a"))
	require.Len(t, q.All(), 4, "a repetition does not extend the window")
	require.Len(t, q.duplicates.seen, 1, "old ids are forgotten")
}

func TestEnqueue_FaultsLoseAndDuplicate(t *testing.T) {
	t.Parallel()
	q := newTestQueue(Settings{DuplicateDetectionWindow: time.Minute})
	in := incoming("lost", "twice")
	in[0].Lost, in[1].Duplicated = true, true
	q.Enqueue(start(), in)
	q.Enqueue(start(), incoming("lost"))
	require.Equal(t, []string{"twice", "twice"}, idsOf(q.All()))
}

func TestState_HasAName(t *testing.T) {
	t.Parallel()
	require.Equal(t, "active scheduled deferred unknown",
		fmt.Sprint(Active, " ", Scheduled, " ", Deferred, " ", State(9)))
}

func TestEnqueue_TimeToLiveIsAtMostThatOfTheQueue(t *testing.T) {
	t.Parallel()
	q := newTestQueue(Settings{DefaultTimeToLive: time.Minute})
	in := incoming("long", "short", "none")
	in[0].TimeToLive, in[1].TimeToLive = time.Hour, time.Second
	q.Enqueue(start(), in)
	q.Tick(start().Add(30 * time.Second))
	require.Equal(t, []string{"long", "none"}, idsOf(q.All()))
	q.Tick(start().Add(time.Minute))
	require.Empty(t, q.All())
}

func TestEnqueue_ScheduledForThePastIsAvailable(t *testing.T) {
	t.Parallel()
	q := newTestQueue(Settings{})
	in := incoming("past", "now")
	in[0].ScheduledFor, in[1].ScheduledFor = start().Add(-time.Hour), start()
	q.Enqueue(start(), in)
	require.Equal(t, Counts{Active: 2}, q.Count())
}
