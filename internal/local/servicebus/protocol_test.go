package servicebus

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/servicebus/wire"
)

func TestAttach_AnswersWithTheSameNameAndModes(t *testing.T) {
	t.Parallel()
	c := connectRaw(t, startBroker(t, Config{}), "steps")
	answer := c.attachSender(3, "steps")
	require.Equal(t, "to steps3", answer.Name)
	require.Equal(t, wire.RoleReceiver, answer.Role)
	require.Nil(t, answer.SendSettleMode)
	require.EqualValues(t, maxMessageSize, answer.MaxMessageSize)
	require.Equal(t, "steps", wire.Address(answer.Target))
}

func TestDrain_UsesUpTheCredit(t *testing.T) {
	t.Parallel()
	b := startBroker(t, Config{})
	c := connectRaw(t, b, "steps")
	c.attachSender(0, "steps")
	c.transfer(0, 1, rawMessage("a"))
	expect[*wire.Disposition](c)
	c.attachReceiver(1, "steps")
	c.credit(1, 5, true, false)
	transfer, _ := expectPayload[*wire.Transfer](c)
	require.Len(t, transfer.DeliveryTag, 16)
	flow := expect[*wire.Flow](c)
	require.True(t, flow.Drain)
	require.False(t, flow.Echo)
	require.Equal(t, number(uint32(5)), flow.DeliveryCount)
	require.Equal(t, number(uint32(0)), flow.LinkCredit)
	require.NotNil(t, flow.NextIncomingID)

	c.transfer(0, 2, rawMessage("b"))
	expect[*wire.Disposition](c)
	require.Equal(t, "active", b.Messages("steps")[1].State, "without credit nothing is delivered")
}

func TestFlow_EchoIsAnswered(t *testing.T) {
	t.Parallel()
	c := connectRaw(t, startBroker(t, Config{}), "steps")
	c.attachReceiver(1, "steps")
	c.credit(1, 7, false, true)
	flow := expect[*wire.Flow](c)
	require.Equal(t, number(uint32(7)), flow.LinkCredit)
	c.send(&wire.Flow{IncomingWindow: 10, Echo: true})
	require.Nil(t, expect[*wire.Flow](c).Handle)
	c.attachSender(2, "steps")
	c.send(&wire.Flow{IncomingWindow: 10, Handle: number(uint32(2)), Echo: true})
	require.Equal(t, number(uint32(2)), expect[*wire.Flow](c).Handle)
}

func TestTransfer_MayBeSplitOrAborted(t *testing.T) {
	t.Parallel()
	b := startBroker(t, Config{})
	c := connectRaw(t, b, "steps")
	c.attachSender(0, "steps")
	whole := rawMessage("a")
	c.send(&wire.Transfer{DeliveryID: number(uint32(1)), MessageFormat: number(uint32(0)), More: true}, whole[:5]...)
	c.send(&wire.Transfer{More: true}, whole[5:9]...)
	c.send(&wire.Transfer{}, whole[9:]...)
	require.Equal(t, uint32(1), expect[*wire.Disposition](c).First)
	c.send(&wire.Transfer{DeliveryID: number(uint32(2)), More: true}, whole[:5]...)
	c.send(&wire.Transfer{Aborted: true})
	c.send(&wire.Transfer{DeliveryID: number(uint32(3)), Settled: true}, rawMessage("b")...)
	c.transfer(0, 4, rawMessage("c"))
	require.Equal(t, uint32(4), expect[*wire.Disposition](c).First, "a message that was sent settled is not settled again")
	var ids []string
	for _, m := range b.Messages("steps") {
		ids = append(ids, m.MessageID)
	}
	require.Equal(t, []string{"a", "b", "c"}, ids)
}

func TestTransfer_InvalidMessageIsRejectedAndTheLinkStays(t *testing.T) {
	t.Parallel()
	c := connectRaw(t, startBroker(t, Config{}), "steps")
	c.attachSender(0, "steps")
	rejection := func() string {
		rejected, ok := expect[*wire.Disposition](c).State.(wire.Rejected)
		require.True(t, ok)
		return rejected.Error.Condition
	}
	c.transfer(0, 1, []byte{0x10})
	require.Equal(t, decodeError, rejection())
	batch := wire.Append(nil, wire.Described{Descriptor: wire.Ulong(0x75), Value: wire.Binary{0x10}})
	c.send(&wire.Transfer{DeliveryID: number(uint32(2)), MessageFormat: number(wire.FormatBatch)}, batch...)
	require.Equal(t, decodeError, rejection())
	c.transfer(0, 3, make([]byte, maxMessageSize+1))
	require.Equal(t, "amqp:link:message-size-exceeded", rejection())
	c.transfer(0, 4, rawMessage("a"))
	require.Equal(t, wire.Accepted{}, expect[*wire.Disposition](c).State)
}

func TestSessionWindow_HoldsMessagesBack(t *testing.T) {
	t.Parallel()
	b := startBroker(t, Config{})
	c := connectRaw(t, b, "steps")
	c.attachSender(0, "steps")
	for i := range 5 {
		c.transfer(0, uint32(i), rawMessage(fmt.Sprint(i)))
		expect[*wire.Disposition](c)
	}
	c.attachReceiver(1, "steps")
	window := func(next, n uint32) {
		c.send(&wire.Flow{
			NextIncomingID: &next, IncomingWindow: n, Handle: number(uint32(1)),
			DeliveryCount: number(uint32(0)), LinkCredit: number(uint32(5)), Echo: true,
		})
	}
	window(1, 2) // one transfer, the answer to the token, has been sent
	expect[*wire.Transfer](c)
	expect[*wire.Transfer](c)
	c.transfer(0, 5, rawMessage("5"))
	expect[*wire.Disposition](c)
	require.Equal(t, 2, b.Queues()[0].Locked)
	window(3, 1000)
	for range 3 {
		expect[*wire.Transfer](c)
	}
}

func TestSessionWindow_SplitsALargeMessage(t *testing.T) {
	t.Parallel()
	c := connectRaw(t, startBroker(t, Config{}), "steps")
	c.attachSender(0, "steps")
	large := append(rawMessage("a"), wire.Append(nil, wire.Described{
		Descriptor: wire.Ulong(0x75), Value: wire.Binary(make([]byte, 3000)),
	})...)
	c.transfer(0, 1, large)
	expect[*wire.Disposition](c)
	c.attachReceiver(1, "steps")
	window := func(next, n uint32) {
		c.send(&wire.Flow{NextIncomingID: &next, IncomingWindow: n, Handle: number(uint32(1)), LinkCredit: number(uint32(1))})
	}
	window(1, 2)
	require.True(t, expect[*wire.Transfer](c).More)
	require.True(t, expect[*wire.Transfer](c).More)
	window(3, 10)
	parts := 2
	for more := true; more; parts++ {
		transfer := expect[*wire.Transfer](c)
		require.Nil(t, transfer.DeliveryTag)
		more = transfer.More
	}
	require.Equal(t, 4, parts, "the client's frames hold 1024 bytes")
}

func TestDisposition_SettlesARange(t *testing.T) {
	t.Parallel()
	b := startBroker(t, Config{})
	c := connectRaw(t, b, "steps")
	c.attachSender(0, "steps")
	for i := range 3 {
		c.transfer(0, uint32(i), rawMessage(fmt.Sprint(i)))
		expect[*wire.Disposition](c)
	}
	c.attachReceiver(1, "steps")
	c.credit(1, 10, false, false)
	first := *expect[*wire.Transfer](c).DeliveryID
	expect[*wire.Transfer](c)
	expect[*wire.Transfer](c)
	c.send(&wire.Disposition{Role: wire.RoleReceiver, First: first, Last: number(first + 1<<31), State: wire.Received{}})
	c.send(&wire.Disposition{Role: wire.RoleReceiver, First: first, Last: number(first + 1), State: wire.Accepted{}})
	require.Equal(t, first, expect[*wire.Disposition](c).First)
	require.Equal(t, first+1, expect[*wire.Disposition](c).First)
	c.send(&wire.Disposition{Role: wire.RoleReceiver, First: first, State: wire.Accepted{}})
	again := expect[*wire.Disposition](c)
	require.Equal(t, first, again.First)
	require.IsType(t, wire.Rejected{}, again.State, "it is settled already")
	c.send(&wire.Disposition{Role: wire.RoleReceiver, First: 0, Last: number(uint32(1<<32 - 1)), Settled: true, State: wire.Accepted{}})
	c.send(&wire.Flow{IncomingWindow: 10, Echo: true})
	expect[*wire.Flow](c)
	require.Empty(t, b.Messages("steps"))
}

func TestSession_ClientErrorsEndItWithAReason(t *testing.T) {
	t.Parallel()
	b := startBroker(t, Config{})
	flood := func(c *rawClient) {
		c.send(&wire.Attach{Name: "refused", Handle: 9, Role: wire.RoleSender, Target: terminus(0x29, "steps/$DeadLetterQueue")})
		require.Empty(t, wire.Address(expect[*wire.Attach](c).Target))
		require.Equal(t, "amqp:not-allowed", expect[*wire.Detach](c).Error.Condition)
		for range sessionWindow + 10 {
			c.send(&wire.Transfer{Handle: 9})
		}
	}
	for name, x := range map[string]struct {
		condition string
		provoke   func(c *rawClient)
	}{
		"transfer without link": {"amqp:session:unattached-handle", func(c *rawClient) { c.transfer(5, 1, nil) }},
		"flow without link":     {"amqp:session:unattached-handle", func(c *rawClient) { c.credit(5, 1, false, false) }},
		"handle too high": {"amqp:session:handle-in-use", func(c *rawClient) {
			c.send(&wire.Attach{Name: "x", Handle: handleMax + 1, Target: terminus(0x29, "steps")})
		}},
		"handle twice": {"amqp:session:handle-in-use", func(c *rawClient) {
			c.attachSender(1, "steps")
			c.send(&wire.Attach{Name: "x", Handle: 1, Target: terminus(0x29, "steps")})
		}},
		"message without id": {"amqp:invalid-field", func(c *rawClient) {
			c.attachSender(1, "steps")
			c.send(&wire.Transfer{Handle: 1})
		}},
		"an open in a session":                           {"amqp:not-allowed", func(c *rawClient) { c.send(&wire.Open{ContainerID: "again"}) }},
		"transfers on a rejected link beyond the window": {"", flood},
	} {
		c := connectRaw(t, b, "steps")
		x.provoke(c)
		if x.condition == "" { // flows keep the window open
			c.send(&wire.Flow{IncomingWindow: 10, Echo: true})
			expect[*wire.Flow](c)
			continue
		}
		require.Equal(t, x.condition, expect[*wire.End](c).Error.Condition, name)
		c.send(&wire.Flow{IncomingWindow: 10, Echo: true}) // ignored
		c.send(&wire.End{})
		c.send(&wire.Begin{IncomingWindow: 10, OutgoingWindow: 10})
		expect[*wire.Begin](c) // the channel can be used again
	}
}

func TestConnection_ClientErrorsCloseItWithAReason(t *testing.T) {
	t.Parallel()
	b := startBroker(t, Config{})
	for name, x := range map[string]struct {
		condition string
		bytes     []byte
	}{
		"not a frame":        {decodeError, []byte{0, 0, 0, 1, 2, 0, 0, 0}},
		"a SASL frame":       {"amqp:connection:framing-error", wire.AppendFrame(nil, wire.Frame{Type: wire.FrameSASL})},
		"no session":         {"amqp:illegal-state", wire.AppendFrame(nil, wire.Frame{Channel: 4, Performative: &wire.End{}})},
		"a second begin":     {"amqp:illegal-state", wire.AppendFrame(nil, wire.Frame{Performative: &wire.Begin{}})},
		"a channel too high": {"amqp:connection:framing-error", wire.AppendFrame(nil, wire.Frame{Channel: channelMax + 1, Performative: &wire.Begin{}})},
	} {
		c := connectRaw(t, b, "steps")
		_, err := c.socket.Write(x.bytes)
		require.NoError(t, err)
		require.Equal(t, x.condition, expect[*wire.Close](c).Error.Condition, name)
	}
	c := connectRaw(t, b, "steps")
	c.send(&wire.Close{})
	require.Nil(t, expect[*wire.Close](c).Error)
}

func TestAttach_WithoutATokenIsUnauthorized(t *testing.T) {
	t.Parallel()
	b := startBroker(t, Config{Queues: []QueueConfig{{Name: "steps"}, {Name: "other"}}})
	c := connectRaw(t, b, "steps")
	for handle, address := range []string{"other", "other/$management"} {
		c.send(&wire.Attach{Name: "x", Handle: uint32(handle), Role: wire.RoleReceiver, Source: terminus(0x28, address)})
		require.Empty(t, wire.Address(expect[*wire.Attach](c).Source))
		detach := expect[*wire.Detach](c)
		require.Equal(t, "amqp:unauthorized-access", detach.Error.Condition)
		require.Contains(t, detach.Error.Description, "'Listen' claim(s) are required to perform this operation")
	}
}
