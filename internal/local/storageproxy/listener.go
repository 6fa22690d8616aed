package storageproxy

import (
	"net"
	"sync"
)

// listener keeps its port during an outage, so that no other program takes it,
// and resets every incoming connection.
type listener struct {
	net.Listener
	mu   sync.Mutex
	away bool
	open map[*conn]struct{}
}

func newListener(inner net.Listener) *listener {
	return &listener{Listener: inner, open: map[*conn]struct{}{}}
}

// Accept returns the next connection that arrives while the service is
// available.
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

// conn removes itself from its listener when it closes.
type conn struct {
	net.Conn
	listener *listener
}

// Close closes the connection cleanly.
func (c *conn) Close() error {
	c.listener.mu.Lock()
	delete(c.listener.open, c)
	c.listener.mu.Unlock()
	return c.Conn.Close()
}

// reset closes the connection with a TCP reset, as an unreachable host does.
func (c *conn) reset() {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // A closed connection needs no reset.
	}
	_ = c.Close()
}
