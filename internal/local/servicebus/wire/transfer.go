package wire

// Flow updates the state of a session and, when Handle is given, of one of its
// links (specification part 2, section 2.7.4).
type Flow struct {
	NextIncomingID *uint32
	IncomingWindow uint32
	NextOutgoingID uint32
	OutgoingWindow uint32
	Handle         *uint32
	DeliveryCount  *uint32
	LinkCredit     *uint32
	Available      *uint32
	Drain          bool
	Echo           bool
}

func (*Flow) descriptor() Ulong { return descriptorFlow }

func (p *Flow) fields() List {
	return List{
		uintField(p.NextIncomingID), Uint(p.IncomingWindow), Uint(p.NextOutgoingID), Uint(p.OutgoingWindow),
		uintField(p.Handle), uintField(p.DeliveryCount), uintField(p.LinkCredit), uintField(p.Available),
		trueOrNull(p.Drain), trueOrNull(p.Echo),
	}
}

func (p *Flow) set(f *fields) {
	p.NextIncomingID = optionalUint(f)
	p.IncomingWindow = uint32(mandatory[Uint](f))
	p.NextOutgoingID = uint32(mandatory[Uint](f))
	p.OutgoingWindow = uint32(mandatory[Uint](f))
	p.Handle = optionalUint(f)
	p.DeliveryCount = optionalUint(f)
	p.LinkCredit = optionalUint(f)
	p.Available = optionalUint(f)
	p.Drain = flag(f)
	p.Echo = flag(f)
}

// Transfer carries a message or a part of one (section 2.7.5).
type Transfer struct {
	Handle        uint32
	DeliveryID    *uint32
	DeliveryTag   []byte
	MessageFormat *uint32
	Settled       bool
	More          bool
	State         DeliveryState // nil: none
	Aborted       bool
}

func (*Transfer) descriptor() Ulong { return descriptorTransfer }

func (p *Transfer) fields() List {
	var tag Value = Null{}
	if p.DeliveryTag != nil {
		tag = Binary(p.DeliveryTag)
	}
	return List{
		Uint(p.Handle), uintField(p.DeliveryID), tag, uintField(p.MessageFormat), trueOrNull(p.Settled),
		trueOrNull(p.More), Null{}, stateOrNull(p.State), Null{}, trueOrNull(p.Aborted),
	}
}

func (p *Transfer) set(f *fields) {
	p.Handle = uint32(mandatory[Uint](f))
	p.DeliveryID = optionalUint(f)
	tag, _ := optional[Binary](f)
	p.DeliveryTag = tag
	p.MessageFormat = optionalUint(f)
	p.Settled = flag(f)
	p.More = flag(f)
	f.take() // rcv-settle-mode
	p.State = stateField(f)
	f.take() // resume
	p.Aborted = flag(f)
}

// Disposition reports the outcome of a range of deliveries (section 2.7.6).
type Disposition struct {
	Role    Role
	First   uint32
	Last    *uint32 // nil: the same as First
	Settled bool
	State   DeliveryState // nil: none
}

func (*Disposition) descriptor() Ulong { return descriptorDisposition }

func (p *Disposition) fields() List {
	return List{Bool(p.Role), Uint(p.First), uintField(p.Last), trueOrNull(p.Settled), stateOrNull(p.State)}
}

func (p *Disposition) set(f *fields) {
	p.Role = Role(mandatory[Bool](f))
	p.First = uint32(mandatory[Uint](f))
	p.Last = optionalUint(f)
	p.Settled = flag(f)
	p.State = stateField(f)
}

// stateField reads a delivery state that may be null.
func stateField(f *fields) DeliveryState {
	v := f.take()
	if isNull(v) {
		return nil
	}
	state, err := decodeState(v)
	if err != nil && f.err == nil {
		f.err = err
	}
	return state
}

func stateOrNull(s DeliveryState) Value {
	if s == nil {
		return Null{}
	}
	return s.value()
}
