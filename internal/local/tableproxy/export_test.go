package tableproxy

import "net"

// Connections counts the clients' connections that are open. It is zero only
// when nothing is being served.
func (p *Proxy) Connections() int {
	p.listener.mu.Lock()
	defer p.listener.mu.Unlock()
	return len(p.listener.open)
}

// SeesEndOf tells whether the end of a client has arrived.
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
