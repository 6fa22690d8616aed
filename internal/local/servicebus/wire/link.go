package wire

import "fmt"

// Role is the role of the side that sends a performative about a link.
type Role bool

// The two roles (specification part 2, section 2.8.1).
const (
	RoleSender   Role = false
	RoleReceiver Role = true
)

// Settle modes (sections 2.8.2 and 2.8.3).
const (
	SendUnsettled uint8 = 0
	SendSettled   uint8 = 1
	SendMixed     uint8 = 2
	ReceiveFirst  uint8 = 0
	ReceiveSecond uint8 = 1
)

// Attach establishes a link (section 2.7.3). Source, Target and Properties are
// kept unchanged, so that an answer can repeat them.
type Attach struct {
	Name                 string
	Handle               uint32
	Role                 Role
	SendSettleMode       *uint8
	ReceiveSettleMode    *uint8
	Source               Value
	Target               Value
	InitialDeliveryCount *uint32
	MaxMessageSize       uint64 // bytes; 0: no limit
	Properties           Map
}

func (*Attach) descriptor() Ulong { return descriptorAttach }

func (p *Attach) fields() List {
	list := List{
		String(p.Name), Uint(p.Handle), Bool(p.Role), ubyteField(p.SendSettleMode), ubyteField(p.ReceiveSettleMode),
		valueOrNull(p.Source), valueOrNull(p.Target), Null{}, Null{}, uintField(p.InitialDeliveryCount), Null{},
		Null{}, Null{}, Null{},
	}
	if p.MaxMessageSize != 0 {
		list[10] = Ulong(p.MaxMessageSize)
	}
	if len(p.Properties) > 0 {
		list[13] = p.Properties
	}
	return list
}

func (p *Attach) set(f *fields) {
	p.Name = string(mandatory[String](f))
	p.Handle = uint32(mandatory[Uint](f))
	p.Role = Role(mandatory[Bool](f))
	p.SendSettleMode = optionalUbyte(f)
	p.ReceiveSettleMode = optionalUbyte(f)
	p.Source = f.take()
	p.Target = f.take()
	f.take() // unsettled: resuming links is not supported
	f.take() // incomplete-unsettled
	p.InitialDeliveryCount = optionalUint(f)
	size, _ := optional[Ulong](f)
	p.MaxMessageSize = uint64(size)
	f.take() // offered-capabilities
	f.take() // desired-capabilities
	p.Properties, _ = optional[Map](f)
}

func optionalUbyte(f *fields) *uint8 {
	v, present := optional[Ubyte](f)
	if !present {
		return nil
	}
	n := uint8(v)
	return &n
}

func ubyteField(v *uint8) Value {
	if v == nil {
		return Null{}
	}
	return Ubyte(*v)
}

// Address returns the address in a source or a target, or "".
func Address(terminus Value) string {
	list := terminusFields(terminus)
	if len(list) == 0 {
		return ""
	}
	address, _ := Text(list[0])
	return address
}

// IsCoordinator reports whether a target is a transaction coordinator (part 4,
// section 4.5.1).
func IsCoordinator(target Value) bool {
	described, _ := target.(Described)
	code, symbolic := described.Descriptor.(Symbol)
	return described.Descriptor == Ulong(0x30) || symbolic && code == "amqp:coordinator:list"
}

// Filters returns the filter set of a source, or nil (part 3, section 3.5.3).
func Filters(source Value) Map {
	const filterField = 7
	list := terminusFields(source)
	if len(list) <= filterField {
		return nil
	}
	filters, _ := list[filterField].(Map)
	return filters
}

func terminusFields(terminus Value) List {
	described, _ := terminus.(Described)
	list, _ := described.Value.(List)
	return list
}

// Detach ends a link (section 2.7.7).
type Detach struct {
	Handle uint32
	Closed bool
	Error  *Error
}

func (*Detach) descriptor() Ulong { return descriptorDetach }

func (p *Detach) fields() List {
	return List{Uint(p.Handle), trueOrNull(p.Closed), p.Error.value()}
}

func (p *Detach) set(f *fields) {
	p.Handle = uint32(mandatory[Uint](f))
	p.Closed = flag(f)
	p.Error = errorField(f)
}

func malformedError() error { return fmt.Errorf("%w: not an error", ErrMalformed) }
