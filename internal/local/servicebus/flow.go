package servicebus

import "azbackupflow/internal/local/servicebus/wire"

// maxWindow is the largest window or credit that serial numbers can represent (part
// 2, sections 2.5.6 and 2.8.10: RFC 1982 over 32 bits). Clients announce larger ones,
// such as 4,294,967,295 for "no limit"; they are capped before the arithmetic.
const maxWindow = 1<<31 - 1

// remaining returns how much of a window or credit is left. The peer granted it when
// it had counted peerCount transfers; the broker has counted ownCount since. Both are
// serial numbers, which wrap around.
func remaining(granted, peerCount, ownCount uint32) uint32 {
	inFlight := ownCount - peerCount
	if inFlight > maxWindow { // the peer has counted more than the broker has sent
		inFlight = 0
	}
	granted = min(granted, maxWindow)
	if inFlight >= granted {
		return 0
	}
	return granted - inFlight
}

// flow records the session window and the link credit that the client grants.
func (s *session) flow(p *wire.Flow) error {
	next := uint32(0) // a client that has not seen the broker's begin omits it
	if p.NextIncomingID != nil {
		next = *p.NextIncomingID
	}
	s.remoteWindow = remaining(p.IncomingWindow, next, s.nextOutgoingID)
	s.flushBacklog()
	if p.Handle == nil {
		if p.Echo {
			s.sendFlow(nil)
		}
		return nil
	}
	if out := s.outgoing[*p.Handle]; out != nil {
		s.outgoingFlow(out, p)
		return nil
	}
	if in := s.incoming[*p.Handle]; in != nil {
		if p.Echo {
			s.sendFlow(in.state())
		}
		return nil
	}
	if s.detached[*p.Handle] {
		return nil
	}
	return sessionErrorf("amqp:session:unattached-handle", "flow for handle %d, which has no link", *p.Handle)
}

// outgoingFlow records the credit of a link on which the broker sends.
func (s *session) outgoingFlow(out *outgoingLink, p *wire.Flow) {
	count := uint32(0) // a receiver that has not seen the broker's attach omits it
	if p.DeliveryCount != nil {
		count = *p.DeliveryCount
	}
	if p.LinkCredit != nil {
		out.credit = remaining(*p.LinkCredit, count, out.deliveryCount)
	}
	out.drain = p.Drain
	if p.Echo {
		s.sendFlow(out.state())
	}
}

// linkState is the link part of a flow.
type linkState struct {
	handle, deliveryCount, credit uint32
	drain                         bool
}

// sendFlow sends the state of the session and, unless it is nil, of a link. The flow
// always contains next-incoming-id: go-amqp ends a session that omits it after begin
// (session.go mux).
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

// sendTransfer sends a transfer now, or as soon as the client's window allows it.
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
