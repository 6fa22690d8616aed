package servicebus

import (
	"fmt"

	"azbackupflow/internal/local/servicebus/store"
	"azbackupflow/internal/local/servicebus/wire"
)

// decodeError is the condition of what is no AMQP.
const decodeError = "amqp:decode-error"

// partial is a message of which more transfers are to come.
type partial struct {
	deliveryID uint32
	format     uint32
	settled    bool
	payload    []byte
	oversized  bool // larger than allowed: read to its end and rejected
}

// transfer takes a message, or a part of one, from the client.
func (s *session) transfer(p *wire.Transfer, payload []byte) error {
	s.nextIncomingID++
	s.sinceFlow++
	if s.sinceFlow >= sessionWindow/2 { // before the client's window is used up
		s.sendFlow(nil)
	}
	in := s.inbound[p.Handle]
	if in == nil {
		if s.refused[p.Handle] { // on its way when the link was detached
			return nil
		}
		return sessionErrorf("amqp:session:unattached-handle", "a transfer on handle %d, which has no link", p.Handle)
	}
	whole, err := in.collect(p, payload)
	if err != nil {
		return err
	}
	if whole != nil && !p.More {
		in.partial = nil
		s.received(in, whole)
	}
	return nil
}

// collect adds a transfer to the message that it is part of. It returns nil
// when the client has aborted the message.
func (in *inbound) collect(p *wire.Transfer, payload []byte) (*partial, error) {
	if in.partial == nil {
		if p.DeliveryID == nil {
			return nil, sessionErrorf("amqp:invalid-field", "a message without a delivery-id")
		}
		in.partial = &partial{deliveryID: *p.DeliveryID}
		if p.MessageFormat != nil {
			in.partial.format = *p.MessageFormat
		}
	}
	in.partial.add(payload, in.maxSize)
	in.partial.settled = in.partial.settled || p.Settled
	if p.Aborted {
		in.partial = nil
	}
	return in.partial, nil
}

// add appends a part, unless the whole becomes larger than the limit.
func (m *partial) add(payload []byte, limit int) {
	switch {
	case m.oversized, len(m.payload)+len(payload) > limit:
		m.oversized = true
		m.payload = nil
	case m.payload == nil: // the usual message comes in one part and needs no copy
		m.payload = payload
	default:
		m.payload = append(m.payload, payload...)
	}
}

// received deals with a whole message, and gives the client new credit.
func (s *session) received(in *inbound, m *partial) {
	in.deliveryCount++
	if in.credit > 0 {
		in.credit--
	}
	switch {
	case m.oversized:
		s.reject(m, "amqp:link:message-size-exceeded",
			fmt.Sprintf("The message is larger than the %d bytes allowed.", in.maxSize))
	case in.service == messages:
		s.accept(in.node, m)
	case in.service == management:
		s.manage(in, m)
	default:
		s.putToken(in, m)
	}
	if in.credit <= inboundCredit/2 && s.inbound[in.handle] == in {
		in.credit = inboundCredit
		s.sendFlow(in.state())
	}
}

// accept puts a message, or a batch of them, into a queue.
func (s *session) accept(n *node, m *partial) {
	sent, err := incoming(m)
	if err != nil {
		s.reject(m, decodeError, err.Error())
		return
	}
	broker := s.conn.broker
	moments := broker.moments("send", n, ids(sent))
	moments.before()
	broker.afflict(n.entity, sent)
	n.enqueue(sent)
	moments.during()
	mark := s.respond(m, wire.Accepted{})
	moments.after(s.conn.out, mark)
}

// reject settles a message of the client with an error.
func (s *session) reject(m *partial, condition, description string) {
	s.respond(m, wire.Rejected{Error: &wire.Error{Condition: condition, Description: description}})
}

// respond settles a message of the client, unless it came settled.
func (s *session) respond(m *partial, state wire.DeliveryState) (mark uint64) {
	if m.settled {
		return 0
	}
	return s.send(&wire.Disposition{Role: wire.RoleReceiver, First: m.deliveryID, Settled: true, State: state})
}

// incoming reads the messages in a transfer.
func incoming(m *partial) ([]store.Incoming, error) {
	message, err := wire.DecodeMessage(m.payload)
	if err != nil {
		return nil, err
	}
	if m.format != wire.FormatBatch {
		return []store.Incoming{incomingMessage(message)}, nil
	}
	parts, err := message.DataSections()
	if err != nil {
		return nil, err
	}
	sent := make([]store.Incoming, len(parts))
	for i, part := range parts {
		if message, err = wire.DecodeMessage(part); err != nil {
			return nil, fmt.Errorf("message %d of a batch: %w", i, err)
		}
		sent[i] = incomingMessage(message)
	}
	return sent, nil
}

// incomingMessage prepares a message for a queue: it gets an id if it has
// none, and loses the annotations that are the broker's to make.
func incomingMessage(m *wire.Message) store.Incoming {
	m = m.WithoutMessageAnnotations(brokerAnnotations()...)
	scheduled, isTime := m.MessageAnnotations.Get(annotationScheduledTime).(wire.Timestamp)
	if !isTime {
		m = m.WithoutMessageAnnotations(annotationScheduledTime)
	}
	if m.MessageID() == "" {
		m = m.WithMessageID(newMessageID())
	}
	in := store.Incoming{ID: m.MessageID(), Content: m, TimeToLive: m.TTL()}
	if isTime {
		in.ScheduledFor = scheduled.Time()
	}
	return in
}
