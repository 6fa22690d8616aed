package servicebus

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/servicebus/wire"
)

// window returns a flow that lets the broker send the given number of transfers more.
func (c *rawClient) window(n uint32) *wire.Flow {
	c.t.Helper()
	c.send(&wire.Flow{Echo: true})
	return &wire.Flow{NextIncomingID: number(expect[*wire.Flow](c).NextOutgoingID), IncomingWindow: n}
}

// Without room in the client's window the broker keeps a transfer, and sends it when
// there is room.
func TestWindow_HoldsTransfersBack(t *testing.T) {
	t.Parallel()
	c := connectRaw(t, startBroker(t, Config{}), "steps")
	c.attachSender(0, "steps")
	for n := range uint32(2) {
		c.transfer(0, n, rawMessage(fmt.Sprint("m", n)))
		expect[*wire.Disposition](c)
	}
	c.attachReceiver(1, "steps")
	granted := c.window(1)
	granted.Handle, granted.DeliveryCount, granted.LinkCredit = number(uint32(1)), number(uint32(0)), number(uint32(2))
	c.send(granted)
	expect[*wire.Transfer](c)
	c.transfer(0, 2, rawMessage("m2"))
	expect[*wire.Disposition](c) // and no transfer before it
	c.send(c.window(5))
	expect[*wire.Transfer](c)
}

// A message of several transfers is held back too, in between.
func TestWindow_HoldsTheRestOfAMessageBack(t *testing.T) {
	t.Parallel()
	c := connectRaw(t, startBroker(t, Config{}), "steps")
	c.attachSender(0, "steps")
	long := wire.Append(nil, wire.Described{Descriptor: wire.Ulong(0x75), Value: wire.Binary(make([]byte, 1500))})
	c.transfer(0, 0, long)
	expect[*wire.Disposition](c)
	c.attachReceiver(1, "steps")
	granted := c.window(1)
	granted.Handle, granted.DeliveryCount, granted.LinkCredit = number(uint32(1)), number(uint32(0)), number(uint32(1))
	c.send(granted)
	require.True(t, expect[*wire.Transfer](c).More)
	c.transfer(0, 1, rawMessage("m1"))
	expect[*wire.Disposition](c) // and no transfer before it
	c.send(c.window(5))
	require.False(t, expect[*wire.Transfer](c).More)
}

// A flow for a link renews the window too, so the broker needs few of them.
func TestWindow_IsRenewedRarely(t *testing.T) {
	t.Parallel()
	c := connectRaw(t, startBroker(t, Config{}), "steps")
	c.attachSender(0, "steps")
	flows := 0
	for n := range uint32(sessionWindow/2 + 50) {
		c.transfer(0, n, rawMessage(fmt.Sprint("m", n)))
		for answered := false; !answered; {
			switch c.read().Performative.(type) {
			case *wire.Disposition:
				answered = true
			case *wire.Flow:
				flows++
			}
		}
	}
	require.Positive(t, flows)
	require.LessOrEqual(t, flows, 10)
}

// A client may grant credit before it sees that the broker has detached its link.
func TestFlow_OfADetachedLinkIsIgnored(t *testing.T) {
	t.Parallel()
	c := connectRaw(t, startBroker(t, Config{}), "steps")
	c.send(&wire.Attach{Name: "nowhere", Handle: 3, Role: wire.RoleReceiver, Source: terminus(0x28, "nowhere")})
	expect[*wire.Attach](c)
	expect[*wire.Detach](c)
	c.credit(3, 5, false, false)
	c.attachSender(4, "steps") // the session continues
}
