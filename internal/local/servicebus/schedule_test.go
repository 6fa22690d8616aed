package servicebus

import (
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/stretchr/testify/require"
)

func TestSchedule_DeliversAtTheScheduledTime(t *testing.T) {
	t.Parallel()
	clock := newManualClock()
	b := startBroker(t, Config{Clock: clock})
	client := connect(t, b)
	sender, receiver := newSender(t, client, "steps"), newReceiver(t, client, "steps")
	due := clock.Now().Add(time.Hour)
	numbers, err := sender.ScheduleMessages(within(t), []*azservicebus.Message{message("a"), message("b")}, due, nil)
	require.NoError(t, err)
	require.Len(t, numbers, 2)

	clock.advance(time.Hour - time.Millisecond)
	require.Equal(t, []QueueStats{{Name: "steps", Scheduled: 2}}, b.Queues())
	clock.advance(time.Millisecond)
	m := receive(t, receiver)
	require.Equal(t, "a", m.MessageID)
	require.Equal(t, due, m.EnqueuedTime.UTC())
	require.Equal(t, due, m.ScheduledEnqueueTime.UTC())
	require.Equal(t, azservicebus.MessageStateActive, m.State)
	require.NotContains(t, numbers, *m.SequenceNumber, "it is numbered as if it were sent now")
	require.Equal(t, "b", receive(t, receiver).MessageID)
}

func TestSchedule_ByAnnotation(t *testing.T) {
	t.Parallel()
	clock := newManualClock()
	b := startBroker(t, Config{Clock: clock})
	client := connect(t, b)
	m, due := message("a"), clock.Now().Add(time.Minute)
	m.ScheduledEnqueueTime = &due
	require.NoError(t, newSender(t, client, "steps").SendMessage(within(t), m, nil))
	require.Equal(t, []QueueStats{{Name: "steps", Scheduled: 1}}, b.Queues())
	require.Equal(t, due, b.Messages("steps")[0].ScheduledEnqueueTime)
	clock.advance(time.Minute)
	require.Equal(t, "a", receive(t, newReceiver(t, client, "steps")).MessageID)
}

func TestSchedule_PastTimeDeliversAtOnce(t *testing.T) {
	t.Parallel()
	client := connect(t, startBroker(t, Config{}))
	_, err := newSender(t, client, "steps").ScheduleMessages(within(t),
		[]*azservicebus.Message{message("a")}, time.Unix(1, 0), nil)
	require.NoError(t, err)
	require.Equal(t, "a", receive(t, newReceiver(t, client, "steps")).MessageID)
}

func TestSchedule_CanceledMessageIsNotDelivered(t *testing.T) {
	t.Parallel()
	clock := newManualClock()
	b := startBroker(t, Config{Clock: clock})
	sender := newSender(t, connect(t, b), "steps")
	numbers, err := sender.ScheduleMessages(within(t), []*azservicebus.Message{message("a")}, clock.Now().Add(time.Hour), nil)
	require.NoError(t, err)
	require.NoError(t, sender.CancelScheduledMessages(within(t), numbers, nil))
	require.Empty(t, b.Messages("steps"))
	requireCode(t, azservicebus.CodeNotFound, sender.CancelScheduledMessages(within(t), numbers, nil))
}

// This test uses the machine's clock, as the local stack does.
func TestSchedule_WakesAWaitingReceiver(t *testing.T) {
	t.Parallel()
	client := connect(t, startBroker(t, Config{}))
	receiver := newReceiver(t, client, "steps")
	due := systemClock{}.Now().Add(300 * time.Millisecond)
	_, err := newSender(t, client, "steps").ScheduleMessages(within(t), []*azservicebus.Message{message("a")}, due, nil)
	require.NoError(t, err)
	m := receive(t, receiver)
	require.False(t, systemClock{}.Now().Before(due.Truncate(time.Millisecond)))
	require.Equal(t, "a", m.MessageID)
}

func TestExpiry_DropsOrDeadLetters(t *testing.T) {
	t.Parallel()
	clock := newManualClock()
	b := startBroker(t, Config{Clock: clock, Queues: []QueueConfig{
		{Name: "drops"}, {Name: "keeps", DeadLetterOnExpiration: true, DefaultTTL: time.Hour},
	}})
	client := connect(t, b)
	short, long := message("short"), message("long")
	minute, day := time.Minute, 24*time.Hour
	short.TimeToLive, long.TimeToLive = &minute, &day
	for _, queue := range []string{"drops", "keeps"} {
		sender := newSender(t, client, queue)
		require.NoError(t, sender.SendMessage(within(t), short, nil))
		require.NoError(t, sender.SendMessage(within(t), long, nil))
	}
	clock.advance(time.Minute)
	require.Equal(t, []QueueStats{{Name: "drops", Active: 1}, {Name: "keeps", Active: 1, DeadLettered: 1}}, b.Queues())
	require.Equal(t, "TTLExpiredException", b.Messages("keeps/$DeadLetterQueue")[0].DeadLetterReason)
	clock.advance(time.Hour)
	require.Equal(t, []QueueStats{{Name: "drops", Active: 1}, {Name: "keeps", DeadLettered: 2}}, b.Queues(),
		"the queue's time to live is the upper bound")
}

func TestPeek_ShowsMessagesInEveryState(t *testing.T) {
	t.Parallel()
	clock := newManualClock()
	b := startBroker(t, Config{Clock: clock})
	client := connect(t, b)
	sender, receiver := newSender(t, client, "steps"), newReceiver(t, client, "steps")
	none, err := receiver.PeekMessages(within(t), 5, nil)
	require.NoError(t, err)
	require.Empty(t, none)

	send(t, sender, "deferred", "locked", "active")
	require.NoError(t, receiver.DeferMessage(within(t), receive(t, receiver), nil))
	receive(t, receiver)
	_, err = sender.ScheduleMessages(within(t), []*azservicebus.Message{message("scheduled")}, clock.Now().Add(time.Hour), nil)
	require.NoError(t, err)

	from := int64(0)
	peeked, err := receiver.PeekMessages(within(t), 10, &azservicebus.PeekMessagesOptions{FromSequenceNumber: &from})
	require.NoError(t, err)
	states := make(map[string]azservicebus.MessageState)
	for _, m := range peeked {
		states[m.MessageID] = m.State
	}
	require.Equal(t, map[string]azservicebus.MessageState{
		"deferred": azservicebus.MessageStateDeferred, "locked": azservicebus.MessageStateActive,
		"active": azservicebus.MessageStateActive, "scheduled": azservicebus.MessageStateScheduled,
	}, states)
	from = *peeked[2].SequenceNumber
	rest, err := receiver.PeekMessages(within(t), 10, &azservicebus.PeekMessagesOptions{FromSequenceNumber: &from})
	require.NoError(t, err)
	require.Len(t, rest, 2)
	require.Equal(t, 1, b.Queues()[0].Locked, "peeking locks nothing")
}
