package servicebus

import "azbackupflow/internal/local/servicebus/wire"

// flow takes note of the windows and the credit that the client gives.
func (s *session) flow(p *wire.Flow) error {
	next := uint32(0) // a client that has not seen our begin leaves it out
	if p.NextIncomingID != nil {
		next = *p.NextIncomingID
	}
	s.remoteWindow = next + p.IncomingWindow - s.nextOutgoingID
	if s.remoteWindow > 1<<31 { // it wrapped: the client's window has shrunk below what is on its way
		s.remoteWindow = 0
	}
	s.flushBacklog()
	if p.Handle == nil {
		if p.Echo {
			s.sendFlow(nil)
		}
		return nil
	}
	if out := s.outbound[*p.Handle]; out != nil {
		s.outboundFlow(out, p)
		return nil
	}
	if in := s.inbound[*p.Handle]; in != nil {
		if p.Echo {
			s.sendFlow(in.state())
		}
		return nil
	}
	if s.refused[*p.Handle] {
		return nil
	}
	return sessionErrorf("amqp:session:unattached-handle", "a flow for handle %d, which has no link", *p.Handle)
}

// outboundFlow takes the credit for a link on which the broker sends.
func (s *session) outboundFlow(out *outbound, p *wire.Flow) {
	count := uint32(0) // a receiver that has not seen our attach leaves it out
	if p.DeliveryCount != nil {
		count = *p.DeliveryCount
	}
	if p.LinkCredit != nil {
		out.credit = count + *p.LinkCredit - out.deliveryCount
		if out.credit > 1<<31 { // it wrapped: less credit than what is on its way
			out.credit = 0
		}
	}
	out.drain = p.Drain
	if p.Echo {
		s.sendFlow(out.state())
	}
}

// linkState is what a flow says about a link.
type linkState struct {
	handle, deliveryCount, credit uint32
	drain                         bool
}

// sendFlow tells the client the state of the session and, unless it is nil, of
// a link. Once the session has begun a flow without next-incoming-id would end
// it (go-amqp session.go mux).
func (s *session) sendFlow(link *linkState) {
	next := s.nextIncomingID
	p := &wire.Flow{
		NextIncomingID: &next,
		IncomingWindow: sessionWindow,
		NextOutgoingID: s.nextOutgoingID,
		OutgoingWindow: sessionWindow,
	}
	if link != nil {
		p.Handle = &link.handle
		p.DeliveryCount = &link.deliveryCount
		p.LinkCredit = &link.credit
		p.Drain = link.drain
	}
	s.sinceFlow = 0
	s.send(p)
}

// sendTransfer sends a transfer now, or when the client's window allows it.
func (s *session) sendTransfer(p *wire.Transfer, payload []byte) (mark uint64) {
	if s.remoteWindow == 0 || len(s.backlog) > 0 {
		s.backlog = append(s.backlog, queuedTransfer{p, payload})
		return 0
	}
	s.remoteWindow--
	s.nextOutgoingID++
	return s.conn.send(s.channel, p, payload)
}

func (s *session) flushBacklog() {
	waiting := s.backlog
	s.backlog = nil
	for _, t := range waiting {
		s.sendTransfer(t.transfer, t.payload)
	}
}
