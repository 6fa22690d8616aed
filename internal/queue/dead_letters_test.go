package queue_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/queue"
)

// deadLetter sends the messages to a queue and dead-letters each of them.
func (b *bus) deadLetter(t *testing.T, name string, send func(*azservicebus.Sender)) {
	t.Helper()
	sender, err := b.client.NewSender(name, nil)
	require.NoError(t, err)
	send(sender)
	receiver, err := b.client.NewReceiverForQueue(name, nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, receiver.Close(context.Background())) }()
	for len(b.broker.Messages(name)) > 0 {
		batch, err := receiver.ReceiveMessages(t.Context(), 50, nil)
		require.NoError(t, err)
		for _, m := range batch {
			reason, description := "because", "of a test"
			require.NoError(t, receiver.DeadLetterMessage(t.Context(), m, &azservicebus.DeadLetterOptions{Reason: &reason, ErrorDescription: &description}))
		}
	}
}

func newDeadLetters(t *testing.T, b *bus) *queue.DeadLetters {
	t.Helper()
	d, err := queue.NewDeadLetters(queue.DeadLettersConfig{Client: b.client, Queue: "rejected"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close(context.Background())) })
	return d
}

// A body of any AMQP type is received: the Functions host cannot bind some of
// them, and delivers those without end.
func TestDeadLetters_ReceivesABodyOfAnyType(t *testing.T) {
	t.Parallel()
	b := startBus(t)
	bodies := map[string]azservicebus.AMQPAnnotatedMessageBody{
		"number":   {Value: int64(7)},
		"map":      {Value: map[string]any{"flow": "backup-now"}},
		"oddMap":   {Value: map[any]any{int32(1): "x"}},
		"text":     {Value: `{"flow":"x"}`},
		"bytes":    {Value: []byte{1, 2}},
		"sequence": {Sequence: [][]any{{"a", int64(2)}, {true}}},
		"parts":    {Data: [][]byte{[]byte("ab"), []byte("cd")}},
		"data":     {Data: [][]byte{[]byte("{}")}},
		"empty":    {Data: [][]byte{{}}},
	}
	b.deadLetter(t, "rejected", func(s *azservicebus.Sender) {
		for id, body := range bodies {
			require.NoError(t, s.SendAMQPAnnotatedMessage(t.Context(), &azservicebus.AMQPAnnotatedMessage{
				Properties: &azservicebus.AMQPAnnotatedMessageProperties{MessageID: id}, Body: body,
				ApplicationProperties: map[string]any{"n": int64(3), "s": "text"},
			}, nil))
		}
	})
	d := newDeadLetters(t, b)
	got := map[string]queue.DeadLetter{}
	for {
		batch, err := d.Receive(t.Context(), 4)
		require.NoError(t, err)
		require.LessOrEqual(t, len(batch), 4)
		if len(batch) == 0 {
			break
		}
		for _, m := range batch {
			got[m.MessageID] = m
			require.NoError(t, d.Complete(t.Context(), m))
		}
	}
	require.Len(t, got, len(bodies))
	for id, want := range map[string][2]string{
		"number": {"7", "AMQP value (int64)"}, "text": {`{"flow":"x"}`, ""}, "bytes": {"\x01\x02", ""}, "parts": {"abcd", ""}, "data": {"{}", ""}, "empty": {"", ""},
		"sequence": {`[["a",2],[true]]`, "AMQP sequence"},
	} {
		require.Equal(t, want[0], string(got[id].Body), id)
		require.Equal(t, want[1], got[id].BodyType, id)
	}
	require.Contains(t, got["map"].BodyType, "AMQP value (map[")
	require.Contains(t, string(got["map"].Body), "backup-now")
	require.Contains(t, got["oddMap"].BodyType, "AMQP value (map[")
	require.Equal(t, "because", got["data"].Reason)
	require.Equal(t, "of a test", got["data"].Description)
	require.False(t, got["data"].EnqueuedAt.IsZero())
	text, ok := got["data"].Property("s")
	require.True(t, ok)
	require.Equal(t, "text", text)
	number, ok := got["data"].Property("n")
	require.True(t, ok)
	require.Equal(t, "3", number)
	_, ok = got["data"].Property("other")
	require.False(t, ok)
	require.Empty(t, b.broker.Messages("rejected/$DeadLetterQueue"))
}

// A message that is not completed stays, and does not hold up the others.
func TestDeadLetters_KeepsAMessageUntilItIsCompleted(t *testing.T) {
	t.Parallel()
	b := startBus(t)
	b.deadLetter(t, "rejected", func(s *azservicebus.Sender) {
		for i := range 3 {
			id := fmt.Sprint("m", i)
			require.NoError(t, s.SendMessage(t.Context(), &azservicebus.Message{MessageID: &id, Body: []byte("{}")}, nil))
		}
	})
	d := newDeadLetters(t, b)
	var ids []string
	for range 3 {
		batch, err := d.Receive(t.Context(), 1)
		require.NoError(t, err)
		require.Len(t, batch, 1)
		ids = append(ids, batch[0].MessageID)
		if batch[0].MessageID != "m0" {
			require.NoError(t, d.Complete(t.Context(), batch[0]))
		}
	}
	slices.Sort(ids)
	require.Equal(t, []string{"m0", "m1", "m2"}, ids)
	require.Len(t, b.broker.Messages("rejected/$DeadLetterQueue"), 1)
}

func TestDeadLetters_FailsWhileTheBusIsUnavailable(t *testing.T) {
	t.Parallel()
	_, err := queue.NewDeadLetters(queue.DeadLettersConfig{})
	require.Error(t, err)
	b := startBus(t)
	d := newDeadLetters(t, b)
	require.NoError(t, b.broker.Close())
	_, err = d.Receive(t.Context(), 1)
	require.ErrorContains(t, err, "dead-letter queue of rejected")
}
