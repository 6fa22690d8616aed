package servicebus

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/servicebus/wire"
)

// Serial numbers wrap around, and clients announce the largest possible number for "no
// limit": Azure.Messaging.ServiceBus for .NET announces a window of 4,294,967,295.
func TestRemaining_CapsExtremesBeforeSerialArithmetic(t *testing.T) {
	t.Parallel()
	const top = math.MaxUint32
	for name, x := range map[string]struct{ granted, peer, own, want uint32 }{
		"nothing":                            {0, 0, 0, 0},
		"one":                                {1, 0, 0, 1},
		"one in flight":                      {1, 0, 1, 0},
		"two in flight of one":               {1, 0, 2, 0},
		"part in flight":                     {10, 100, 104, 6},
		"no limit":                           {top, 0, 0, maxWindow},
		"no limit, some in flight":           {top, 5, 12, maxWindow - 7},
		"no limit, numbers about to wrap":    {top, top, top, maxWindow},
		"no limit, numbers have wrapped":     {top, top - 1, 1, maxWindow - 3},
		"half of the numbers":                {1 << 31, 0, 0, maxWindow},
		"largest window":                     {maxWindow, 0, 0, maxWindow},
		"largest window, in flight":          {maxWindow, 0, maxWindow, 0},
		"numbers have wrapped":               {10, top - 2, 1, 6},
		"peer counts more than was sent":     {10, 5, 4, 10},
		"peer counts far more than was sent": {10, 1 << 30, 0, 10},
		"window below what is in flight":     {3, 0, 5, 0},
	} {
		require.Equal(t, x.want, remaining(x.granted, x.peer, x.own), name)
	}
}

func TestFlow_UnlimitedWindowAndCreditReceive(t *testing.T) {
	t.Parallel()
	const top = math.MaxUint32
	c := connectRaw(t, startBroker(t, Config{}), "steps")
	c.attachSender(0, "steps")
	c.transfer(0, 1, rawMessage("a"))
	expect[*wire.Disposition](c)
	c.attachReceiver(1, "steps")
	c.send(&wire.Flow{
		NextIncomingID: number(uint32(1)), IncomingWindow: top, OutgoingWindow: top, Handle: number(uint32(1)),
		DeliveryCount: number(uint32(0)), LinkCredit: number(uint32(top)),
	})
	expect[*wire.Transfer](c)
}
