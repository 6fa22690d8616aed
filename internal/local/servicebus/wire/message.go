package wire

import (
	"fmt"
	"time"
)

// FormatBatch is the message format of a transfer with several messages, each encoded
// in its own data section (azservicebus message_batch.go).
const FormatBatch uint32 = 0x80013700

// The descriptors of the sections of a message (specification part 3, section
// 3.2).
const (
	sectionHeader                Ulong = 0x70
	sectionDeliveryAnnotations   Ulong = 0x71
	sectionMessageAnnotations    Ulong = 0x72
	sectionProperties            Ulong = 0x73
	sectionApplicationProperties Ulong = 0x74
	sectionData                  Ulong = 0x75
	sectionSequence              Ulong = 0x76
	sectionValue                 Ulong = 0x77
	sectionFooter                Ulong = 0x78
)

// Fields of the header and of the properties, by position.
const (
	headerTTL           = 2
	headerDeliveryCount = 4

	propertyMessageID      = 0
	propertyTo             = 2
	propertySubject        = 3
	propertyReplyTo        = 4
	propertyCorrelationID  = 5
	propertyContentType    = 6
	propertyGroupID        = 10
	propertyReplyToGroupID = 12
)

// Message is a message split into its sections. Parts that a broker need not interpret
// stay encoded and are forwarded unchanged. A Message is immutable: methods that change
// it return a copy.
type Message struct {
	Header                RawList
	DeliveryAnnotations   RawMap
	MessageAnnotations    RawMap
	Properties            RawList
	ApplicationProperties RawMap
	body                  []byte // body sections and footer
}

// DecodeMessage decodes a message, which shares memory with b.
func DecodeMessage(b []byte) (*Message, error) {
	m := &Message{}
	for len(b) > 0 {
		section, rest, err := cut(b, 0)
		if err != nil {
			return nil, fmt.Errorf("read a message section: %w", err)
		}
		if err := m.addSection(section); err != nil {
			return nil, err
		}
		b = rest
	}
	return m, nil
}

func (m *Message) addSection(section Raw) error {
	code, content, err := splitSection(section)
	if err != nil {
		return err
	}
	switch code {
	case sectionHeader:
		m.Header, err = decodeRawList(content)
	case sectionDeliveryAnnotations:
		m.DeliveryAnnotations, err = decodeRawMap(content)
	case sectionMessageAnnotations:
		m.MessageAnnotations, err = decodeRawMap(content)
	case sectionProperties:
		m.Properties, err = decodeRawList(content)
	case sectionApplicationProperties:
		m.ApplicationProperties, err = decodeRawMap(content)
	case sectionData, sectionSequence, sectionValue, sectionFooter:
		m.body = append(m.body, section...)
	default:
		err = fmt.Errorf("%w: unknown message section 0x%02x", ErrMalformed, uint64(code))
	}
	if err != nil {
		return fmt.Errorf("read message section 0x%02x: %w", uint64(code), err)
	}
	return nil
}

// splitSection separates the descriptor of a section from its content.
func splitSection(section Raw) (Ulong, Raw, error) {
	if section[0] != codeDescribed {
		return 0, nil, fmt.Errorf("%w: a message section without a descriptor", ErrMalformed)
	}
	descriptor, content, err := decodeValue(section[1:], 0)
	if err != nil {
		return 0, nil, err
	}
	switch d := descriptor.(type) {
	case Ulong:
		return d, Raw(content), nil
	case Symbol:
		if code, ok := sectionBySymbol(string(d)); ok {
			return code, Raw(content), nil
		}
	}
	return 0, nil, fmt.Errorf("%w: message section %v", ErrMalformed, descriptor)
}

func sectionBySymbol(name string) (Ulong, bool) {
	switch name {
	case "amqp:header:list":
		return sectionHeader, true
	case "amqp:delivery-annotations:map":
		return sectionDeliveryAnnotations, true
	case "amqp:message-annotations:map":
		return sectionMessageAnnotations, true
	case "amqp:properties:list":
		return sectionProperties, true
	case "amqp:application-properties:map":
		return sectionApplicationProperties, true
	case "amqp:data:binary":
		return sectionData, true
	case "amqp:amqp-sequence:list":
		return sectionSequence, true
	case "amqp:amqp-value:*":
		return sectionValue, true
	case "amqp:footer:map":
		return sectionFooter, true
	}
	return 0, false
}

// field returns one field of a section, or nil if it is absent or null.
func (l RawList) field(i int) Value {
	if i >= len(l) {
		return nil
	}
	v, _, err := Decode(l[i])
	if err != nil || isNull(v) {
		return nil
	}
	return v
}

// withField returns a copy of the list with one field set.
func (l RawList) withField(i int, v Value) RawList {
	out := make(RawList, max(len(l), i+1))
	copy(out, l)
	out[i] = Append(nil, v)
	return out
}

// MessageID returns the message-id property as text, or "".
func (m *Message) MessageID() string { return identifier(m.Properties.field(propertyMessageID)) }

// MessageIDValue returns the message-id property in its own type, or nil.
func (m *Message) MessageIDValue() Value { return m.Properties.field(propertyMessageID) }

// CorrelationID returns the correlation-id property as text, or "".
func (m *Message) CorrelationID() string {
	return identifier(m.Properties.field(propertyCorrelationID))
}

// To returns the to property, or "".
func (m *Message) To() string { return m.textProperty(propertyTo) }

// Subject returns the subject property, which Service Bus also calls label, or "".
func (m *Message) Subject() string { return m.textProperty(propertySubject) }

// ReplyTo returns the reply-to property, or "".
func (m *Message) ReplyTo() string { return m.textProperty(propertyReplyTo) }

// ContentType returns the content-type property, or "".
func (m *Message) ContentType() string { return m.textProperty(propertyContentType) }

// GroupID returns the group-id property, which is the session ID, or "".
func (m *Message) GroupID() string { return m.textProperty(propertyGroupID) }

// ReplyToGroupID returns the reply-to-group-id property, or "".
func (m *Message) ReplyToGroupID() string { return m.textProperty(propertyReplyToGroupID) }

func (m *Message) textProperty(i int) string {
	s, _ := Text(valueOrNull(m.Properties.field(i)))
	return s
}

// identifier returns a message identifier, which may be a string, a ulong, a uuid or
// binary, as text.
func identifier(v Value) string {
	switch v := v.(type) {
	case String:
		return string(v)
	case Ulong:
		return fmt.Sprintf("%d", uint64(v))
	case UUID:
		return v.String()
	case Binary:
		return fmt.Sprintf("%x", []byte(v))
	}
	return ""
}

// TTL returns the time to live in the header, or 0.
func (m *Message) TTL() time.Duration {
	ms, _ := m.Header.field(headerTTL).(Uint)
	return time.Duration(ms) * time.Millisecond
}

// DataSections returns the content of the data sections of the body.
func (m *Message) DataSections() ([][]byte, error) {
	var out [][]byte
	err := m.eachBodySection(func(code Ulong, v Value) {
		if data, ok := v.(Binary); ok && code == sectionData {
			out = append(out, data)
		}
	})
	return out, err
}

// Value returns the amqp-value body, or Null if the body has another kind.
func (m *Message) Value() (Value, error) {
	var out Value = Null{}
	err := m.eachBodySection(func(code Ulong, v Value) {
		if code == sectionValue {
			out = v
		}
	})
	return out, err
}

// Body returns the payload for display: the bytes of the data sections, or of a text or
// binary value. A body of another kind is returned encoded.
func (m *Message) Body() []byte {
	var out []byte
	plain := true
	err := m.eachBodySection(func(code Ulong, v Value) {
		text, isText := Text(v)
		data, isBinary := v.(Binary)
		switch {
		case code == sectionFooter:
		case isBinary:
			out = append(out, data...)
		case isText:
			out = append(out, text...)
		default:
			plain = false
		}
	})
	if err != nil || !plain {
		return m.body
	}
	return out
}

func (m *Message) eachBodySection(visit func(code Ulong, v Value)) error {
	for b := m.body; len(b) > 0; {
		section, rest, err := cut(b, 0)
		if err != nil {
			return err
		}
		code, content, err := splitSection(section)
		if err != nil {
			return err
		}
		v, _, err := Decode(content)
		if err != nil {
			return err
		}
		visit(code, v)
		b = rest
	}
	return nil
}
