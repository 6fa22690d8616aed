package servicebus

import (
	"io"
	"time"

	"azbackupflow/internal/local/servicebus/wire"
)

// handshake opens the connection: SASL ANONYMOUS, then AMQP. Clients prove who
// they are later, by the tokens that they put to $cbs.
func (c *conn) handshake(r io.Reader) error {
	if err := c.socket.SetReadDeadline(systemClock{}.Now().Add(handshakeTimeOut)); err != nil {
		return err
	}
	if err := c.exchangeHeader(r, wire.SASLHeader()); err != nil {
		return err
	}
	if err := c.authenticate(r); err != nil {
		return err
	}
	if err := c.exchangeHeader(r, wire.AMQPHeader()); err != nil {
		return err
	}
	f, err := readFrame(r, wire.FrameAMQP)
	if err != nil {
		return err
	}
	open, ok := f.Performative.(*wire.Open)
	if !ok {
		return connErrorf("amqp:illegal-state", "%T before open", f.Performative)
	}
	c.peerMaxFrame = maxFrameSize
	if open.MaxFrameSize != 0 {
		c.peerMaxFrame = max(wire.MinMaxFrameSize, min(open.MaxFrameSize, maxFrameSize))
	}
	c.send(0, &wire.Open{ContainerID: "azbackupflow", MaxFrameSize: maxFrameSize, ChannelMax: channelMax}, nil)
	// From here on a client may be silent for as long as it likes.
	return c.socket.SetReadDeadline(time.Time{})
}

// exchangeHeader reads a protocol header and answers with the one that is
// wanted. Any other is answered too, as the specification asks, and ends the
// connection.
func (c *conn) exchangeHeader(r io.Reader, want wire.ProtocolHeader) error {
	var got wire.ProtocolHeader
	if _, err := io.ReadFull(r, got[:]); err != nil {
		return err
	}
	mark := c.out.put(func(b []byte) []byte { return append(b, want[:]...) })
	if got != want {
		c.out.wait(mark)
		c.log.Warn("a client does not speak AMQP 1.0 with SASL", "header", got[:])
		return io.EOF
	}
	return nil
}

func (c *conn) authenticate(r io.Reader) error {
	const anonymous = "ANONYMOUS"
	c.sendSASL(&wire.SASLMechanisms{Mechanism: anonymous})
	f, err := readFrame(r, wire.FrameSASL)
	if err != nil {
		return err
	}
	outcome := &wire.SASLOutcome{Code: wire.SASLOK}
	init, ok := f.Performative.(*wire.SASLInit)
	if !ok || init.Mechanism != anonymous {
		outcome.Code = wire.SASLAuth
	}
	mark := c.sendSASL(outcome)
	if outcome.Code != wire.SASLOK {
		c.out.wait(mark)
		c.log.Warn("a client does not know SASL ANONYMOUS")
		return io.EOF
	}
	return nil
}

func (c *conn) sendSASL(p wire.Performative) (mark uint64) {
	return c.out.put(func(b []byte) []byte {
		return wire.AppendFrame(b, wire.Frame{Type: wire.FrameSASL, Performative: p})
	})
}
