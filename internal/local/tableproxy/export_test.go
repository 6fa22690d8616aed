package tableproxy

// Connections counts the clients' connections that are open. It is zero only
// when nothing is being served.
func (p *Proxy) Connections() int {
	p.listener.mu.Lock()
	defer p.listener.mu.Unlock()
	return len(p.listener.open)
}
