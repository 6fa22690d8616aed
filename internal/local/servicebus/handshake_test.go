package servicebus

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/servicebus/wire"
)

func dial(t *testing.T, b *Broker) (net.Conn, *bufio.Reader) {
	t.Helper()
	socket, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", b.Address())
	require.NoError(t, err)
	t.Cleanup(func() { _ = socket.Close() })
	require.NoError(t, socket.SetDeadline(systemClock{}.Now().Add(time.Minute)))
	return socket, bufio.NewReader(socket)
}

func write(t *testing.T, socket net.Conn, b []byte) {
	t.Helper()
	_, err := socket.Write(b)
	require.NoError(t, err)
}

func TestHandshake_AcceptsTheOfferedMechanismsOnly(t *testing.T) {
	t.Parallel()
	b := startBroker(t, Config{})
	sasl := wire.SASLHeader()
	for mechanism, code := range map[string]uint8{
		"ANONYMOUS": wire.SASLOK, "MSSBCBS": wire.SASLOK, "PLAIN": wire.SASLAuth, "": wire.SASLAuth,
	} {
		socket, r := dial(t, b)
		write(t, socket, sasl[:])
		_, err := r.Discard(8)
		require.NoError(t, err)
		f, err := wire.ReadFrame(r, maxFrameSize)
		require.NoError(t, err)
		require.Equal(t, &wire.SASLMechanisms{Mechanisms: []string{"ANONYMOUS", "MSSBCBS"}}, f.Performative)
		write(t, socket, wire.AppendFrame(nil, wire.Frame{Type: wire.FrameSASL, Performative: &wire.SASLInit{Mechanism: mechanism}}))
		f, err = wire.ReadFrame(r, maxFrameSize)
		require.NoError(t, err)
		require.Equal(t, &wire.SASLOutcome{Code: code}, f.Performative, mechanism)
	}
}

// Within the SASL layer and before open, a client expects no AMQP frame. The heartbeat
// here is so short that each pause of the client would see one.
func TestHandshake_SlowClientGetsNoHeartbeatBeforeOpen(t *testing.T) {
	t.Parallel()
	socket, r := dial(t, startBroker(t, Config{Heartbeat: time.Millisecond}))
	silent := func() {
		t.Helper()
		require.NoError(t, socket.SetReadDeadline(systemClock{}.Now().Add(20*time.Millisecond)))
		_, err := r.Peek(1)
		require.ErrorIs(t, err, os.ErrDeadlineExceeded, "the broker sends nothing")
		require.NoError(t, socket.SetReadDeadline(systemClock{}.Now().Add(time.Minute)))
	}
	sasl, amqp := wire.SASLHeader(), wire.AMQPHeader()
	silent()
	write(t, socket, sasl[:])
	_, err := r.Discard(8)
	require.NoError(t, err)
	_, err = wire.ReadFrame(r, maxFrameSize)
	require.NoError(t, err)
	silent()
	write(t, socket, wire.AppendFrame(nil, wire.Frame{Type: wire.FrameSASL, Performative: &wire.SASLInit{Mechanism: "MSSBCBS"}}))
	_, err = wire.ReadFrame(r, maxFrameSize)
	require.NoError(t, err)
	silent()
	write(t, socket, amqp[:])
	_, err = r.Discard(8)
	require.NoError(t, err)
	silent()
	write(t, socket, wire.AppendFrame(nil, wire.Frame{Performative: &wire.Open{ContainerID: "slow"}}))
	f, err := wire.ReadFrame(r, maxFrameSize)
	require.NoError(t, err)
	require.IsType(t, &wire.Open{}, f.Performative)
	for range 3 {
		f, err = wire.ReadFrame(r, maxFrameSize)
		require.NoError(t, err)
		require.Equal(t, wire.Frame{}, f, "the heartbeat")
	}
}

// A client error within the SASL layer cuts the connection. A Close frame would be an
// AMQP frame within the SASL layer.
func TestHandshake_ClientErrorBeforeOpenGetsNoCloseFrame(t *testing.T) {
	t.Parallel()
	b := startBroker(t, Config{})
	sasl := wire.SASLHeader()
	for name, second := range map[string][]byte{
		"no frame":      {0, 0, 0, 1, 2, 1, 0, 0},
		"an AMQP frame": wire.AppendFrame(nil, wire.Frame{Performative: &wire.Open{ContainerID: "early"}}),
	} {
		socket, r := dial(t, b)
		write(t, socket, sasl[:])
		_, err := r.Discard(8)
		require.NoError(t, err)
		_, err = wire.ReadFrame(r, maxFrameSize)
		require.NoError(t, err)
		write(t, socket, second)
		rest, err := io.ReadAll(r)
		require.True(t, err == nil || errors.Is(err, syscall.ECONNRESET), "%s: %v", name, err)
		require.Empty(t, rest, name)
	}
}
