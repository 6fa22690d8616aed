package servicebus

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/fault"
)

// recorder records the moments of hook calls, each with the state of the first message
// in the queue.
type recorder struct {
	mu     sync.Mutex
	broker *Broker
	notes  []string
}

func (r *recorder) hook(m fault.Moment, q fault.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	state := "nothing"
	if all := r.broker.Messages("steps"); len(all) > 0 {
		state = all[0].State
	}
	r.notes = append(r.notes, m.String()+" "+q.Service+" "+q.Kind+" "+q.Detail+": "+state)
}

func (r *recorder) has(note string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Contains(r.notes, note)
}

func (r *recorder) take(t *testing.T, last string) []string {
	t.Helper()
	require.Eventually(t, func() bool { return r.has(last) }, time.Minute, time.Millisecond, last)
	r.mu.Lock()
	defer r.mu.Unlock()
	notes := r.notes
	r.notes = nil
	return notes
}

func TestFaultHook_IsCalledAroundEveryEffect(t *testing.T) {
	t.Parallel()
	r := &recorder{}
	r.broker = startBroker(t, Config{Fault: r.hook})
	client := connect(t, r.broker)
	sender, receiver := newSender(t, client, "steps"), newReceiver(t, client, "steps")

	send(t, sender, "a")
	require.Equal(t, []string{
		"before bus send steps a: nothing",
		"during bus send steps a: active",
		"after bus send steps a: active",
	}, r.take(t, "after bus send steps a: active"))

	m := receive(t, receiver)
	require.Equal(t, []string{
		"before bus receive steps a: active",
		"during bus receive steps a: locked",
		"after bus receive steps a: locked",
	}, r.take(t, "after bus receive steps a: locked"))

	require.NoError(t, receiver.AbandonMessage(within(t), m, nil))
	require.Equal(t, []string{
		"before bus abandon steps a: locked",
		"during bus abandon steps a: active",
		"after bus abandon steps a: active",
	}, r.take(t, "after bus abandon steps a: active"))

	m = receive(t, receiver)
	r.take(t, "after bus receive steps a: locked")
	require.NoError(t, receiver.CompleteMessage(within(t), m, nil))
	require.Equal(t, []string{
		"before bus complete steps a: locked",
		"during bus complete steps a: nothing",
		"after bus complete steps a: nothing",
	}, r.take(t, "after bus complete steps a: nothing"))

	_, err := sender.ScheduleMessages(within(t), []*azservicebus.Message{message("b")}, systemClock{}.Now().Add(time.Hour), nil)
	require.NoError(t, err)
	require.Equal(t, []string{
		"before bus schedule steps b: nothing",
		"during bus schedule steps b: scheduled",
		"after bus schedule steps b: scheduled",
	}, r.take(t, "after bus schedule steps b: scheduled"))
}

// If a connection is cut between the effect and the answer, the client sends again.
// Duplicate detection drops the second message.
func TestSend_IsRepeatedWhenTheAnswerIsLost(t *testing.T) {
	t.Parallel()
	var broker atomic.Pointer[Broker]
	var cut atomic.Bool
	b := startBroker(t, Config{
		Queues: []QueueConfig{{Name: "steps"}, {Name: "dedup", DuplicateDetectionWindow: time.Hour}},
		Fault: func(m fault.Moment, r fault.Request) {
			if m == fault.During && (r.Kind == "send steps" || r.Kind == "send dedup") && cut.CompareAndSwap(true, false) {
				broker.Load().DropConnections()
			}
		},
	})
	broker.Store(b)
	client := connect(t, b)
	for queue, copies := range map[string]int{"steps": 2, "dedup": 1} {
		sender := newSender(t, client, queue)
		cut.Store(true)
		send(t, sender, "a")
		require.Len(t, b.Messages(queue), copies, queue)
		require.False(t, cut.Load())
	}
}

func TestDropConnections_ClientsReconnect(t *testing.T) {
	t.Parallel()
	b := startBroker(t, Config{})
	client := connect(t, b)
	sender, receiver := newSender(t, client, "steps"), newReceiver(t, client, "steps")
	for _, id := range []string{"a", "b", "c"} {
		send(t, sender, id)
		m := receive(t, receiver)
		require.Equal(t, id, m.MessageID)
		b.DropConnections()
		// After the connection is lost, a message can be settled only by token.
		locked := &azservicebus.ReceivedMessage{LockToken: m.LockToken}
		other := newReceiver(t, connect(t, b), "steps")
		require.NoError(t, other.CompleteMessage(within(t), locked, nil), "the lock outlives the connection")
	}
	require.Empty(t, b.Messages("steps"))
}

func TestSetAvailable_RejectsClientsDuringTheOutage(t *testing.T) {
	t.Parallel()
	b := startBroker(t, Config{})
	client := connect(t, b)
	sender := newSender(t, client, "steps")
	send(t, sender, "a")
	b.SetAvailable(false)
	require.Error(t, sender.SendMessage(within(t), message("b"), nil))
	require.Len(t, b.Messages("steps"), 1)
	b.SetAvailable(true)
	send(t, sender, "c")
	require.Len(t, b.Messages("steps"), 2)
}

func TestDetachLinks_ClientsAttachAgain(t *testing.T) {
	t.Parallel()
	b := startBroker(t, Config{})
	client := connect(t, b)
	sender, receiver := newSender(t, client, "steps"), newReceiver(t, client, "steps")
	for _, id := range []string{"a", "b"} {
		send(t, sender, id)
		m := receive(t, receiver)
		require.Equal(t, id, m.MessageID)
		require.NoError(t, receiver.CompleteMessage(within(t), m, nil))
		b.DetachLinks("steps")
		b.DetachLinks("nowhere")
	}
}

func TestMessageFault_DropsDuplicatesAndDelays(t *testing.T) {
	t.Parallel()
	clock := newManualClock()
	b := startBroker(t, Config{Clock: clock, Queues: []QueueConfig{{Name: "steps", DuplicateDetectionWindow: time.Hour}}})
	b.SetMessageFault(func(queue, id string) MessageFault {
		return map[string]MessageFault{
			"steps lost": {Drop: true}, "steps doubled": {Duplicate: true}, "steps late": {Delay: time.Minute},
		}[queue+" "+id]
	})
	sender := newSender(t, connect(t, b), "steps")
	send(t, sender, "lost", "doubled", "late", "well")
	require.Equal(t, []QueueStats{{Name: "steps", Active: 3, Scheduled: 1}}, b.Queues())
	send(t, sender, "lost", "doubled")
	require.Equal(t, []QueueStats{{Name: "steps", Active: 3, Scheduled: 1}}, b.Queues(), "they were accepted")

	b.SetMessageFault(nil)
	clock.advance(time.Minute)
	require.Equal(t, []QueueStats{{Name: "steps", Active: 4}}, b.Queues())
	all := b.Messages("steps")
	require.Equal(t, "late", all[len(all)-1].MessageID)
	require.Equal(t, "body of late", string(all[len(all)-1].Body))
}

func TestMessageFault_DelaysAScheduledMessageFromItsTime(t *testing.T) {
	t.Parallel()
	clock := newManualClock()
	b := startBroker(t, Config{Clock: clock})
	b.SetMessageFault(func(string, string) MessageFault { return MessageFault{Delay: time.Minute} })
	due := clock.Now().Add(time.Hour)
	_, err := newSender(t, connect(t, b), "steps").ScheduleMessages(within(t), []*azservicebus.Message{message("a")}, due, nil)
	require.NoError(t, err)
	require.Equal(t, due.Add(time.Minute), b.Messages("steps")[0].ScheduledEnqueueTime)
}

// A hook that blocks one receiver must not block the others.
func TestFaultHook_BlocksOnlyItsOwnLink(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	blocked := make(chan struct{})
	var first atomic.Bool
	b := startBroker(t, Config{Fault: func(m fault.Moment, r fault.Request) {
		if m == fault.Before && r.Kind == "complete steps" && first.CompareAndSwap(false, true) {
			close(blocked)
			<-release
		}
	}})
	client := connect(t, b)
	sender, one, two := newSender(t, client, "steps"), newReceiver(t, client, "steps"), newReceiver(t, client, "steps")
	send(t, sender, "a")
	a := receive(t, one)
	completed := make(chan error, 1)
	go func() { completed <- one.CompleteMessage(within(t), a, nil) }()
	<-blocked
	send(t, sender, "b")
	require.NoError(t, two.CompleteMessage(within(t), receive(t, two), nil))
	close(release)
	require.NoError(t, <-completed)
}
