package servicebus

import (
	"fmt"

	"azbackupflow/internal/local/servicebus/store"
	"azbackupflow/internal/local/servicebus/wire"
)

// decodeError is the condition of invalid AMQP data.
const decodeError = "amqp:decode-error"

// partial is a message whose last transfer has not arrived.
type partial struct {
	deliveryID    uint32
	format        uint32
	settled       bool
	transactional bool
	payload       []byte
	oversized     bool // above the size limit: its transfers are read and it is rejected
}

// transfer handles a message, or a part of one, from the client.
func (s *session) transfer(p *wire.Transfer, payload []byte) error {
	s.nextIncomingID++
	s.sinceFlow++
	if s.sinceFlow >= sessionWindow/2 { // before the client's window is used up
		s.sendFlow(nil)
	}
	in := s.incoming[p.Handle]
	if in == nil {
		if s.detached[p.Handle] { // sent before the client saw the detach
			return nil
		}
		return sessionErrorf("amqp:session:unattached-handle", "transfer on handle %d, which has no link", p.Handle)
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

// collect adds a transfer to its message. It returns nil if the client has aborted
// the message.
func (in *incomingLink) collect(p *wire.Transfer, payload []byte) (*partial, error) {
	if in.partial == nil {
		if p.DeliveryID == nil {
			return nil, sessionErrorf("amqp:invalid-field", "message without a delivery-id")
		}
		in.partial = &partial{deliveryID: *p.DeliveryID}
		if p.MessageFormat != nil {
			in.partial.format = *p.MessageFormat
		}
	}
	in.partial.add(payload, in.maxSize)
	in.partial.settled = in.partial.settled || p.Settled
	if _, transactional := p.State.(wire.Transactional); transactional {
		in.partial.transactional = true
	}
	if p.Aborted {
		in.partial = nil
	}
	return in.partial, nil
}

// add appends a part, unless the message would exceed the limit.
func (m *partial) add(payload []byte, limit int) {
	switch {
	case m.oversized, len(m.payload)+len(payload) > limit:
		m.oversized = true
		m.payload = nil
	case m.payload == nil: // most messages have one part, which needs no copy
		m.payload = payload
	default:
		m.payload = append(m.payload, payload...)
	}
}

// received handles a complete message and grants the client new credit.
func (s *session) received(in *incomingLink, m *partial) {
	in.deliveryCount++
	if in.credit > 0 {
		in.credit--
	}
	switch {
	case m.oversized:
		s.rejectMessage(m, sizeExceeded, oversizedText(in.maxSize))
	case m.transactional:
		s.rejectMessage(m, "amqp:not-implemented", "Transactions are not supported by this broker.")
	case in.service == messages:
		s.accept(in.node, m)
	case in.service == management:
		s.manage(in, m)
	default:
		s.putToken(in, m)
	}
	if in.credit <= incomingCredit/2 && s.incoming[in.handle] == in {
		in.credit = incomingCredit
		s.sendFlow(in.state())
	}
}

// sizeExceeded is the condition of a message above the size limit.
const sizeExceeded = "amqp:link:message-size-exceeded"

func oversizedText(limit int) string {
	return fmt.Sprintf("The message is larger than the maximum of %d bytes.", limit)
}

// accept adds a message, or a batch of messages, to a queue or topic.
func (s *session) accept(n *node, m *partial) {
	sent, err := incoming(m)
	if err != nil {
		s.rejectMessage(m, decodeError, err.Error())
		return
	}
	broker := s.conn.broker
	moments := broker.moments("send", n, ids(sent))
	moments.before()
	broker.applyMessageFault(n.entity, sent)
	n.enqueue(sent)
	moments.during()
	mark := s.respond(m, wire.Accepted{})
	moments.after(s.conn.out, mark)
}

// rejectMessage settles a message of the client with an error.
func (s *session) rejectMessage(m *partial, condition, description string) {
	s.respond(m, wire.Rejected{Error: &wire.Error{Condition: condition, Description: description}})
}

// respond settles a message of the client, unless the client has sent it settled.
func (s *session) respond(m *partial, state wire.DeliveryState) (mark uint64) {
	if m.settled {
		return 0
	}
	return s.send(&wire.Disposition{Role: wire.RoleReceiver, First: m.deliveryID, Settled: true, State: state})
}

// incoming decodes the messages of a transfer.
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
			return nil, fmt.Errorf("message %d of the batch: %w", i, err)
		}
		sent[i] = incomingMessage(message)
	}
	return sent, nil
}

// incomingMessage prepares a message for a queue: it adds a message id if there is
// none, and removes the annotations that only the broker may set.
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
