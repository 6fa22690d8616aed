package wire

// SASLMechanisms announces the mechanism that a server offers (specification
// part 5, section 5.3.3.1). Of several, only the first is read.
type SASLMechanisms struct{ Mechanism string }

func (*SASLMechanisms) descriptor() Ulong { return descriptorMechanisms }

// fields writes a single symbol, which the specification allows in place of an
// array of one.
func (p *SASLMechanisms) fields() List { return List{Symbol(p.Mechanism)} }

func (p *SASLMechanisms) set(f *fields) {
	v := f.take()
	if several, ok := Elements(v); ok && len(several) > 0 {
		v = several[0]
	}
	p.Mechanism, _ = Text(v)
}

// SASLInit selects a mechanism (section 5.3.3.2).
type SASLInit struct {
	Mechanism       string
	InitialResponse []byte
}

func (*SASLInit) descriptor() Ulong { return descriptorInit }

func (p *SASLInit) fields() List {
	return List{Symbol(p.Mechanism), Binary(p.InitialResponse)}
}

func (p *SASLInit) set(f *fields) {
	p.Mechanism = string(mandatory[Symbol](f))
	response, _ := optional[Binary](f)
	p.InitialResponse = response
}

// The outcomes of a SASL dialogue (section 5.3.3.6).
const (
	SASLOK   uint8 = 0
	SASLAuth uint8 = 1
)

// SASLOutcome ends the dialogue (section 5.3.3.5).
type SASLOutcome struct{ Code uint8 }

func (*SASLOutcome) descriptor() Ulong { return descriptorOutcome }
func (p *SASLOutcome) fields() List    { return List{Ubyte(p.Code)} }
func (p *SASLOutcome) set(f *fields)   { p.Code = uint8(mandatory[Ubyte](f)) }
