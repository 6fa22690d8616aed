package wire

import (
	"slices"
	"strings"
)

// Response returns a message that answers a request. Its properties contain the
// correlation id, its application properties the status, its body an AMQP value.
func Response(correlationID Value, status Map, body Value) *Message {
	m := &Message{
		Properties:            RawList(nil).withField(propertyCorrelationID, correlationID),
		ApplicationProperties: RawMap(nil).Merged(status),
	}
	m.body = Append(nil, Described{Descriptor: sectionValue, Value: valueOrNull(body)})
	return m
}

// WithMessageID returns a copy with the given message-id.
func (m *Message) WithMessageID(id string) *Message {
	out := *m
	out.Properties = m.Properties.withField(propertyMessageID, String(id))
	return &out
}

// Property is a property of the section properties whose value is text.
type Property int

// The text properties that rules may change.
const (
	PropertyMessageID      Property = propertyMessageID
	PropertyTo             Property = propertyTo
	PropertySubject        Property = propertySubject
	PropertyReplyTo        Property = propertyReplyTo
	PropertyCorrelationID  Property = propertyCorrelationID
	PropertyContentType    Property = propertyContentType
	PropertyGroupID        Property = propertyGroupID
	PropertyReplyToGroupID Property = propertyReplyToGroupID
)

// WithText returns a copy with a text property set. An empty text removes it.
func (m *Message) WithText(p Property, text string) *Message {
	var value Value = String(text)
	switch {
	case text == "":
		value = Null{}
	case p == PropertyContentType:
		value = Symbol(text)
	}
	out := *m
	out.Properties = m.Properties.withField(int(p), value)
	return &out
}

// WithoutProperty returns a copy without an application property, in any case.
func (m *Message) WithoutProperty(name string) *Message {
	out := *m
	out.ApplicationProperties = slices.DeleteFunc(m.ApplicationProperties.Without(), func(p RawPair) bool { return strings.EqualFold(p.Key, name) })
	return &out
}

// WithProperties returns a copy with entries merged into the application properties.
func (m *Message) WithProperties(entries Map) *Message {
	if len(entries) == 0 {
		return m
	}
	out := *m
	out.ApplicationProperties = m.ApplicationProperties.Merged(entries)
	return &out
}

// WithDeliveryCount returns a copy with a delivery count in its header.
func (m *Message) WithDeliveryCount(n uint32) *Message {
	out := *m
	out.Header = m.Header.withField(headerDeliveryCount, Uint(n))
	return &out
}

// WithDeliveryAnnotation returns a copy with one delivery annotation set.
func (m *Message) WithDeliveryAnnotation(key string, v Value) *Message {
	out := *m
	out.DeliveryAnnotations = m.DeliveryAnnotations.Without(key).with(key, v)
	return &out
}

// WithoutMessageAnnotations returns a copy without some message annotations.
func (m *Message) WithoutMessageAnnotations(keys ...string) *Message {
	out := *m
	out.MessageAnnotations = m.MessageAnnotations.Without(keys...)
	return &out
}

// WithMessageAnnotation returns a copy with one message annotation set.
func (m *Message) WithMessageAnnotation(key string, v Value) *Message {
	out := *m
	out.MessageAnnotations = m.MessageAnnotations.Without(key).with(key, v)
	return &out
}

// Append appends the message to b. It always writes header and properties, because
// clients read some fields only if both exist.
func (m *Message) Append(b []byte) []byte {
	b = appendSection(b, sectionHeader, m.Header)
	if len(m.DeliveryAnnotations) > 0 {
		b = appendSection(b, sectionDeliveryAnnotations, m.DeliveryAnnotations)
	}
	if len(m.MessageAnnotations) > 0 {
		b = appendSection(b, sectionMessageAnnotations, m.MessageAnnotations)
	}
	b = appendSection(b, sectionProperties, m.Properties)
	if len(m.ApplicationProperties) > 0 {
		b = appendSection(b, sectionApplicationProperties, m.ApplicationProperties)
	}
	return append(b, m.body...)
}

func appendSection(b []byte, code Ulong, content Value) []byte {
	return Described{Descriptor: code, Value: content}.appendTo(b)
}
