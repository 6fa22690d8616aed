package servicebus

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"azbackupflow/internal/local/servicebus/wire"
)

const (
	maxFrameSize     = 65536
	channelMax       = 1023
	handshakeTimeout = 30 * time.Second
	closeTimeout     = time.Second
)

// conn is one connection of a client. Its goroutines are a reader, a writer, the
// heartbeat and one for each session.
type conn struct {
	broker *Broker
	socket net.Conn
	out    *writeBuffer
	done   chan struct{} // closed when the connection is cut
	once   sync.Once
	log    *slog.Logger
	tasks  sync.WaitGroup
	claims *claims
	opened atomic.Bool // open has been sent
	// tokenLink is the link on which the client sends tokens, nil without one.
	tokenLink atomic.Pointer[tokenLink]

	peerMaxFrame uint32 // set by the handshake, before the first session
	// ending are the sessions that the client has ended and that may still have frames
	// to answer. The reader owns it.
	ending []*session

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
			c.log.Debug("connection not closed", "error", err)
		}
	})
}

// shutdown sends a Close frame with the reason, if the connection is open, and cuts
// the connection.
func (c *conn) shutdown(reason *wire.Error) {
	// A client that does not read must not delay the shutdown.
	err := c.socket.SetWriteDeadline(systemClock{}.Now().Add(closeTimeout))
	if err == nil && c.opened.Load() {
		c.out.wait(c.send(0, &wire.Close{Error: reason}, nil))
	}
	c.close()
}

// answerClose closes the connection after the client has closed it. No frame may follow
// a Close, so it first waits for the sessions that the client has ended.
func (c *conn) answerClose() {
	// A client that does not read must not delay this.
	if err := c.socket.SetWriteDeadline(systemClock{}.Now().Add(closeTimeout)); err == nil {
		for _, s := range c.ending {
			<-s.finished
		}
	}
	c.shutdown(nil)
}

// send adds one frame to the write buffer and returns its mark.
func (c *conn) send(channel uint16, p wire.Performative, payload []byte) (mark uint64) {
	return c.out.put(func(b []byte) []byte {
		return wire.AppendFrame(b, wire.Frame{Type: wire.FrameAMQP, Channel: channel, Performative: p, Payload: payload})
	})
}

// serve runs the connection until it ends. It returns when all goroutines of the
// connection have ended.
func (c *conn) serve() {
	c.tasks.Go(func() {
		if err := c.out.run(c.socket, c.done); err != nil {
			c.log.Debug("write failed", "error", err)
			c.close()
		}
	})
	err := c.read()
	var broken *connError
	switch {
	case errors.As(err, &broken):
		c.log.Warn("connection closed: client error", "error", err)
		c.shutdown(&broken.reason)
	case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed):
		c.log.Debug("connection lost", "error", err)
	}
	c.close()
	c.tasks.Wait()
}

// connError closes a connection with an error for the client.
type connError struct{ reason wire.Error }

func (e *connError) Error() string {
	return fmt.Sprintf("%s: %s", e.reason.Condition, e.reason.Description)
}

func connErrorf(condition, format string, args ...any) error {
	return &connError{wire.Error{Condition: condition, Description: fmt.Sprintf(format, args...)}}
}

// read does the handshake and then passes each frame to its session. It returns nil
// when the client has closed the connection.
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
		case nil: // a heartbeat
		case *wire.Begin:
			err = c.begin(f.Channel, p)
		case *wire.Close:
			c.answerClose()
			return nil
		default:
			err = c.route(f)
		}
		if err != nil {
			return err
		}
	}
}

// readFrame reads a frame of one type. A malformed frame is a connError.
func readFrame(r io.Reader, kind byte) (wire.Frame, error) {
	f, err := wire.ReadFrame(r, maxFrameSize)
	if errors.Is(err, wire.ErrMalformed) {
		return f, connErrorf(decodeError, "%v", err)
	}
	if err == nil && f.Type != kind {
		return f, connErrorf("amqp:connection:framing-error", "frame of type %d instead of %d", f.Type, kind)
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
		return connErrorf("amqp:illegal-state", "channel %d already has a session", channel)
	}
	s := newSession(c, channel, p)
	c.sessions[channel] = s
	c.tasks.Go(s.run)
	return nil
}

// route passes a frame to its session. An End frees the channel and the token link
// at once, because clients use them again as soon as they see the answer.
func (c *conn) route(f wire.Frame) error {
	c.mu.Lock()
	s := c.sessions[f.Channel]
	if _, ends := f.Performative.(*wire.End); ends {
		delete(c.sessions, f.Channel)
		c.releaseTokenLinks(s)
		c.addEnding(s)
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

// addEnding adds a session to those that are ending, without those that have ended.
func (c *conn) addEnding(s *session) {
	c.ending = slices.DeleteFunc(c.ending, func(s *session) bool {
		select {
		case <-s.finished:
			return true
		default:
			return false
		}
	})
	if s != nil {
		c.ending = append(c.ending, s)
	}
}

func (c *conn) eachSession(f func(*session)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.sessions {
		f(s)
	}
}
