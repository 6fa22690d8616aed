package servicebus

import (
	"bytes"
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestNew_RejectsAnInvalidConfig(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]Config{
		"no name":           {Queues: []QueueConfig{{}}},
		"a dollar":          {Queues: []QueueConfig{{Name: "a$b"}}},
		"negative":          {Queues: []QueueConfig{{Name: "a", LockDuration: -time.Second}}},
		"twice":             {Queues: []QueueConfig{{Name: "a"}, {Name: "A"}}},
		"slash at the end":  {Queues: []QueueConfig{{Name: "a/"}}},
		"semicolon in key":  {Key: "a;b"},
		"key without name":  {Keys: []AccessKey{{Key: "k"}}},
		"key without value": {Keys: []AccessKey{{Name: "k"}}},
		"key twice":         {Keys: []AccessKey{{Name: "local", Key: "k"}}},
		"negative topic":    {Topics: []TopicConfig{{Name: "a", DefaultTTL: -time.Second}}},
		"unlistenable port": {Address: "127.0.0.1:99999"},
	} {
		_, err := New(cfg)
		require.Error(t, err, name)
	}
}

func TestClose_EndsConnections(t *testing.T) {
	t.Parallel()
	b, err := New(Config{Queues: []QueueConfig{{Name: "steps"}}})
	require.NoError(t, err)
	client := connect(t, b)
	send(t, newSender(t, client, "steps"), "a")
	receiving := make(chan struct{})
	receiver := newReceiver(t, client, "steps")
	receive(t, receiver)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		defer close(receiving)
		_, _ = receiver.ReceiveMessages(ctx, 1, nil) // it must return, with or without an error
	}()
	require.NoError(t, b.Close())
	require.NoError(t, b.Close(), "closing twice does nothing")
	<-receiving
	_, err = (&net.Dialer{}).DialContext(t.Context(), "tcp", b.Address())
	require.Error(t, err)
}

func TestMessages_OfAnUnknownQueueAreNil(t *testing.T) {
	t.Parallel()
	b := startBroker(t, Config{})
	require.Nil(t, b.Messages("nowhere"))
	require.Nil(t, b.Messages("steps/$management"))
	require.NotNil(t, b.Messages("amqp://somewhere:1/steps/$DeadLetterQueue"))
}

func TestHandshake_RejectsOtherProtocols(t *testing.T) {
	t.Parallel()
	b := startBroker(t, Config{})
	for _, hello := range []string{"GET / HTTP/1.1\r\n\r\n", "AMQP\x00\x01\x00\x00", "AMQP\x00\x00\x09\x01"} {
		socket, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", b.Address())
		require.NoError(t, err)
		_, err = socket.Write([]byte(hello))
		require.NoError(t, err)
		answer, _ := io.ReadAll(socket) // a reset after the answer is allowed
		require.True(t, len(answer) == 0 || bytes.Equal(answer, []byte("AMQP\x03\x01\x00\x00")), "%q", answer)
		require.NoError(t, socket.Close())
	}
	send(t, newSender(t, connect(t, b), "steps"), "a")
}

// A client that sends without reading must neither exhaust the memory nor block Close.
func TestWriteBuffer_BlocksWritersWhenFull(t *testing.T) {
	t.Parallel()
	o := newWriteBuffer()
	big := make([]byte, maxBuffered+1)
	o.put(func(b []byte) []byte { return append(b, big...) })
	second := make(chan uint64)
	go func() { second <- o.put(func(b []byte) []byte { return append(b, 1) }) }()
	select {
	case <-second:
		require.Fail(t, "the buffer exceeded its limit")
	default:
	}
	done := make(chan struct{})
	ran := make(chan error)
	go func() { ran <- o.run(io.Discard, done) }()
	mark := <-second
	o.wait(mark)
	close(done)
	require.NoError(t, <-ran)
	require.Equal(t, mark, o.put(func(b []byte) []byte { return append(b, 1) }), "a closed buffer accepts nothing")
}

func TestHeartbeat_KeepsASilentConnectionAlive(t *testing.T) {
	t.Parallel()
	c := connectRaw(t, startBroker(t, Config{Heartbeat: time.Millisecond}), "steps")
	for range 3 {
		for c.read().Performative != nil { // flows of the handshake
		}
	}
}
