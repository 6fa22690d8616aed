package storageproxy

import "net"

// Connections returns the number of open client connections. It is zero only
// when no request is being served.
func (p *Proxy) Connections() int {
	p.listener.mu.Lock()
	defer p.listener.mu.Unlock()
	return len(p.listener.open)
}

// SeesEndOf reports whether the end of a client has arrived.
func (p *Proxy) SeesEndOf(client net.Addr) bool {
	p.listener.mu.Lock()
	defer p.listener.mu.Unlock()
	for c := range p.listener.open {
		if c.RemoteAddr().String() == client.String() {
			return peerClosed(c.Conn)
		}
	}
	return false
}
