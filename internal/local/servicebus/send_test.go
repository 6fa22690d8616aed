package servicebus

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/stretchr/testify/require"
)

func TestBatch_ArrivesCompleteAndInOrder(t *testing.T) {
	t.Parallel()
	client := connect(t, startBroker(t, Config{}))
	sender, receiver := newSender(t, client, "steps"), newReceiver(t, client, "steps")
	batch, err := sender.NewMessageBatch(within(t), nil)
	require.NoError(t, err)
	for i := range 50 {
		require.NoError(t, batch.AddMessage(message(fmt.Sprint(i)), nil))
	}
	require.NoError(t, sender.SendMessageBatch(within(t), batch, nil))
	// The client releases messages that arrive after it has stopped waiting, which
	// changes their order. So it waits for all.
	received, err := receiver.ReceiveMessages(within(t), 50, &azservicebus.ReceiveMessagesOptions{TimeAfterFirstMessage: time.Minute})
	require.NoError(t, err)
	require.Len(t, received, 50)
	for i, m := range received {
		require.Equal(t, fmt.Sprint(i), m.MessageID)
		require.NoError(t, receiver.CompleteMessage(within(t), m, nil))
	}
}

func TestMessage_OfManyFramesArrivesComplete(t *testing.T) {
	t.Parallel()
	client := connect(t, startBroker(t, Config{}))
	body := bytes.Repeat([]byte("0123456789"), 25_000)
	require.NoError(t, newSender(t, client, "steps").SendMessage(within(t), &azservicebus.Message{Body: body}, nil))
	require.Equal(t, body, receive(t, newReceiver(t, client, "steps")).Body)
}

func TestMessage_AboveTheSizeLimitIsRejected(t *testing.T) {
	t.Parallel()
	b := startBroker(t, Config{})
	sender := newSender(t, connect(t, b), "steps")
	err := sender.SendMessage(within(t), &azservicebus.Message{Body: make([]byte, maxMessageSize)}, nil)
	require.ErrorIs(t, err, azservicebus.ErrMessageTooLarge)
	batch, err := sender.NewMessageBatch(within(t), nil)
	require.NoError(t, err)
	err = batch.AddMessage(&azservicebus.Message{Body: make([]byte, maxMessageSize)}, nil)
	require.ErrorIs(t, err, azservicebus.ErrMessageTooLarge)
	require.Zero(t, b.Queues()[0].Active)
}

// The lock renewal of the JavaScript client requires the id.
func TestMessage_WithoutAnIDGetsOne(t *testing.T) {
	t.Parallel()
	client := connect(t, startBroker(t, Config{}))
	require.NoError(t, newSender(t, client, "steps").SendMessage(within(t), &azservicebus.Message{}, nil))
	require.NotEmpty(t, receive(t, newReceiver(t, client, "steps")).MessageID)
}

func TestQueue_NamesAreCaseInsensitive(t *testing.T) {
	t.Parallel()
	client := connect(t, startBroker(t, Config{}))
	send(t, newSender(t, client, "STEPS"), "a")
	require.Equal(t, "a", receive(t, newReceiver(t, client, "Steps")).MessageID)
}

func TestMessage_KeepsEveryKindOfBody(t *testing.T) {
	t.Parallel()
	client := connect(t, startBroker(t, Config{}))
	sender, receiver := newSender(t, client, "steps"), newReceiver(t, client, "steps")
	for name, body := range map[string]azservicebus.AMQPAnnotatedMessageBody{
		"several data sections": {Data: [][]byte{[]byte("one"), []byte("two")}},
		"a value":               {Value: map[string]any{"k": []any{int64(1), "two", nil}}},
		"sequences":             {Sequence: [][]any{{"a", int32(1)}, {"b"}}},
	} {
		sent := &azservicebus.AMQPAnnotatedMessage{
			Body:                  body,
			ApplicationProperties: map[string]any{"float": 1.5, "bytes": []byte{1, 2}, "small": int32(-3)},
			DeliveryAnnotations:   map[any]any{"mine": int64(1)},
			Footer:                map[any]any{"foot": "note"},
		}
		require.NoError(t, sender.SendAMQPAnnotatedMessage(within(t), sent, nil), name)
		got := receive(t, receiver)
		require.Equal(t, body, got.RawAMQPMessage.Body, name)
		require.Equal(t, sent.ApplicationProperties, got.RawAMQPMessage.ApplicationProperties, name)
		require.Equal(t, int64(1), got.RawAMQPMessage.DeliveryAnnotations["mine"], name)
		require.Equal(t, sent.Footer, got.RawAMQPMessage.Footer, name)
		require.NoError(t, receiver.CompleteMessage(within(t), got, nil))
	}
}

func TestAnnotations_CannotBeForgedBySenders(t *testing.T) {
	t.Parallel()
	client := connect(t, startBroker(t, Config{}))
	require.NoError(t, newSender(t, client, "steps").SendAMQPAnnotatedMessage(within(t), &azservicebus.AMQPAnnotatedMessage{
		Body: azservicebus.AMQPAnnotatedMessageBody{Data: [][]byte{{1}}},
		MessageAnnotations: map[any]any{
			annotationSequenceNumber: int64(99), annotationState: int32(1),
			annotationScheduledTime: "never", "x-opt-mine": "kept",
		},
	}, nil))
	got := receive(t, newReceiver(t, client, "steps"))
	require.EqualValues(t, 1, *got.SequenceNumber)
	require.Equal(t, azservicebus.MessageStateActive, got.State)
	require.Nil(t, got.ScheduledEnqueueTime)
	require.Equal(t, "kept", got.RawAMQPMessage.MessageAnnotations["x-opt-mine"])
}

func TestReceiveAndDelete_RemovesTheMessage(t *testing.T) {
	t.Parallel()
	b := startBroker(t, Config{})
	client := connect(t, b)
	send(t, newSender(t, client, "steps"), "a")
	receiver, err := client.NewReceiverForQueue("steps",
		&azservicebus.ReceiverOptions{ReceiveMode: azservicebus.ReceiveModeReceiveAndDelete})
	require.NoError(t, err)
	require.Equal(t, "a", receive(t, receiver).MessageID)
	require.Empty(t, b.Messages("steps"))
}

func TestReceivers_ShareTheMessagesOfAQueue(t *testing.T) {
	t.Parallel()
	b := startBroker(t, Config{})
	client := connect(t, b)
	first, second := newReceiver(t, client, "steps"), newReceiver(t, connect(t, b), "steps")
	send(t, newSender(t, client, "steps"), "a", "b")
	require.ElementsMatch(t, []string{"a", "b"}, []string{receive(t, first).MessageID, receive(t, second).MessageID})
}

func TestDuplicateDetection_DropsRepeatsWithinTheWindow(t *testing.T) {
	t.Parallel()
	clock := newManualClock()
	b := startBroker(t, Config{Clock: clock, Queues: []QueueConfig{{Name: "steps", DuplicateDetectionWindow: time.Minute}}})
	sender := newSender(t, connect(t, b), "steps")
	send(t, sender, "a", "a", "b")
	require.Len(t, b.Messages("steps"), 2)

	later := clock.Now().Add(time.Hour)
	_, err := sender.ScheduleMessages(within(t), []*azservicebus.Message{message("a"), message("c")}, later, nil)
	require.NoError(t, err)
	send(t, sender, "c")
	require.Len(t, b.Messages("steps"), 3, "a scheduled message counts from when it is scheduled")

	clock.advance(time.Minute)
	send(t, sender, "a")
	require.Len(t, b.Messages("steps"), 4, "the window has passed")
}
