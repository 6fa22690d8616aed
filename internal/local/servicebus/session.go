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
	// maxPump is how many messages a session sends before it looks at what has
	// come in.
	maxPump = 64
)

// session is one session of a connection. One goroutine owns all its state
// (run), so that links need no locks; the others talk to it through frames,
// wake and post.
type session struct {
	conn    *conn
	channel uint16
	frames  chan wire.Frame
	wakeup  chan struct{}

	mu    sync.Mutex
	posts []func()

	inbound   map[uint32]*inbound  // links on which the client sends, by handle
	outbound  map[uint32]*outbound // links on which the broker sends, by handle
	refused   map[uint32]bool      // handles that the broker detached and the client has not yet
	unsettled map[uint32]delivery  // by delivery id

	nextIncomingID uint32
	sinceFlow      uint32 // transfers received since the client was last told the window
	nextOutgoingID uint32
	nextDeliveryID uint32
	remoteWindow   uint32
	backlog        []queuedTransfer // transfers that wait for the window
	ended          bool             // the broker ended the session; the client has not yet
}

// queuedTransfer is a transfer that the session window does not allow yet.
type queuedTransfer struct {
	transfer *wire.Transfer
	payload  []byte
}

// sessionError ends a session with a word to the client.
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
		inbound:        make(map[uint32]*inbound),
		outbound:       make(map[uint32]*outbound),
		refused:        make(map[uint32]bool),
		unsettled:      make(map[uint32]delivery),
		nextIncomingID: p.NextOutgoingID,
		nextOutgoingID: 0,
		remoteWindow:   p.IncomingWindow,
	}
}

// wake makes the session look for messages to send.
func (s *session) wake() {
	select {
	case s.wakeup <- struct{}{}:
	default:
	}
}

// post has f run by the session's goroutine.
func (s *session) post(f func()) {
	s.mu.Lock()
	s.posts = append(s.posts, f)
	s.mu.Unlock()
	s.wake()
}

func (s *session) run() {
	defer s.leave()
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

// leave takes the session's links away from the queues. What they hold locked
// stays locked.
func (s *session) leave() {
	for _, out := range s.outbound {
		if out.node != nil {
			out.node.forget(s)
		}
	}
}

func (s *session) answerEnd(end *wire.End) {
	if end.Error != nil {
		s.conn.log.Warn("a client ended a session", "error", end.Error.Condition, "text", end.Error.Description)
	}
	if !s.ended {
		s.send(&wire.End{})
	}
}

// fail ends the session for an error of the client.
func (s *session) fail(err error) {
	reason := wire.Error{Condition: "amqp:internal-error", Description: err.Error()}
	var known *sessionError
	if errors.As(err, &known) {
		reason = known.reason
	}
	s.conn.log.Warn("a session is ended for an error", "error", err)
	s.send(&wire.End{Error: &reason})
	s.leave()
	s.ended = true
}

func (s *session) send(p wire.Performative) (mark uint64) { return s.conn.send(s.channel, p, nil) }

func (s *session) handle(f wire.Frame) error {
	switch p := f.Performative.(type) {
	case *wire.Attach:
		return s.attach(p)
	case *wire.Detach:
		s.detached(p)
	case *wire.Transfer:
		return s.transfer(p, f.Payload)
	case *wire.Flow:
		return s.flow(p)
	case *wire.Disposition:
		s.dispose(p)
	default:
		return sessionErrorf("amqp:not-allowed", "%T in a session", p)
	}
	return nil
}
