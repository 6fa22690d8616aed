package servicebus

import (
	"bufio"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/servicebus/wire"
)

// rawClient sends arbitrary frames on one session, channel 0.
type rawClient struct {
	t      *testing.T
	socket net.Conn
	r      *bufio.Reader
}

func number[T any](v T) *T { return &v }

// rawHello returns all bytes that a client sends until it has a session.
func rawHello() []byte {
	sasl, amqp := wire.SASLHeader(), wire.AMQPHeader()
	b := append([]byte{}, sasl[:]...)
	b = wire.AppendFrame(b, wire.Frame{Type: wire.FrameSASL, Performative: &wire.SASLInit{Mechanism: "ANONYMOUS"}})
	b = append(b, amqp[:]...)
	b = wire.AppendFrame(b, wire.Frame{Performative: &wire.Open{ContainerID: "raw", MaxFrameSize: 1024}})
	return wire.AppendFrame(b, wire.Frame{Performative: &wire.Begin{IncomingWindow: 10, OutgoingWindow: 10}})
}

// connectRaw begins a session and sends a token for the queue.
func connectRaw(t *testing.T, b *Broker, queue string) *rawClient {
	t.Helper()
	return connectRawWith(t, b, queue, b.keys[0])
}

func connectRawWith(t *testing.T, b *Broker, queue string, key AccessKey) *rawClient {
	t.Helper()
	socket, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", b.Address())
	require.NoError(t, err)
	t.Cleanup(func() { _ = socket.Close() })
	require.NoError(t, socket.SetDeadline(systemClock{}.Now().Add(time.Minute)))
	c := &rawClient{t: t, socket: socket, r: bufio.NewReader(socket)}
	_, err = socket.Write(rawHello())
	require.NoError(t, err)
	_, err = c.r.Discard(8)
	require.NoError(t, err)
	require.Equal(t, &wire.SASLMechanisms{Mechanisms: saslMechanisms()}, c.read().Performative)
	require.Equal(t, &wire.SASLOutcome{Code: wire.SASLOK}, c.read().Performative)
	_, err = c.r.Discard(8)
	require.NoError(t, err)
	expect[*wire.Open](c)
	begun := expect[*wire.Begin](c)
	require.Equal(t, number(uint16(0)), begun.RemoteChannel)
	c.putToken(b, queue, key)
	return c
}

func (c *rawClient) read() wire.Frame {
	c.t.Helper()
	f, err := wire.ReadFrame(c.r, maxFrameSize)
	require.NoError(c.t, err)
	return f
}

// expect reads a frame of the wanted type. It skips flows and heartbeats.
func expect[T wire.Performative](c *rawClient) T {
	c.t.Helper()
	p, _ := expectPayload[T](c)
	return p
}

func expectPayload[T wire.Performative](c *rawClient) (T, []byte) {
	c.t.Helper()
	for {
		f := c.read()
		if p, ok := f.Performative.(T); ok {
			return p, f.Payload
		}
		_, isFlow := f.Performative.(*wire.Flow)
		require.True(c.t, isFlow || f.Performative == nil, "unexpected %T %+v", f.Performative, f.Performative)
	}
}

func (c *rawClient) send(p wire.Performative, payload ...byte) {
	c.t.Helper()
	_, err := c.socket.Write(wire.AppendFrame(nil, wire.Frame{Performative: p, Payload: payload}))
	require.NoError(c.t, err)
}

func terminus(code wire.Ulong, address string) wire.Value {
	return wire.Described{Descriptor: code, Value: wire.List{wire.String(address)}}
}

// attachSender attaches a link on which the client sends, and reads the answer and the
// credit.
func (c *rawClient) attachSender(handle uint32, address string) *wire.Attach {
	c.t.Helper()
	c.send(&wire.Attach{Name: fmt.Sprint("to ", address, handle), Handle: handle, Role: wire.RoleSender, Target: terminus(0x29, address)})
	answer := expect[*wire.Attach](c)
	flow := expect[*wire.Flow](c)
	require.Equal(c.t, number(uint32(incomingCredit)), flow.LinkCredit)
	return answer
}

func (c *rawClient) attachReceiver(handle uint32, address string) {
	c.t.Helper()
	c.send(&wire.Attach{
		Name: fmt.Sprint("from ", address, handle), Handle: handle, Role: wire.RoleReceiver,
		ReceiveSettleMode: number(wire.ReceiveSecond), Source: terminus(0x28, address),
	})
	answer := expect[*wire.Attach](c)
	require.Equal(c.t, number(uint32(0)), answer.InitialDeliveryCount)
	require.Equal(c.t, number(wire.ReceiveSecond), answer.ReceiveSettleMode)
}

func (c *rawClient) credit(handle, n uint32, drain, echo bool) {
	c.t.Helper()
	c.send(&wire.Flow{
		NextIncomingID: number(uint32(0)), IncomingWindow: 1000, Handle: &handle,
		DeliveryCount: number(uint32(0)), LinkCredit: &n, Drain: drain, Echo: echo,
	})
}

// rawMessage returns a message with an id and a text.
func rawMessage(id string) []byte {
	b := wire.Append(nil, wire.Described{Descriptor: wire.Ulong(0x73), Value: wire.List{wire.String(id)}})
	return wire.Append(b, wire.Described{Descriptor: wire.Ulong(0x75), Value: wire.Binary("text")})
}

// transfer sends a message in as many frames as necessary.
func (c *rawClient) transfer(handle, id uint32, payload []byte) {
	c.t.Helper()
	const limit = 60_000
	p := &wire.Transfer{Handle: handle, DeliveryID: &id, DeliveryTag: []byte{1}, MessageFormat: number(uint32(0))}
	for len(payload) > limit {
		p.More = true
		c.send(p, payload[:limit]...)
		payload = payload[limit:]
		p = &wire.Transfer{Handle: handle}
	}
	c.send(p, payload...)
}

func (c *rawClient) putToken(b *Broker, queue string, key AccessKey) {
	c.t.Helper()
	audience := "amqp://" + b.Address() + "/" + queue
	request := wire.Response(nil, wire.Map{
		{Key: wire.String("operation"), Value: wire.String("put-token")},
		{Key: wire.String("type"), Value: wire.String("servicebus.windows.net:sastoken")},
		{Key: wire.String("name"), Value: wire.String(audience)},
	}, wire.String(sign(key.Key, key.Name, audience, systemClock{}.Now().Add(time.Hour)))).WithMessageID("token")
	c.attachSender(200, cbsAddress)
	c.attachReceiver(201, cbsAddress)
	c.transfer(200, 0, request.Append(nil))
	require.Equal(c.t, wire.Accepted{}, expect[*wire.Disposition](c).State)
	c.credit(201, 1, false, false) // the reply waits for it
	_, payload := expectPayload[*wire.Transfer](c)
	reply, err := wire.DecodeMessage(payload)
	require.NoError(c.t, err)
	require.Equal(c.t, wire.Int(202), reply.ApplicationProperties.Get("status-code"))
	for _, handle := range []uint32{200, 201} {
		c.send(&wire.Detach{Handle: handle, Closed: true})
		require.True(c.t, expect[*wire.Detach](c).Closed)
	}
}
