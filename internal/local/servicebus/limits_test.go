package servicebus

import (
	"context"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/servicebus/wire"
)

func attachTo(handle uint32, target wire.Value) *wire.Attach {
	return &wire.Attach{Name: "x", Handle: handle, Role: wire.RoleSender, Target: target}
}

func TestAttach_SecondTokenLinkIsRejected(t *testing.T) {
	t.Parallel()
	c := connectRaw(t, startBroker(t, Config{}), "steps") // has closed its token link
	c.attachSender(0, cbsAddress)
	c.send(attachTo(1, terminus(0x29, cbsAddress)))
	require.Equal(t, wire.Null{}, expect[*wire.Attach](c).Target)
	detach := expect[*wire.Detach](c)
	require.Equal(t, "amqp:not-allowed", detach.Error.Condition)
	require.Contains(t, detach.Error.Description, "already has a link to '$cbs'")
	c.send(&wire.Detach{Handle: 1, Closed: true})

	c.send(&wire.Detach{Handle: 0, Closed: true})
	expect[*wire.Detach](c)
	c.attachSender(2, cbsAddress)
	c.send(&wire.End{})
	expect[*wire.End](c)
	c.send(&wire.Begin{IncomingWindow: 10, OutgoingWindow: 10})
	expect[*wire.Begin](c)
	c.attachSender(0, cbsAddress) // the end of the session has freed it
}

func TestTransactions_AreRejected(t *testing.T) {
	t.Parallel()
	c := connectRaw(t, startBroker(t, Config{}), "steps")
	for handle, code := range []wire.Value{wire.Ulong(0x30), wire.Symbol("amqp:coordinator:list")} {
		c.send(attachTo(uint32(handle), wire.Described{Descriptor: code, Value: wire.List{}}))
		require.Equal(t, wire.Null{}, expect[*wire.Attach](c).Target)
		detach := expect[*wire.Detach](c)
		require.Equal(t, "amqp:not-implemented", detach.Error.Condition)
		require.Contains(t, detach.Error.Description, "Transactions are not supported")
	}
	c.attachSender(5, "steps")
	c.send(&wire.Transfer{Handle: 5, DeliveryID: number(uint32(1)), State: wire.Transactional{}}, rawMessage("a")...)
	requireUnsupported(t, expect[*wire.Disposition](c).State)
	c.transfer(5, 2, rawMessage("b"))
	expect[*wire.Disposition](c)
	c.attachReceiver(6, "steps")
	c.credit(6, 1, false, false)
	id := *expect[*wire.Transfer](c).DeliveryID
	c.send(&wire.Disposition{Role: wire.RoleReceiver, First: id, State: wire.Transactional{}})
	requireUnsupported(t, expect[*wire.Disposition](c).State)
	c.send(&wire.Disposition{Role: wire.RoleReceiver, First: id, State: wire.Accepted{}})
	require.Equal(t, wire.Accepted{}, expect[*wire.Disposition](c).State, "the message is still locked")
}

func requireUnsupported(t *testing.T, state wire.DeliveryState) {
	t.Helper()
	rejected, ok := state.(wire.Rejected)
	require.True(t, ok, "%T", state)
	require.Equal(t, "amqp:not-implemented", rejected.Error.Condition)
	require.Contains(t, rejected.Error.Description, "Transactions are not supported")
}

func TestSessions_AreRejectedOnEveryWay(t *testing.T) {
	t.Parallel()
	c := connectRaw(t, startBroker(t, Config{}), "steps")
	for handle, session := range []wire.Value{wire.String("s"), wire.Null{}} {
		filters := wire.Map{{Key: wire.Symbol(sessionFilter), Value: wire.Described{Descriptor: wire.Ulong(0x137000000C), Value: session}}}
		source := wire.List{wire.String("steps"), nil, nil, nil, nil, nil, nil, filters}
		c.send(&wire.Attach{Name: "s", Handle: uint32(handle), Role: wire.RoleReceiver, Source: wire.Described{Descriptor: wire.Ulong(0x28), Value: source}})
		require.Equal(t, wire.Null{}, expect[*wire.Attach](c).Source)
		require.Contains(t, expect[*wire.Detach](c).Error.Description, "does not support sessions")
	}
	c.attachSender(10, "steps/$management")
	c.attachReceiver(11, "steps/$management")
	c.credit(11, 100, false, false)
	for i, operation := range []string{"get-message-sessions", "renew-session-lock", "get-session-state", "set-session-state"} {
		reply := c.askOn(10, uint32(i), "com.microsoft:"+operation, wire.Map{})
		require.Equal(t, wire.Int(501), reply.ApplicationProperties.Get("status-code"))
		text, _ := wire.Text(reply.ApplicationProperties.Get("status-description"))
		require.Contains(t, text, "sessions are not supported")
	}
}

func TestSchedule_OversizedMessageAnswersAsASentOne(t *testing.T) {
	t.Parallel()
	c := connectRaw(t, startBroker(t, Config{}), "steps")
	c.attachManagement("steps")
	entry := wire.Map{{Key: wire.String("message"), Value: wire.Binary(make([]byte, maxMessageSize+1))}}
	reply := c.ask(0, "com.microsoft:schedule-message", wire.Map{{Key: wire.String("messages"), Value: wire.List{entry}}})
	condition, _ := wire.Text(reply.ApplicationProperties.Get("errorCondition"))
	scheduled, _ := wire.Text(reply.ApplicationProperties.Get("statusDescription"))

	c.attachSender(5, "steps")
	c.transfer(5, 1, make([]byte, maxMessageSize+1))
	sent, ok := expect[*wire.Disposition](c).State.(wire.Rejected)
	require.True(t, ok)
	require.Equal(t, sent.Error.Condition, condition)
	require.Equal(t, sent.Error.Description, scheduled)
}

// A client that grants no credit for replies gets its requests rejected after a limit.
// Rejected requests have no effect.
func TestReplies_WaitForCreditUpToALimit(t *testing.T) {
	t.Parallel()
	b := startBroker(t, Config{})
	c := connectRaw(t, b, "steps")
	c.attachSender(0, "steps/$management")
	c.attachReceiver(1, "steps/$management")
	entry := wire.Map{{Key: wire.String("message"), Value: wire.Binary(rawMessage("a"))}}
	request := wire.Response(nil, wire.Map{{Key: wire.String("operation"), Value: wire.String("com.microsoft:schedule-message")}},
		wire.Map{{Key: wire.String("messages"), Value: wire.List{entry}}}).WithMessageID("request").Append(nil)
	for i := range uint32(maxWaitingReplies) {
		c.transfer(0, i, request)
		require.Equal(t, wire.Accepted{}, expect[*wire.Disposition](c).State)
	}
	c.transfer(0, maxWaitingReplies, request)
	rejected, ok := expect[*wire.Disposition](c).State.(wire.Rejected)
	require.True(t, ok)
	require.Equal(t, "amqp:resource-limit-exceeded", rejected.Error.Condition)
	require.Len(t, b.Messages("steps"), maxWaitingReplies)

	c.credit(1, 1, false, false)
	expect[*wire.Transfer](c)
	c.transfer(0, maxWaitingReplies+1, request)
	require.Equal(t, wire.Accepted{}, expect[*wire.Disposition](c).State)
}

func TestAccessKeys_AllowOnlyTheirRights(t *testing.T) {
	t.Parallel()
	b := startBroker(t, Config{Keys: []AccessKey{
		{Name: "sender", Key: "s", Send: true}, {Name: "listener", Key: "l", Listen: true}, {Name: "none", Key: "n"},
	}})
	require.Empty(t, b.ConnectionStringOf("unknown"))
	clientWith := func(name string) *azservicebus.Client {
		client, err := azservicebus.NewClientFromConnectionString(b.ConnectionStringOf(name), clientOptions())
		require.NoError(t, err)
		t.Cleanup(func() { _ = client.Close(context.Background()) })
		return client
	}
	due := systemClock{}.Now().Add(time.Hour)
	sender := clientWith("sender")
	send(t, newSender(t, sender, "steps"), "a")
	_, err := newSender(t, sender, "steps").ScheduleMessages(within(t), []*azservicebus.Message{message("b")}, due, nil)
	require.NoError(t, err)
	_, err = newReceiver(t, sender, "steps").ReceiveMessages(within(t), 1, nil)
	requireCode(t, azservicebus.CodeUnauthorizedAccess, err)
	_, err = newReceiver(t, sender, "steps").PeekMessages(within(t), 1, nil)
	requireCode(t, azservicebus.CodeUnauthorizedAccess, err)

	listener := clientWith("listener")
	receiver := newReceiver(t, listener, "steps")
	require.NoError(t, receiver.CompleteMessage(within(t), receive(t, receiver), nil))
	_, err = receiver.PeekMessages(within(t), 1, nil)
	require.NoError(t, err)
	err = newSender(t, listener, "steps").SendMessage(within(t), message("c"), nil)
	requireCode(t, azservicebus.CodeUnauthorizedAccess, err)

	_, err = newReceiver(t, clientWith("none"), "steps").PeekMessages(within(t), 1, nil)
	requireCode(t, azservicebus.CodeUnauthorizedAccess, err)
}

func TestAccessKeys_LimitManagementOperations(t *testing.T) {
	t.Parallel()
	b := startBroker(t, Config{Keys: []AccessKey{{Name: "sender", Key: "s", Send: true}, {Name: "listener", Key: "l", Listen: true}}})
	peek := wire.Map{{Key: wire.String("from-sequence-number"), Value: wire.Long(0)}, {Key: wire.String("message-count"), Value: wire.Int(1)}}
	entry := wire.Map{{Key: wire.String("message"), Value: wire.Binary(rawMessage("a"))}}
	schedule := wire.Map{{Key: wire.String("messages"), Value: wire.List{entry}}}
	for i, want := range []struct{ schedule, peek wire.Int }{{200, 401}, {401, 200}} {
		c := connectRawWith(t, b, "steps", b.keys[i+1])
		c.attachManagement("steps")
		reply := c.ask(0, "com.microsoft:schedule-message", schedule)
		require.Equal(t, want.schedule, reply.ApplicationProperties.Get("status-code"), b.keys[i+1].Name)
		reply = c.ask(1, "com.microsoft:peek-message", peek)
		require.Equal(t, want.peek, reply.ApplicationProperties.Get("status-code"), b.keys[i+1].Name)
	}
	require.Len(t, b.Messages("steps"), 1)
}
