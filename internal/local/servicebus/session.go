package servicebus

import (
	"errors"
	"fmt"
	"sync"

	"azbackupflow/internal/local/servicebus/wire"
)

const (
	sessionWindow = 5000
	handleMax     = 255
	// maxPump is the number of messages that a session sends before it handles
	// incoming frames again.
	maxPump = 64
)

// session is one session of a connection. One goroutine (run) owns its state, so that
// links need no locks. Other goroutines use only frames, wake and post.
type session struct {
	conn    *conn
	channel uint16
	frames  chan wire.Frame
	wakeup  chan struct{}
	// finished is closed when the goroutine has ended.
	finished chan struct{}

	mu    sync.Mutex
	posts []func()

	incoming  map[uint32]*incomingLink // links on which the client sends, by handle
	outgoing  map[uint32]*outgoingLink // links on which the broker sends, by handle
	detached  map[uint32]bool          // handles that the broker has detached and the client has not
	unsettled map[uint32]delivery      // by delivery id

	nextIncomingID uint32
	sinceFlow      uint32 // transfers received since the last flow to the client
	nextOutgoingID uint32
	nextDeliveryID uint32
	remoteWindow   uint32
	backlog        []queuedTransfer // transfers that wait for the window
	ended          bool             // the broker has ended the session, the client has not
}

// queuedTransfer is a transfer that waits for the session window.
type queuedTransfer struct {
	transfer *wire.Transfer
	payload  []byte
}

// sessionError ends a session with an error for the client.
type sessionError struct{ reason wire.Error }

func (e *sessionError) Error() string {
	return fmt.Sprintf("%s: %s", e.reason.Condition, e.reason.Description)
}

func sessionErrorf(condition, format string, args ...any) error {
	return &sessionError{wire.Error{Condition: condition, Description: fmt.Sprintf(format, args...)}}
}

func newSession(c *conn, channel uint16, p *wire.Begin) *session {
	return &session{
		conn:           c,
		channel:        channel,
		frames:         make(chan wire.Frame, 64),
		wakeup:         make(chan struct{}, 1),
		finished:       make(chan struct{}),
		incoming:       make(map[uint32]*incomingLink),
		outgoing:       make(map[uint32]*outgoingLink),
		detached:       make(map[uint32]bool),
		unsettled:      make(map[uint32]delivery),
		nextIncomingID: p.NextOutgoingID,
		nextOutgoingID: 0,
		remoteWindow:   min(p.IncomingWindow, maxWindow),
	}
}

// wake makes the session look for messages to send.
func (s *session) wake() {
	select {
	case s.wakeup <- struct{}{}:
	default:
	}
}

// post runs f on the session's goroutine.
func (s *session) post(f func()) {
	s.mu.Lock()
	s.posts = append(s.posts, f)
	s.mu.Unlock()
	s.wake()
}

func (s *session) run() {
	defer close(s.finished)
	defer s.release()
	window, handles := uint32(sessionWindow), uint32(handleMax)
	s.send(&wire.Begin{RemoteChannel: &s.channel, IncomingWindow: window, OutgoingWindow: window, HandleMax: &handles})
	for {
		select {
		case f := <-s.frames:
			if end, over := f.Performative.(*wire.End); over {
				s.answerEnd(end)
				return
			}
			if s.ended {
				continue
			}
			if err := s.handle(f); err != nil {
				s.fail(err)
			}
		case <-s.wakeup:
			s.runPosts()
		case <-s.conn.done:
			return
		}
		if !s.ended {
			s.pump()
		}
	}
}

func (s *session) runPosts() {
	s.mu.Lock()
	posts := s.posts
	s.posts = nil
	s.mu.Unlock()
	for _, f := range posts {
		if !s.ended {
			f()
		}
	}
}

// release removes the session from the waiters of its nodes and frees the token link
// of the connection. Locked messages stay locked.
func (s *session) release() {
	for _, out := range s.outgoing {
		if out.node != nil {
			out.node.forget(s)
		}
	}
	s.conn.releaseTokenLinks(s)
}

func (s *session) answerEnd(end *wire.End) {
	if end.Error != nil {
		s.conn.log.Warn("session ended by the client", "error", end.Error.Condition, "text", end.Error.Description)
	}
	if !s.ended {
		s.send(&wire.End{})
	}
}

// fail ends the session because of a client error.
func (s *session) fail(err error) {
	reason := wire.Error{Condition: "amqp:internal-error", Description: err.Error()}
	var known *sessionError
	if errors.As(err, &known) {
		reason = known.reason
	}
	s.conn.log.Warn("session ended: client error", "error", err)
	s.release()
	s.send(&wire.End{Error: &reason})
	s.ended = true
}

func (s *session) send(p wire.Performative) (mark uint64) { return s.conn.send(s.channel, p, nil) }

func (s *session) handle(f wire.Frame) error {
	switch p := f.Performative.(type) {
	case *wire.Attach:
		return s.attach(p)
	case *wire.Detach:
		s.clientDetached(p)
	case *wire.Transfer:
		return s.transfer(p, f.Payload)
	case *wire.Flow:
		return s.flow(p)
	case *wire.Disposition:
		s.dispose(p)
	default:
		return sessionErrorf("amqp:not-allowed", "%T within a session", p)
	}
	return nil
}
