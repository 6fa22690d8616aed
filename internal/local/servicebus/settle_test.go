package servicebus

import (
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/stretchr/testify/require"
)

const graveyard = "steps/$DeadLetterQueue"

func newDeadLetterReceiver(t *testing.T, client *azservicebus.Client) *azservicebus.Receiver {
	t.Helper()
	receiver, err := client.NewReceiverForQueue("steps",
		&azservicebus.ReceiverOptions{SubQueue: azservicebus.SubQueueDeadLetter})
	require.NoError(t, err)
	return receiver
}

func requireCode(t *testing.T, code azservicebus.Code, err error) {
	t.Helper()
	var failure *azservicebus.Error
	require.ErrorAs(t, err, &failure)
	require.Equal(t, code, failure.Code)
}

func TestAbandon_RedeliversWithChangedProperties(t *testing.T) {
	t.Parallel()
	client := connect(t, startBroker(t, Config{}))
	receiver := newReceiver(t, client, "steps")
	m := message("a")
	m.ApplicationProperties = map[string]any{"kept": "yes", "try": int64(1)}
	require.NoError(t, newSender(t, client, "steps").SendMessage(within(t), m, nil))
	require.NoError(t, receiver.AbandonMessage(within(t), receive(t, receiver), &azservicebus.AbandonMessageOptions{
		PropertiesToModify: map[string]any{"try": int64(2)},
	}))
	again := receive(t, receiver)
	require.EqualValues(t, 2, again.DeliveryCount)
	require.Equal(t, map[string]any{"kept": "yes", "try": int64(2)}, again.ApplicationProperties)
}

func TestMaxDeliveryCount_DeadLettersTheMessage(t *testing.T) {
	t.Parallel()
	b := startBroker(t, Config{Queues: []QueueConfig{{Name: "steps", MaxDeliveryCount: 3}}})
	client := connect(t, b)
	receiver := newReceiver(t, client, "steps")
	send(t, newSender(t, client, "steps"), "a")
	for range 3 {
		require.NoError(t, receiver.AbandonMessage(within(t), receive(t, receiver), nil))
	}
	require.Equal(t, []QueueStats{{Name: "steps", DeadLettered: 1}}, b.Queues())

	dead := newDeadLetterReceiver(t, client)
	m := receive(t, dead)
	require.Equal(t, "a", m.MessageID)
	require.Equal(t, "MaxDeliveryCountExceeded", *m.DeadLetterReason)
	require.EqualValues(t, 4, m.DeliveryCount)
	require.NoError(t, dead.AbandonMessage(within(t), m, nil))
	require.EqualValues(t, 4, receive(t, dead).DeliveryCount, "a dead-letter queue does not count")
}

func TestDeadLetter_KeepsReasonAndDescription(t *testing.T) {
	t.Parallel()
	b := startBroker(t, Config{})
	client := connect(t, b)
	receiver := newReceiver(t, client, "steps")
	send(t, newSender(t, client, "steps"), "a", "b")
	reason, description := "broken", "it does not parse"
	require.NoError(t, receiver.DeadLetterMessage(within(t), receive(t, receiver), &azservicebus.DeadLetterOptions{
		Reason: &reason, ErrorDescription: &description, PropertiesToModify: map[string]any{"seen": true},
	}))
	require.NoError(t, receiver.DeadLetterMessage(within(t), receive(t, receiver), nil))

	dead := newDeadLetterReceiver(t, client)
	m := receive(t, dead)
	require.Equal(t, &reason, m.DeadLetterReason)
	require.Equal(t, &description, m.DeadLetterErrorDescription)
	require.Equal(t, true, m.ApplicationProperties["seen"])
	require.Equal(t, reason, b.Messages(graveyard)[0].DeadLetterReason)
	require.Equal(t, description, b.Messages(graveyard)[0].DeadLetterDetail)
	require.NoError(t, dead.CompleteMessage(within(t), m, nil))
	require.Equal(t, "b", receive(t, dead).MessageID)
}

func TestDefer_ReceivesBySequenceNumber(t *testing.T) {
	t.Parallel()
	b := startBroker(t, Config{})
	client := connect(t, b)
	receiver := newReceiver(t, client, "steps")
	send(t, newSender(t, client, "steps"), "a")
	m := receive(t, receiver)
	require.NoError(t, receiver.DeferMessage(within(t), m, nil))
	require.Equal(t, []QueueStats{{Name: "steps", Deferred: 1}}, b.Queues())

	deferred, err := receiver.ReceiveDeferredMessages(within(t), []int64{*m.SequenceNumber}, nil)
	require.NoError(t, err)
	require.Equal(t, azservicebus.MessageStateDeferred, deferred[0].State)
	require.NoError(t, receiver.AbandonMessage(within(t), deferred[0], nil))
	require.Equal(t, "deferred", b.Messages("steps")[0].State, "abandoned, it stays deferred")

	deferred, err = receiver.ReceiveDeferredMessages(within(t), []int64{*m.SequenceNumber}, nil)
	require.NoError(t, err)
	require.EqualValues(t, 2, deferred[0].DeliveryCount)
	require.NoError(t, receiver.CompleteMessage(within(t), deferred[0], nil))
	require.Empty(t, b.Messages("steps"))
	_, err = receiver.ReceiveDeferredMessages(within(t), []int64{*m.SequenceNumber}, nil)
	requireCode(t, azservicebus.CodeNotFound, err)
}

func TestDefer_DeferredMessageCanBeDeadLettered(t *testing.T) {
	t.Parallel()
	b := startBroker(t, Config{})
	client := connect(t, b)
	receiver := newReceiver(t, client, "steps")
	send(t, newSender(t, client, "steps"), "a")
	m := receive(t, receiver)
	require.NoError(t, receiver.DeferMessage(within(t), m, nil))
	deferred, err := receiver.ReceiveDeferredMessages(within(t), []int64{*m.SequenceNumber}, nil)
	require.NoError(t, err)
	reason := "late"
	require.NoError(t, receiver.DeadLetterMessage(within(t), deferred[0], &azservicebus.DeadLetterOptions{Reason: &reason}))
	require.Equal(t, []QueueStats{{Name: "steps", DeadLettered: 1}}, b.Queues())
	require.Equal(t, "late", b.Messages(graveyard)[0].DeadLetterReason)
}

func TestLock_ExpiryRedelivers(t *testing.T) {
	t.Parallel()
	clock := newManualClock()
	b := startBroker(t, Config{Clock: clock})
	client := connect(t, b)
	receiver := newReceiver(t, client, "steps")
	send(t, newSender(t, client, "steps"), "a")
	m := receive(t, receiver)
	require.Equal(t, clock.Now().Add(5*time.Minute), m.LockedUntil.UTC())
	require.Equal(t, "locked", b.Messages("steps")[0].State)

	clock.advance(5*time.Minute - 1)
	require.Equal(t, "locked", b.Messages("steps")[0].State)
	clock.advance(1)
	require.Equal(t, "active", b.Messages("steps")[0].State)
	requireCode(t, azservicebus.CodeLockLost, receiver.CompleteMessage(within(t), m, nil))
	requireCode(t, azservicebus.CodeLockLost, receiver.RenewMessageLock(within(t), m, nil))
	again := receive(t, receiver)
	require.EqualValues(t, 2, again.DeliveryCount)
	require.NoError(t, receiver.CompleteMessage(within(t), again, nil))
}

func TestLock_RenewalExtendsIt(t *testing.T) {
	t.Parallel()
	clock := newManualClock()
	b := startBroker(t, Config{Clock: clock, Queues: []QueueConfig{{Name: "steps", LockDuration: time.Minute}}})
	client := connect(t, b)
	receiver := newReceiver(t, client, "steps")
	send(t, newSender(t, client, "steps"), "a")
	m := receive(t, receiver)
	clock.advance(45 * time.Second)
	require.NoError(t, receiver.RenewMessageLock(within(t), m, nil))
	require.Equal(t, clock.Now().Add(time.Minute), m.LockedUntil.UTC())
	clock.advance(45 * time.Second)
	require.NoError(t, receiver.CompleteMessage(within(t), m, nil))
	require.Empty(t, b.Messages("steps"))
}

func TestLock_OutlivesItsLink(t *testing.T) {
	t.Parallel()
	b := startBroker(t, Config{})
	client := connect(t, b)
	first := newReceiver(t, client, "steps")
	send(t, newSender(t, client, "steps"), "a", "b")
	a := receive(t, first)
	require.NoError(t, first.Close(within(t)))
	require.Equal(t, "locked", b.Messages("steps")[0].State)

	second := newReceiver(t, client, "steps")
	require.Equal(t, "b", receive(t, second).MessageID)
	require.NoError(t, second.CompleteMessage(within(t), a, nil), "by its token alone")
	require.Len(t, b.Messages("steps"), 1)
}

// An idle azservicebus receiver releases messages that arrive between two calls.
func TestRelease_DoesNotCountADelivery(t *testing.T) {
	t.Parallel()
	b := startBroker(t, Config{})
	client := connect(t, b)
	receiver := newReceiver(t, client, "steps")
	sender := newSender(t, client, "steps")
	send(t, sender, "first")
	received, err := receiver.ReceiveMessages(within(t), 20, nil) // the unused credit remains
	require.NoError(t, err)
	require.NoError(t, receiver.CompleteMessage(within(t), received[0], nil))
	send(t, sender, "second")
	require.EqualValues(t, 1, receive(t, newReceiver(t, connect(t, b), "steps")).DeliveryCount)
}
