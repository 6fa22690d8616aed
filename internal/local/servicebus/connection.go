package servicebus

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"azbackupflow/internal/local/servicebus/wire"
)

const (
	maxFrameSize = 65536
	channelMax   = 1023
	// heartbeat is well below the 30 s within which go-amqp must hear something
	// (go-amqp conn.go readFrame).
	heartbeat        = 10 * time.Second
	handshakeTimeOut = 30 * time.Second
	farewellTimeOut  = time.Second
)

// conn is one connection of a client. Its goroutines are a reader, a writer
// and one for each session.
type conn struct {
	broker *Broker
	socket net.Conn
	out    *writeBuffer
	done   chan struct{} // closed when the connection is cut
	once   sync.Once
	log    *slog.Logger
	tasks  sync.WaitGroup
	claims *claims

	peerMaxFrame uint32 // set by the handshake, before there are sessions

	mu       sync.Mutex
	sessions map[uint16]*session // by channel
}

func newConn(b *Broker, socket net.Conn) *conn {
	return &conn{
		broker:   b,
		socket:   socket,
		out:      newWriteBuffer(),
		done:     make(chan struct{}),
		log:      b.log.With("client", socket.RemoteAddr().String()),
		claims:   &claims{},
		sessions: make(map[uint16]*session),
	}
}

// close cuts the connection. It does not wait.
func (c *conn) close() {
	c.once.Do(func() {
		close(c.done)
		c.out.close()
		if err := c.socket.Close(); err != nil {
			c.log.Debug("closing a connection", "error", err)
		}
	})
}

// shutdown tells the client why, and cuts the connection.
func (c *conn) shutdown(reason *wire.Error) {
	// A client that reads nothing must not hold this up.
	if err := c.socket.SetWriteDeadline(systemClock{}.Now().Add(farewellTimeOut)); err == nil {
		c.out.wait(c.send(0, &wire.Close{Error: reason}, nil))
	}
	c.close()
}

// send puts one frame into the writeBuffer and returns its mark.
func (c *conn) send(channel uint16, p wire.Performative, payload []byte) (mark uint64) {
	return c.out.put(func(b []byte) []byte {
		return wire.AppendFrame(b, wire.Frame{Type: wire.FrameAMQP, Channel: channel, Performative: p, Payload: payload})
	})
}

// serve runs the connection until it ends, and returns when all that belongs
// to it has ended.
func (c *conn) serve() {
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	c.tasks.Go(func() {
		if err := c.out.run(c.socket, c.done, beat.C, wire.AppendFrame(nil, wire.Frame{})); err != nil {
			c.log.Debug("writing to a client", "error", err)
			c.close()
		}
	})
	err := c.read()
	var broken *connError
	switch {
	case errors.As(err, &broken):
		c.log.Warn("a connection is closed for an error", "error", err)
		c.shutdown(&broken.reason)
	case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed):
		c.log.Debug("a connection has broken", "error", err)
	}
	c.close()
	c.tasks.Wait()
}

// connError ends a connection with a word to the client.
type connError struct{ reason wire.Error }

func (e *connError) Error() string {
	return fmt.Sprintf("%s: %s", e.reason.Condition, e.reason.Description)
}

func connErrorf(condition, format string, args ...any) error {
	return &connError{wire.Error{Condition: condition, Description: fmt.Sprintf(format, args...)}}
}

// read does the handshake and then hands each frame to its session. It returns
// nil when the client has closed the connection.
func (c *conn) read() error {
	r := bufio.NewReader(c.socket)
	if err := c.handshake(r); err != nil {
		return err
	}
	for {
		f, err := readFrame(r, wire.FrameAMQP)
		if err != nil {
			return err
		}
		switch p := f.Performative.(type) {
		case nil: // only keeps the connection alive
		case *wire.Begin:
			err = c.begin(f.Channel, p)
		case *wire.Close:
			c.shutdown(nil)
			return nil
		default:
			err = c.route(f)
		}
		if err != nil {
			return err
		}
	}
}

// readFrame reads a frame of one type; what is malformed ends the connection.
func readFrame(r io.Reader, kind byte) (wire.Frame, error) {
	f, err := wire.ReadFrame(r, maxFrameSize)
	if errors.Is(err, wire.ErrMalformed) {
		return f, connErrorf(decodeError, "%v", err)
	}
	if err == nil && f.Type != kind {
		return f, connErrorf("amqp:connection:framing-error", "a frame of type %d", f.Type)
	}
	return f, err
}

func (c *conn) begin(channel uint16, p *wire.Begin) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if channel > channelMax {
		return connErrorf("amqp:connection:framing-error", "channel %d is above the maximum of %d", channel, channelMax)
	}
	if c.sessions[channel] != nil {
		return connErrorf("amqp:illegal-state", "channel %d has a session already", channel)
	}
	s := newSession(c, channel, p)
	c.sessions[channel] = s
	c.tasks.Go(s.run)
	return nil
}

// route hands a frame to its session. With its end, the session leaves the
// channel at once: clients begin the next one as soon as they see the answer.
func (c *conn) route(f wire.Frame) error {
	c.mu.Lock()
	s := c.sessions[f.Channel]
	if _, ends := f.Performative.(*wire.End); ends {
		delete(c.sessions, f.Channel)
	}
	c.mu.Unlock()
	if s == nil {
		return connErrorf("amqp:illegal-state", "%T on channel %d, which has no session", f.Performative, f.Channel)
	}
	select {
	case s.frames <- f:
	case <-c.done:
	}
	return nil
}

func (c *conn) eachSession(f func(*session)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.sessions {
		f(s)
	}
}
