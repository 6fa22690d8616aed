// Package queuetest tests the contract of a queue of wake-ups: messages arrive
// complete, and not before their due time. Each implementation of engine.Queue
// runs it.
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

// Delivered is a message that was received from the queue.
type Delivered struct {
	ID     string
	Wakeup operation.Wakeup
	// At is the time of receipt by the clock of Harness.Now.
	At time.Time
}

// Harness is an empty queue and a way to receive from it.
type Harness struct {
	Queue engine.Queue
	// Now is the clock of the queue. Tick is a wait that is long enough to
	// measure on it.
	Now  func() time.Time
	Tick time.Duration
	// Receive removes one message as soon as there is one. ok is false if none
	// arrived within the wait.
	Receive func(t *testing.T, wait time.Duration) (d Delivered, ok bool)
}

// maxWait limits the wait for a message that must arrive.
const maxWait = 30 * time.Second

// Run runs the suite. open returns a new queue for each test.
func Run(t *testing.T, open func(t *testing.T) Harness) {
	t.Helper()
	for _, test := range []struct {
		name string
		run  func(t *testing.T, h Harness)
	}{
		{"a message arrives complete", arrivesComplete},
		{"a message arrives once", arrivesOnce},
		{"a scheduled message waits for its due time", waitsForItsTime},
		{"a message due in the past is visible at once", dueInThePast},
		{"an earlier message overtakes a later one", overtakes},
		{"a second message with the same ID does no harm", secondWithSameID},
		{"messages sent concurrently all arrive", sentConcurrently},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, open(t))
		})
	}
}

func message(h Harness, seq int64, in time.Duration) engine.Message {
	return engine.Message{
		ID:     fmt.Sprintf("op:%d", seq),
		Wakeup: operation.Wakeup{OperationID: "op", Seq: seq},
		Due:    h.Now().Add(in),
	}
}

func send(t *testing.T, h Harness, m engine.Message) {
	t.Helper()
	require.NoError(t, h.Queue.Send(t.Context(), m))
}

func receive(t *testing.T, h Harness) Delivered {
	t.Helper()
	d, ok := h.Receive(t, maxWait)
	require.True(t, ok, "a message must arrive")
	return d
}

func arrivesComplete(t *testing.T, h Harness) {
	m := message(h, 1<<40, 0)
	m.ID = "operation/ü:1"
	m.Wakeup.TraceParent, m.Wakeup.Snoozes, m.Wakeup.Rescue = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", 3, "rescue-2"
	send(t, h, m)
	d := receive(t, h)
	require.Equal(t, m.ID, d.ID)
	require.Equal(t, m.Wakeup, d.Wakeup)
}

func arrivesOnce(t *testing.T, h Harness) {
	send(t, h, message(h, 1, 0))
	receive(t, h)
	_, again := h.Receive(t, h.Tick)
	require.False(t, again)
}

func waitsForItsTime(t *testing.T, h Harness) {
	m := message(h, 1, 2*h.Tick)
	send(t, h, m)
	d := receive(t, h)
	require.False(t, d.At.Before(m.Due), "due at %s, arrived at %s", m.Due, d.At)
}

func dueInThePast(t *testing.T, h Harness) {
	send(t, h, message(h, 1, -time.Hour))
	m := message(h, 2, 0)
	m.Due = time.Time{}
	send(t, h, m)
	require.ElementsMatch(t, []int64{1, 2}, []int64{receive(t, h).Wakeup.Seq, receive(t, h).Wakeup.Seq})
}

func overtakes(t *testing.T, h Harness) {
	send(t, h, message(h, 1, 2*h.Tick))
	send(t, h, message(h, 2, 0))
	require.EqualValues(t, 2, receive(t, h).Wakeup.Seq)
	require.EqualValues(t, 1, receive(t, h).Wakeup.Seq)
}

// A queue may drop the second message or deliver both. Later messages arrive
// either way.
func secondWithSameID(t *testing.T, h Harness) {
	send(t, h, message(h, 1, 0))
	send(t, h, message(h, 1, 0))
	send(t, h, message(h, 2, 0))
	require.EqualValues(t, 1, receive(t, h).Wakeup.Seq)
	d := receive(t, h)
	if d.Wakeup.Seq == 1 {
		d = receive(t, h)
	}
	require.EqualValues(t, 2, d.Wakeup.Seq)
}

func sentConcurrently(t *testing.T, h Harness) {
	const messages = 20
	var group sync.WaitGroup
	for i := range messages {
		group.Go(func() { assert.NoError(t, h.Queue.Send(t.Context(), message(h, int64(i), 0))) })
	}
	group.Wait()
	seen := map[int64]bool{}
	for range messages {
		seen[receive(t, h).Wakeup.Seq] = true
	}
	require.Len(t, seen, messages)
}
