package wire

// Open starts a connection (specification part 2, section 2.7.1). Fields that Service
// Bus clients do not read are not encoded.
type Open struct {
	ContainerID  string
	Hostname     string
	MaxFrameSize uint32 // 0: no limit
	ChannelMax   uint16
	IdleTimeOut  uint32 // milliseconds; 0: none
}

func (*Open) descriptor() Ulong { return descriptorOpen }

func (p *Open) fields() List {
	list := List{String(p.ContainerID), textOrNull(String(p.Hostname)), Null{}, Ushort(p.ChannelMax), Null{}}
	if p.MaxFrameSize != 0 {
		list[2] = Uint(p.MaxFrameSize)
	}
	if p.IdleTimeOut != 0 {
		list[4] = Uint(p.IdleTimeOut)
	}
	return list
}

func (p *Open) set(f *fields) {
	p.ContainerID = string(mandatory[String](f))
	hostname, _ := optional[String](f)
	p.Hostname = string(hostname)
	size, _ := optional[Uint](f)
	p.MaxFrameSize = uint32(size)
	channels, given := optional[Ushort](f)
	p.ChannelMax = uint16(channels)
	if !given {
		p.ChannelMax = 65535
	}
	idle, _ := optional[Uint](f)
	p.IdleTimeOut = uint32(idle)
}

// Begin starts a session (section 2.7.2).
type Begin struct {
	RemoteChannel  *uint16 // in the answer: the channel of the request
	NextOutgoingID uint32
	IncomingWindow uint32
	OutgoingWindow uint32
	HandleMax      *uint32
}

func (*Begin) descriptor() Ulong { return descriptorBegin }

func (p *Begin) fields() List {
	var channel Value = Null{}
	if p.RemoteChannel != nil {
		channel = Ushort(*p.RemoteChannel)
	}
	return List{channel, Uint(p.NextOutgoingID), Uint(p.IncomingWindow), Uint(p.OutgoingWindow), uintField(p.HandleMax)}
}

func (p *Begin) set(f *fields) {
	if channel, given := optional[Ushort](f); given {
		n := uint16(channel)
		p.RemoteChannel = &n
	}
	p.NextOutgoingID = uint32(mandatory[Uint](f))
	p.IncomingWindow = uint32(mandatory[Uint](f))
	p.OutgoingWindow = uint32(mandatory[Uint](f))
	p.HandleMax = optionalUint(f)
}

// End ends a session (section 2.7.8).
type End struct{ Error *Error }

func (*End) descriptor() Ulong { return descriptorEnd }
func (p *End) fields() List    { return List{p.Error.value()} }
func (p *End) set(f *fields)   { p.Error = errorField(f) }

// Close ends a connection (section 2.7.9).
type Close struct{ Error *Error }

func (*Close) descriptor() Ulong { return descriptorClose }
func (p *Close) fields() List    { return List{p.Error.value()} }
func (p *Close) set(f *fields)   { p.Error = errorField(f) }

// Error is the reason why something was rejected or ended (section 2.8.14).
type Error struct {
	Condition   string
	Description string
	Info        Map
}

// value returns the error as a described list, or null.
func (e *Error) value() Value {
	if e == nil {
		return Null{}
	}
	list := List{Symbol(e.Condition), textOrNull(String(e.Description))}
	if len(e.Info) > 0 {
		list = append(list, e.Info)
	}
	return Described{Descriptor: descriptorError, Value: list}
}

// errorField reads an error that may be null.
func errorField(f *fields) *Error {
	v := f.take()
	if isNull(v) {
		return nil
	}
	e, ok := errorOf(v)
	if !ok && f.err == nil {
		f.err = malformedError()
	}
	return e
}

func errorOf(v Value) (*Error, bool) {
	described, ok := v.(Described)
	if !ok {
		return nil, false
	}
	list, ok := described.Value.(List)
	if !ok {
		return nil, false
	}
	f := &fields{list: list}
	e := &Error{Condition: string(mandatory[Symbol](f))}
	description, _ := optional[String](f)
	e.Description = string(description)
	e.Info, _ = optional[Map](f)
	return e, f.err == nil
}
