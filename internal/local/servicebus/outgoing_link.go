package servicebus

import (
	"encoding/binary"

	"azbackupflow/internal/local/servicebus/wire"
)

// frameOverhead is an upper bound for the bytes of a transfer frame without its
// payload.
const frameOverhead = 128

// delivery is a message that was sent to the client and is not settled.
type delivery struct {
	node  *node
	token wire.UUID
	id    string // message id
}

// pump sends messages while links have credit and the session has window. After
// maxPump messages it schedules the rest, so that incoming frames are handled in
// between.
func (s *session) pump() {
	sent := 0
	for progress := true; progress; {
		progress = false
		for _, out := range s.outgoing {
			if s.remoteWindow == 0 || len(s.backlog) > 0 {
				return
			}
			if out.credit > 0 && s.sendNext(out) {
				progress = true
				sent++
			}
		}
		if sent >= maxPump {
			s.wake()
			return
		}
	}
	for _, out := range s.outgoing {
		if out.drain {
			s.drained(out)
		}
	}
}

// sendNext sends one message or reply and reports whether there was one.
func (s *session) sendNext(out *outgoingLink) bool {
	if out.service == messages {
		return s.deliverNext(out)
	}
	if len(out.replies) == 0 {
		return false
	}
	reply := out.replies[0]
	out.replies = out.replies[1:]
	s.sendMessage(out, nil, reply)
	return true
}

// deliverNext receives the next message of a node for the client.
func (s *session) deliverNext(out *outgoingLink) bool {
	m, found := out.node.reserve(s)
	if !found {
		return false
	}
	moments := s.conn.broker.moments("receive", out.node, m.ID)
	moments.before()
	m, found = out.node.deliver(m.SequenceNumber, out.settled)
	if !found {
		return true
	}
	moments.during()
	var mark uint64
	if out.settled {
		mark = s.sendMessage(out, nil, encode(m))
	} else {
		s.unsettled[s.nextDeliveryID] = delivery{node: out.node, token: m.LockToken, id: m.ID}
		mark = s.sendMessage(out, deliveryTag(m.LockToken), encodeLocked(m))
	}
	moments.after(s.conn.out, mark)
	return true
}

// sendMessage sends one message in as many frames as necessary. Without a tag it is
// sent settled, with its delivery id as the tag.
func (s *session) sendMessage(out *outgoingLink, tag, payload []byte) (mark uint64) {
	id, format := s.nextDeliveryID, uint32(0)
	s.nextDeliveryID++
	out.credit--
	out.deliveryCount++
	p := &wire.Transfer{Handle: out.handle, DeliveryID: &id, MessageFormat: &format, DeliveryTag: tag}
	if tag == nil {
		p.Settled = true
		p.DeliveryTag = binary.BigEndian.AppendUint32(nil, id)
	}
	limit := int(s.conn.peerMaxFrame) - frameOverhead
	for len(payload) > limit {
		part := *p
		part.More = true
		s.sendTransfer(&part, payload[:limit])
		payload = payload[limit:]
		p = &wire.Transfer{Handle: out.handle, Settled: p.Settled}
	}
	return s.sendTransfer(p, payload)
}

// drained uses up the credit for which there was no message, and reports it.
func (s *session) drained(out *outgoingLink) {
	out.deliveryCount += out.credit
	out.credit = 0
	out.drain = false
	state := out.state()
	state.drain = true
	s.sendFlow(state)
}
