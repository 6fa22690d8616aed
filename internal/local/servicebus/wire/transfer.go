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
		trueOrNull(p.More), Null{}, Null{}, Null{}, trueOrNull(p.Aborted),
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
	f.take() // state
	f.take() // resume
	p.Aborted = flag(f)
}

// Disposition says what became of a range of deliveries (section 2.7.6).
type Disposition struct {
	Role    Role
	First   uint32
	Last    *uint32 // nil: the same as First
	Settled bool
	State   DeliveryState // nil: none
}

func (*Disposition) descriptor() Ulong { return descriptorDisposition }

func (p *Disposition) fields() List {
	var state Value = Null{}
	if p.State != nil {
		state = p.State.value()
	}
	return List{Bool(p.Role), Uint(p.First), uintField(p.Last), trueOrNull(p.Settled), state}
}

func (p *Disposition) set(f *fields) {
	p.Role = Role(mandatory[Bool](f))
	p.First = uint32(mandatory[Uint](f))
	p.Last = optionalUint(f)
	p.Settled = flag(f)
	v := f.take()
	if isNull(v) {
		return
	}
	state, err := decodeState(v)
	if err != nil && f.err == nil {
		f.err = err
	}
	p.State = state
}
