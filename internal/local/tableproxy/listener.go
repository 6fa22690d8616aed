package tableproxy

import (
	"net"
	"sync"
)

// listener keeps its port while the service is away, so that nobody else takes
// it, and resets what arrives.
type listener struct {
	net.Listener
	mu   sync.Mutex
	away bool
	open map[*conn]struct{}
}

func newListener(inner net.Listener) *listener {
	return &listener{Listener: inner, open: map[*conn]struct{}{}}
}

// Accept gives the next connection that arrives while the service is there.
func (l *listener) Accept() (net.Conn, error) {
	for {
		inner, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &conn{Conn: inner, listener: l}
		if l.admit(c) {
			return c, nil
		}
		c.reset()
	}
}

func (l *listener) admit(c *conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.away {
		return false
	}
	l.open[c] = struct{}{}
	return true
}

func (l *listener) setAvailable(available bool) {
	l.mu.Lock()
	l.away = !available
	var cut []*conn
	if l.away {
		for c := range l.open {
			cut = append(cut, c)
		}
	}
	l.mu.Unlock()
	for _, c := range cut {
		c.reset()
	}
}

// conn leaves its listener's list when it closes.
type conn struct {
	net.Conn
	listener *listener
}

// Close closes the connection in good order.
func (c *conn) Close() error {
	c.listener.mu.Lock()
	delete(c.listener.open, c)
	c.listener.mu.Unlock()
	return c.Conn.Close()
}

// reset closes with a TCP reset, as a host does that went away.
func (c *conn) reset() {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // A closed connection needs no reset.
	}
	_ = c.Close()
}
