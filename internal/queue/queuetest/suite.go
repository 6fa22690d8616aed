// Package queuetest is the contract of a queue of wake-ups as tests: what is
// sent arrives whole, and not before its time.
package queuetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
)

// Delivered is a message as it came out of the queue.
type Delivered struct {
	ID     string
	Wakeup operation.Wakeup
	// At is when it came out, by the clock of Bench.Now.
	At time.Time
}

// Bench is an empty queue and the means to look at what comes out of it.
type Bench struct {
	Queue engine.Queue
	// Now is the clock of the queue; Tick is a wait long enough to be told
	// apart from none on it.
	Now  func() time.Time
	Tick time.Duration
	// Receive takes out one message, as soon as there is one. ok is false when
	// none came within the wait.
	Receive func(t *testing.T, wait time.Duration) (d Delivered, ok bool)
}

// long is a wait that ends only where something is broken.
const long = 30 * time.Second

// Run runs the suite. open gives each test a queue of its own.
func Run(t *testing.T, open func(t *testing.T) Bench) {
	t.Helper()
	for _, test := range []struct {
		name string
		run  func(t *testing.T, b Bench)
	}{
		{"MessageArrivesWhole", arrivesWhole},
		{"MessageArrivesOnce", arrivesOnce},
		{"ScheduledMessageWaitsForItsTime", waitsForItsTime},
		{"MessageDueInThePastIsVisibleAtOnce", dueInThePast},
		{"EarlierMessageOvertakesALaterOne", overtakes},
		{"SecondMessageOfOneIDDoesNoHarm", secondOfOneID},
		{"MessagesSentAtOnceAllArrive", sentAtOnce},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, open(t))
		})
	}
}

func message(b Bench, seq int64, in time.Duration) engine.Message {
	return engine.Message{
		ID:     fmt.Sprintf("op:%d", seq),
		Wakeup: operation.Wakeup{OperationID: "op", Seq: seq},
		Due:    b.Now().Add(in),
	}
}

func send(t *testing.T, b Bench, m engine.Message) {
	t.Helper()
	require.NoError(t, b.Queue.Send(t.Context(), m))
}

func receive(t *testing.T, b Bench) Delivered {
	t.Helper()
	d, ok := b.Receive(t, long)
	require.True(t, ok, "a message must arrive")
	return d
}

func arrivesWhole(t *testing.T, b Bench) {
	m := message(b, 1<<40, 0)
	m.ID = "operation/ü:1"
	m.Wakeup.TraceParent, m.Wakeup.Snoozes, m.Wakeup.Rescue = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", 3, "rescue-2"
	send(t, b, m)
	d := receive(t, b)
	require.Equal(t, m.ID, d.ID)
	require.Equal(t, m.Wakeup, d.Wakeup)
}

func arrivesOnce(t *testing.T, b Bench) {
	send(t, b, message(b, 1, 0))
	receive(t, b)
	_, again := b.Receive(t, b.Tick)
	require.False(t, again)
}

func waitsForItsTime(t *testing.T, b Bench) {
	m := message(b, 1, 2*b.Tick)
	send(t, b, m)
	d := receive(t, b)
	require.False(t, d.At.Before(m.Due), "due at %s, came at %s", m.Due, d.At)
}

func dueInThePast(t *testing.T, b Bench) {
	send(t, b, message(b, 1, -time.Hour))
	m := message(b, 2, 0)
	m.Due = time.Time{}
	send(t, b, m)
	require.ElementsMatch(t, []int64{1, 2}, []int64{receive(t, b).Wakeup.Seq, receive(t, b).Wakeup.Seq})
}

func overtakes(t *testing.T, b Bench) {
	send(t, b, message(b, 1, 2*b.Tick))
	send(t, b, message(b, 2, 0))
	require.EqualValues(t, 2, receive(t, b).Wakeup.Seq)
	require.EqualValues(t, 1, receive(t, b).Wakeup.Seq)
}

// A queue may drop the second message or deliver both; what is sent after them
// arrives either way.
func secondOfOneID(t *testing.T, b Bench) {
	send(t, b, message(b, 1, 0))
	send(t, b, message(b, 1, 0))
	send(t, b, message(b, 2, 0))
	require.EqualValues(t, 1, receive(t, b).Wakeup.Seq)
	d := receive(t, b)
	if d.Wakeup.Seq == 1 {
		d = receive(t, b)
	}
	require.EqualValues(t, 2, d.Wakeup.Seq)
}

func sentAtOnce(t *testing.T, b Bench) {
	const many = 20
	var all sync.WaitGroup
	for i := range many {
		all.Go(func() { assert.NoError(t, b.Queue.Send(t.Context(), message(b, int64(i), 0))) })
	}
	all.Wait()
	seen := map[int64]bool{}
	for range many {
		seen[receive(t, b).Wakeup.Seq] = true
	}
	require.Len(t, seen, many)
}
