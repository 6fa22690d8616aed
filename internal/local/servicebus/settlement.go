package servicebus

import (
	"errors"
	"slices"
	"time"

	"azbackupflow/internal/local/servicebus/store"
	"azbackupflow/internal/local/servicebus/wire"
)

// deadLetterCondition is the error of a rejection that requests dead-lettering
// (azservicebus messageSettler.go).
const deadLetterCondition = "com.microsoft:dead-letter"

// settlement is one way to settle a locked message. An empty verb has no fault
// moments: clients release messages at any time, so that counting those requests
// would be meaningless.
type settlement struct {
	verb  string
	apply func(q *store.Queue, now time.Time, token wire.UUID) error
}

func complete() settlement {
	return settlement{"complete", (*store.Queue).Complete}
}

func release() settlement {
	return settlement{"", (*store.Queue).Release}
}

func abandon(properties wire.Map) settlement {
	return settlement{"abandon", func(q *store.Queue, now time.Time, token wire.UUID) error {
		return q.Abandon(now, token, properties)
	}}
}

func deferMessage(properties wire.Map) settlement {
	return settlement{"defer", func(q *store.Queue, now time.Time, token wire.UUID) error {
		return q.Defer(now, token, properties)
	}}
}

func deadLetter(properties wire.Map) settlement {
	return settlement{"dead-letter", func(q *store.Queue, now time.Time, token wire.UUID) error {
		return q.DeadLetter(now, token, properties)
	}}
}

// settlementOf returns the settlement that a delivery state requests.
func settlementOf(state wire.DeliveryState) (settlement, bool) {
	switch state := state.(type) {
	case wire.Accepted:
		return complete(), true
	case wire.Released:
		return release(), true
	case wire.Modified:
		if state.UndeliverableHere {
			return deferMessage(state.MessageAnnotations), true
		}
		return abandon(state.MessageAnnotations), true
	case wire.Rejected:
		var properties wire.Map
		if state.Error != nil {
			properties = rejectionProperties(state.Error)
		}
		return deadLetter(properties), true
	}
	return settlement{}, false
}

// rejectionProperties returns the application properties that a rejection adds: its
// info, in which reason and description must be strings, and the error itself unless it
// is the one that requests dead-lettering.
func rejectionProperties(e *wire.Error) wire.Map {
	properties := deadLetterProperties(e.Info)
	if e.Condition != deadLetterCondition && e.Info.Get("DeadLetterReason") == nil {
		properties = append(properties, store.DeadLetterProperties(e.Condition, e.Description)...)
	}
	return properties
}

// deadLetterProperties removes a reason or description that is not text, which
// clients cannot read.
func deadLetterProperties(properties wire.Map) wire.Map {
	return slices.DeleteFunc(slices.Clone(properties), func(p wire.Pair) bool {
		key, _ := wire.Text(p.Key)
		if key != "DeadLetterReason" && key != "DeadLetterErrorDescription" {
			return false
		}
		_, isText := p.Value.(wire.String)
		return !isText
	})
}

// dispose settles the messages of a client's disposition and confirms each.
func (s *session) dispose(p *wire.Disposition) {
	if p.Role != wire.RoleReceiver || p.State == nil {
		return
	}
	if _, transactional := p.State.(wire.Transactional); transactional {
		s.sendSettled(p.First, wire.Rejected{Error: notImplemented("Transactions are not supported by this broker.")})
		return
	}
	how, settles := settlementOf(p.State)
	if !settles {
		return
	}
	if p.Last == nil || *p.Last == p.First {
		if d, known := s.unsettled[p.First]; known {
			s.settle(p.First, d, how, p)
		} else if !p.Settled { // the client waits for an answer
			s.sendSettled(p.First, wire.Rejected{Error: settlementError(store.ErrLockLost)})
		}
		return
	}
	// A range may be far larger than the number of its messages.
	var ids []uint32
	for id := range s.unsettled {
		if id-p.First <= *p.Last-p.First {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b uint32) int { return int(a-p.First) - int(b-p.First) })
	for _, id := range ids {
		s.settle(id, s.unsettled[id], how, p)
	}
}

func (s *session) sendSettled(id uint32, state wire.DeliveryState) (mark uint64) {
	return s.send(&wire.Disposition{Role: wire.RoleSender, First: id, Settled: true, State: state})
}

func (s *session) settle(id uint32, d delivery, how settlement, p *wire.Disposition) {
	delete(s.unsettled, id)
	moments := s.conn.broker.moments(how.verb, d.node, d.id)
	moments.before()
	var err error
	d.node.do(func(now time.Time, q *store.Queue) { err = how.apply(q, now, d.token) })
	moments.during()
	var mark uint64
	if !p.Settled {
		mark = s.sendSettled(id, confirmation(p.State, err))
	}
	moments.after(s.conn.out, mark)
}

// confirmation returns the state that answers a settlement. Clients treat a rejection
// with an error as a failure, so the one that confirms dead-lettering has no error
// (go-amqp receiver.go muxHandleFrame).
func confirmation(requested wire.DeliveryState, err error) wire.DeliveryState {
	if err != nil {
		return wire.Rejected{Error: settlementError(err)}
	}
	if _, rejects := requested.(wire.Rejected); rejects {
		return wire.Rejected{}
	}
	return requested
}

// settlementError returns the service's error for a failed settlement.
func settlementError(err error) *wire.Error {
	if errors.Is(err, store.ErrLockLost) {
		return &wire.Error{
			Condition: "com.microsoft:message-lock-lost",
			Description: "The lock supplied is invalid. Either the lock expired, or the message has already been " +
				"removed from the queue.",
		}
	}
	return &wire.Error{Condition: "amqp:not-allowed", Description: err.Error()}
}
