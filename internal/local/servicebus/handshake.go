package servicebus

import (
	"fmt"
	"io"
	"slices"
	"time"

	"azbackupflow/internal/local/servicebus/wire"
)

// saslMechanisms are the mechanisms that the broker accepts. Neither carries
// credentials: clients authenticate later, with the tokens that they send to $cbs.
// MSSBCBS is Service Bus's own. The .NET client and Python's uAMQP require it; go-amqp
// and rhea use ANONYMOUS.
func saslMechanisms() []string { return []string{"ANONYMOUS", "MSSBCBS"} }

// handshake opens the connection: SASL, then AMQP. Until both sides have sent open,
// a failure cuts the connection without a Close frame, which the client could not
// decode.
func (c *conn) handshake(r io.Reader) error {
	if err := c.socket.SetReadDeadline(systemClock{}.Now().Add(handshakeTimeout)); err != nil {
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
	c.opened.Store(true)
	c.tasks.Go(c.keepAlive)
	// An open connection may stay silent without limit.
	return c.socket.SetReadDeadline(time.Time{})
}

// keepAlive sends empty frames until the connection ends. It starts after open: an
// AMQP frame within the SASL layer would be invalid.
func (c *conn) keepAlive() {
	beat := time.NewTicker(c.broker.heartbeat)
	defer beat.Stop()
	for {
		select {
		case <-beat.C:
			c.out.put(func(b []byte) []byte { return wire.AppendFrame(b, wire.Frame{}) })
		case <-c.done:
			return
		}
	}
}

// exchangeHeader reads a protocol header and answers with the supported one. An
// unsupported header is answered too, as the specification demands (part 2, section
// 2.2), and ends the connection.
func (c *conn) exchangeHeader(r io.Reader, want wire.ProtocolHeader) error {
	var got wire.ProtocolHeader
	if _, err := io.ReadFull(r, got[:]); err != nil {
		return err
	}
	mark := c.out.put(func(b []byte) []byte { return append(b, want[:]...) })
	if got != want {
		c.out.wait(mark)
		c.log.Warn("client rejected: it does not speak AMQP 1.0 with SASL", "header", fmt.Sprintf("%q", got[:]))
		return io.EOF
	}
	return nil
}

func (c *conn) authenticate(r io.Reader) error {
	c.sendSASL(&wire.SASLMechanisms{Mechanisms: saslMechanisms()})
	f, err := readFrame(r, wire.FrameSASL)
	if err != nil {
		return err
	}
	outcome := &wire.SASLOutcome{Code: wire.SASLOK}
	init, ok := f.Performative.(*wire.SASLInit)
	if !ok || !slices.Contains(saslMechanisms(), init.Mechanism) {
		outcome.Code = wire.SASLAuth
	}
	mark := c.sendSASL(outcome)
	if outcome.Code != wire.SASLOK {
		c.out.wait(mark)
		c.log.Warn("client rejected: it supports no offered SASL mechanism", "offered", saslMechanisms())
		return io.EOF
	}
	return nil
}

func (c *conn) sendSASL(p wire.Performative) (mark uint64) {
	return c.out.put(func(b []byte) []byte {
		return wire.AppendFrame(b, wire.Frame{Type: wire.FrameSASL, Performative: p})
	})
}
