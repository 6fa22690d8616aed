package wire

import "fmt"

// Performative is the instruction that a frame carries.
type Performative interface {
	descriptor() Ulong
	fields() List
	set(f *fields)
}

// The descriptors of the performatives and of the SASL frame bodies
// (specification part 2, section 2.7 and part 5, section 5.3.3).
const (
	descriptorOpen        Ulong = 0x10
	descriptorBegin       Ulong = 0x11
	descriptorAttach      Ulong = 0x12
	descriptorFlow        Ulong = 0x13
	descriptorTransfer    Ulong = 0x14
	descriptorDisposition Ulong = 0x15
	descriptorDetach      Ulong = 0x16
	descriptorEnd         Ulong = 0x17
	descriptorClose       Ulong = 0x18
	descriptorError       Ulong = 0x1d
	descriptorMechanisms  Ulong = 0x40
	descriptorInit        Ulong = 0x41
	descriptorOutcome     Ulong = 0x44
)

func appendPerformative(b []byte, p Performative) []byte {
	list := p.fields()
	for len(list) > 0 && isNull(list[len(list)-1]) {
		list = list[:len(list)-1]
	}
	return Append(b, Described{Descriptor: p.descriptor(), Value: list})
}

func isNull(v Value) bool {
	_, null := v.(Null)
	return v == nil || null
}

func decodePerformative(v Value) (Performative, error) {
	described, ok := v.(Described)
	if !ok {
		return nil, fmt.Errorf("%w: a frame body without a descriptor", ErrMalformed)
	}
	list, ok := described.Value.(List)
	if !ok {
		return nil, fmt.Errorf("%w: a frame body that is not a list", ErrMalformed)
	}
	p, err := newPerformative(described.Descriptor)
	if err != nil {
		return nil, err
	}
	f := &fields{list: list}
	p.set(f)
	if f.err != nil {
		return nil, fmt.Errorf("read %T: %w", p, f.err)
	}
	return p, nil
}

func newPerformative(descriptor Value) (Performative, error) {
	code, symbolic := descriptor.(Symbol)
	switch {
	case descriptor == descriptorOpen, symbolic && code == "amqp:open:list":
		return &Open{}, nil
	case descriptor == descriptorBegin, symbolic && code == "amqp:begin:list":
		return &Begin{}, nil
	case descriptor == descriptorAttach, symbolic && code == "amqp:attach:list":
		return &Attach{}, nil
	case descriptor == descriptorFlow, symbolic && code == "amqp:flow:list":
		return &Flow{}, nil
	case descriptor == descriptorTransfer, symbolic && code == "amqp:transfer:list":
		return &Transfer{}, nil
	case descriptor == descriptorDisposition, symbolic && code == "amqp:disposition:list":
		return &Disposition{}, nil
	case descriptor == descriptorDetach, symbolic && code == "amqp:detach:list":
		return &Detach{}, nil
	case descriptor == descriptorEnd, symbolic && code == "amqp:end:list":
		return &End{}, nil
	case descriptor == descriptorClose, symbolic && code == "amqp:close:list":
		return &Close{}, nil
	case descriptor == descriptorMechanisms, symbolic && code == "amqp:sasl-mechanisms:list":
		return &SASLMechanisms{}, nil
	case descriptor == descriptorInit, symbolic && code == "amqp:sasl-init:list":
		return &SASLInit{}, nil
	case descriptor == descriptorOutcome, symbolic && code == "amqp:sasl-outcome:list":
		return &SASLOutcome{}, nil
	}
	return nil, fmt.Errorf("%w: unknown frame body %v", ErrMalformed, descriptor)
}

// fields reads the fields of a performative in order and keeps the first error.
type fields struct {
	list List
	next int
	err  error
}

func (f *fields) take() Value {
	if f.next >= len(f.list) {
		f.next++
		return Null{}
	}
	v := f.list[f.next]
	f.next++
	return v
}

// mandatory reads a field that must have the type T.
func mandatory[T Value](f *fields) T {
	v, ok := f.take().(T)
	if !ok && f.err == nil {
		f.err = fmt.Errorf("%w: field %d is missing or of another type", ErrMalformed, f.next-1)
	}
	return v
}

// optional reads a field that is null or has the type T.
func optional[T Value](f *fields) (v T, present bool) {
	taken := f.take()
	if isNull(taken) {
		return v, false
	}
	v, present = taken.(T)
	if !present && f.err == nil {
		f.err = fmt.Errorf("%w: field %d is of another type", ErrMalformed, f.next-1)
	}
	return v, present
}

// optionalUint reads a uint that may be null.
func optionalUint(f *fields) *uint32 {
	v, present := optional[Uint](f)
	if !present {
		return nil
	}
	n := uint32(v)
	return &n
}

// flag reads a boolean whose default is false.
func flag(f *fields) bool {
	v, _ := optional[Bool](f)
	return bool(v)
}

// uintField returns a uint that may be null.
func uintField(v *uint32) Value {
	if v == nil {
		return Null{}
	}
	return Uint(*v)
}

// trueOrNull returns a boolean whose default is false.
func trueOrNull(v bool) Value {
	if v {
		return Bool(true)
	}
	return Null{}
}

// textOrNull returns a text that may be absent.
func textOrNull[T interface {
	Value
	~string
}](v T) Value {
	if v == "" {
		return Null{}
	}
	return v
}

// valueOrNull returns a value that may be absent.
func valueOrNull(v Value) Value {
	if v == nil {
		return Null{}
	}
	return v
}
