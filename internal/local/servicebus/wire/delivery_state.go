package wire

import "fmt"

// The descriptors of the delivery states (specification part 3, section 3.4, and
// part 4, section 4.5.8).
const (
	descriptorReceived      Ulong = 0x23
	descriptorAccepted      Ulong = 0x24
	descriptorRejected      Ulong = 0x25
	descriptorReleased      Ulong = 0x26
	descriptorModified      Ulong = 0x27
	descriptorTransactional Ulong = 0x34
)

// DeliveryState is an outcome of a delivery, or a state on the way to one.
type DeliveryState interface{ value() Value }

// Accepted means that the message was processed.
type Accepted struct{}

// Rejected means that the message cannot be processed.
type Rejected struct{ Error *Error }

// Released means that the message was not processed and will not be.
type Released struct{}

// Modified means that the message was changed but not processed.
type Modified struct {
	DeliveryFailed     bool
	UndeliverableHere  bool
	MessageAnnotations Map
}

// Received reports how much of a delivery has arrived. It is not an outcome.
type Received struct{}

// Transactional is a state that takes effect when a transaction commits. Only its
// presence is read.
type Transactional struct{}

func (Accepted) value() Value { return Described{Descriptor: descriptorAccepted, Value: List{}} }
func (Released) value() Value { return Described{Descriptor: descriptorReleased, Value: List{}} }
func (Received) value() Value {
	return Described{Descriptor: descriptorReceived, Value: List{Uint(0), Ulong(0)}}
}

func (Transactional) value() Value {
	return Described{Descriptor: descriptorTransactional, Value: List{Binary{}}}
}

func (s Rejected) value() Value {
	list := List{}
	if s.Error != nil {
		list = List{s.Error.value()}
	}
	return Described{Descriptor: descriptorRejected, Value: list}
}

func (s Modified) value() Value {
	list := List{Bool(s.DeliveryFailed), Bool(s.UndeliverableHere)}
	if len(s.MessageAnnotations) > 0 {
		list = append(list, s.MessageAnnotations)
	}
	return Described{Descriptor: descriptorModified, Value: list}
}

func decodeState(v Value) (DeliveryState, error) {
	described, ok := v.(Described)
	if !ok {
		return nil, fmt.Errorf("%w: a delivery state without a descriptor", ErrMalformed)
	}
	list, ok := described.Value.(List)
	if !ok {
		return nil, fmt.Errorf("%w: a delivery state that is not a list", ErrMalformed)
	}
	f := &fields{list: list}
	var state DeliveryState
	code, symbolic := described.Descriptor.(Symbol)
	switch {
	case described.Descriptor == descriptorAccepted, symbolic && code == "amqp:accepted:list":
		state = Accepted{}
	case described.Descriptor == descriptorRejected, symbolic && code == "amqp:rejected:list":
		state = Rejected{Error: errorField(f)}
	case described.Descriptor == descriptorReleased, symbolic && code == "amqp:released:list":
		state = Released{}
	case described.Descriptor == descriptorReceived, symbolic && code == "amqp:received:list":
		state = Received{}
	case described.Descriptor == descriptorTransactional, symbolic && code == "amqp:transactional-state:list":
		state = Transactional{}
	case described.Descriptor == descriptorModified, symbolic && code == "amqp:modified:list":
		m := Modified{DeliveryFailed: flag(f), UndeliverableHere: flag(f)}
		m.MessageAnnotations, _ = optional[Map](f)
		state = m
	default:
		return nil, fmt.Errorf("%w: unknown delivery state %v", ErrMalformed, described.Descriptor)
	}
	return state, f.err
}
