package wire

// SASLMechanisms announces the mechanisms that a server offers (specification
// part 5, section 5.3.3.1).
type SASLMechanisms struct{ Mechanisms []string }

func (*SASLMechanisms) descriptor() Ulong { return descriptorMechanisms }
func (p *SASLMechanisms) fields() List    { return List{SymbolArray(p.Mechanisms)} }

// set accepts a single symbol too, which the specification allows in place of an
// array with one element.
func (p *SASLMechanisms) set(f *fields) {
	v := f.take()
	elements, ok := Elements(v)
	if !ok {
		elements = []Value{v}
	}
	for _, e := range elements {
		if name, ok := Text(e); ok {
			p.Mechanisms = append(p.Mechanisms, name)
		}
	}
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

// The outcomes of a SASL dialog (section 5.3.3.6).
const (
	SASLOK   uint8 = 0
	SASLAuth uint8 = 1
)

// SASLOutcome ends the dialog (section 5.3.3.5).
type SASLOutcome struct{ Code uint8 }

func (*SASLOutcome) descriptor() Ulong { return descriptorOutcome }
func (p *SASLOutcome) fields() List    { return List{Ubyte(p.Code)} }
func (p *SASLOutcome) set(f *fields)   { p.Code = uint8(mandatory[Ubyte](f)) }
