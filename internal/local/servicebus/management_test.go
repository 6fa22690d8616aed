package servicebus

import (
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/servicebus/wire"
)

// ask sends a request to a management node on handle 0 and returns the answer.
func (c *rawClient) ask(id uint32, operation string, body wire.Value) *wire.Message {
	c.t.Helper()
	return c.askOn(0, id, operation, body)
}

// askOn sends the request on a link.
func (c *rawClient) askOn(handle, id uint32, operation string, body wire.Value) *wire.Message {
	c.t.Helper()
	request := wire.Response(nil, wire.Map{{Key: wire.String("operation"), Value: wire.String(operation)}}, body).
		WithMessageID("request")
	c.transfer(handle, id, request.Append(nil))
	require.Equal(c.t, wire.Accepted{}, expect[*wire.Disposition](c).State)
	transfer, payload := expectPayload[*wire.Transfer](c)
	require.True(c.t, transfer.Settled)
	for transfer.More { // the client's frames hold 1024 bytes
		var more []byte
		transfer, more = expectPayload[*wire.Transfer](c)
		payload = append(payload, more...)
	}
	reply, err := wire.DecodeMessage(payload)
	require.NoError(c.t, err)
	return reply
}

func (c *rawClient) attachManagement(node string) {
	c.t.Helper()
	c.attachSender(0, node+"/$management")
	c.attachReceiver(1, node+"/$management")
	c.credit(1, 100, false, false)
}

func TestManagement_RejectsInvalidRequests(t *testing.T) {
	t.Parallel()
	c := connectRaw(t, startBroker(t, Config{}), "steps")
	c.attachManagement("steps")
	entry := func(key string, v wire.Value) wire.Map { return wire.Map{{Key: wire.String(key), Value: v}} }
	with := func(a, b wire.Map) wire.Map { return append(a, b...) }
	numbers, tokens := entry("sequence-numbers", wire.LongArray([]int64{7})), entry("lock-tokens", wire.List{wire.UUID{1}})
	message := func(b []byte) wire.Map { return entry("messages", wire.List{entry("message", wire.Binary(b))}) }
	for i, x := range []struct {
		operation string
		body      wire.Value
		status    wire.Int
	}{
		{"get-session-state", wire.Map{}, 501},
		{"peek-message", wire.String("x"), 400},
		{"peek-message", wire.Map{}, 400},
		{"peek-message", entry("from-sequence-number", wire.Long(0)), 400},
		{"peek-message", with(entry("from-sequence-number", wire.Long(0)), entry("message-count", wire.Int(0))), 400},
		{"peek-message", with(entry("from-sequence-number", wire.Long(0)), entry("message-count", wire.Int(9))), 204},
		{"schedule-message", wire.Map{}, 400},
		{"schedule-message", entry("messages", wire.List{wire.Map{}}), 400},
		{"schedule-message", message([]byte{0x10}), 400},
		{"schedule-message", message(make([]byte, maxMessageSize+1)), 413},
		{"schedule-message", message(rawMessage("a")), 200},
		{"cancel-scheduled-message", wire.Map{}, 400},
		{"cancel-scheduled-message", entry("sequence-numbers", wire.List{wire.String("1")}), 400},
		{"cancel-scheduled-message", numbers, 404},
		{"receive-by-sequence-number", wire.Map{}, 400},
		{"receive-by-sequence-number", numbers, 400},
		{"receive-by-sequence-number", with(numbers, entry("receiver-settle-mode", wire.Ubyte(1))), 404},
		{"receive-by-sequence-number", with(entry("sequence-numbers", wire.List{}), entry("receiver-settle-mode", wire.Uint(0))), 204},
		{"renew-lock", wire.Map{}, 400},
		{"renew-lock", entry("lock-tokens", wire.List{wire.Int(1)}), 400},
		{"renew-lock", tokens, 410},
		{"update-disposition", wire.Map{}, 400},
		{"update-disposition", tokens, 400},
		{"update-disposition", with(tokens, entry("disposition-status", wire.String("eaten"))), 400},
		{"update-disposition", with(tokens, entry("disposition-status", wire.String("completed"))), 410},
	} {
		reply := c.ask(uint32(i), "com.microsoft:"+x.operation, x.body)
		require.Equal(t, x.status, reply.ApplicationProperties.Get("status-code"), "%s %v", x.operation, x.body)
		require.Equal(t, x.status, reply.ApplicationProperties.Get("statusCode"))
	}
}

func TestDeadLetter_HappensOnlyOnce(t *testing.T) {
	t.Parallel()
	client := connect(t, startBroker(t, Config{}))
	receiver, dead := newReceiver(t, client, "steps"), newDeadLetterReceiver(t, client)
	send(t, newSender(t, client, "steps"), "a")
	require.NoError(t, receiver.DeadLetterMessage(within(t), receive(t, receiver), nil))
	m := receive(t, dead)
	require.ErrorContains(t, dead.DeadLetterMessage(within(t), m, nil), "already in a dead-letter queue")
	require.NoError(t, dead.RenewMessageLock(within(t), m, nil), "it is still locked")
	byToken := &azservicebus.ReceivedMessage{LockToken: m.LockToken}
	require.NoError(t, dead.DeferMessage(within(t), byToken, nil))
	deferred, err := dead.ReceiveDeferredMessages(within(t), []int64{*m.SequenceNumber}, nil)
	require.NoError(t, err)
	require.NoError(t, dead.CompleteMessage(within(t), deferred[0], nil))
}

func TestPeek_LargeResultsTakeSeveralAnswers(t *testing.T) {
	t.Parallel()
	client := connect(t, startBroker(t, Config{}))
	sender, receiver := newSender(t, client, "steps"), newReceiver(t, client, "steps")
	for range 7 {
		require.NoError(t, sender.SendMessage(within(t), &azservicebus.Message{Body: make([]byte, 200_000)}, nil))
	}
	var from int64
	first, err := receiver.PeekMessages(within(t), 7, &azservicebus.PeekMessagesOptions{FromSequenceNumber: &from})
	require.NoError(t, err)
	require.Len(t, first, 5, "an answer has at most a megabyte")
	from = *first[4].SequenceNumber + 1
	rest, err := receiver.PeekMessages(within(t), 7, &azservicebus.PeekMessagesOptions{FromSequenceNumber: &from})
	require.NoError(t, err)
	require.Len(t, rest, 2)
}
