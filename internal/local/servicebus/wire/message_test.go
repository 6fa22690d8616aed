package wire

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func section(code Ulong, v Value) []byte { return Append(nil, Described{code, v}) }

func join(parts ...[]byte) []byte {
	var b []byte
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

func fullMessage() []byte {
	return join(
		section(sectionHeader, List{Bool(true), Null{}, Uint(5000), Null{}, Uint(9)}),
		section(sectionDeliveryAnnotations, Map{{Symbol("d"), Int(1)}}),
		section(sectionMessageAnnotations, Map{{Symbol("m"), LongArray([]int64{1})}}),
		section(sectionProperties, List{String("id-1"), Binary("user"), Null{}, Null{}, String("reply"), Ulong(4)}),
		section(sectionApplicationProperties, Map{{String("a"), Decimal{1, 2, 3, 4}}, {String("b"), Int(2)}}),
		section(sectionData, Binary("one")),
		section(sectionData, Binary("two")),
		section(sectionFooter, Map{{Symbol("f"), Int(1)}}),
	)
}

func TestMessage_IsSplitIntoSections(t *testing.T) {
	t.Parallel()
	m, err := DecodeMessage(fullMessage())
	require.NoError(t, err)
	require.Equal(t, "id-1", m.MessageID())
	require.Equal(t, "reply", m.ReplyTo())
	require.Equal(t, 5*time.Second, m.TTL())
	require.Equal(t, Int(1), m.DeliveryAnnotations.Get("d"))
	require.Equal(t, "onetwo", string(m.Body()))
	data, err := m.DataSections()
	require.NoError(t, err)
	require.Len(t, data, 2)
}

func TestMessage_KeepsUnknownContent(t *testing.T) {
	t.Parallel()
	m, err := DecodeMessage(fullMessage())
	require.NoError(t, err)
	changed := m.WithDeliveryCount(2).
		WithDeliveryAnnotation("lock", UUID{1}).
		WithMessageAnnotation("sequence", Long(7)).
		WithProperties(Map{{String("b"), String("new")}, {Symbol("c"), Bool(true)}}).
		WithMessageID("id-2")
	again, err := DecodeMessage(changed.Append(nil))
	require.NoError(t, err)

	require.Equal(t, "id-2", again.MessageID())
	require.Equal(t, Uint(2), again.Header.field(headerDeliveryCount))
	require.Equal(t, 5*time.Second, again.TTL())
	require.Equal(t, Int(1), again.DeliveryAnnotations.Get("d"))
	require.Equal(t, UUID{1}, again.DeliveryAnnotations.Get("lock"))
	require.Equal(t, []Value{Long(1)}, elementsOf(t, again.MessageAnnotations.Get("m")))
	require.Equal(t, Long(7), again.MessageAnnotations.Get("sequence"))
	require.Equal(t, Decimal{1, 2, 3, 4}, again.ApplicationProperties.Get("a"))
	require.Equal(t, String("new"), again.ApplicationProperties.Get("b"))
	require.Equal(t, Bool(true), again.ApplicationProperties.Get("c"))
	require.Equal(t, m.body, again.body)
	require.Equal(t, m.Properties[1:], again.Properties[1:])

	require.Equal(t, "id-1", m.MessageID(), "the original is untouched")
	require.Equal(t, Int(2), m.ApplicationProperties.Get("b"), "the original is untouched")
}

func TestMessageID_OfEveryTypeBecomesText(t *testing.T) {
	t.Parallel()
	for want, id := range map[string]Value{
		"text": String("text"), "12": Ulong(12), "0a0b": Binary{0x0a, 0x0b},
		"01000000-0000-0000-0000-000000000000": UUID{1}, "": Null{},
	} {
		m, err := DecodeMessage(section(sectionProperties, List{id}))
		require.NoError(t, err)
		require.Equal(t, want, m.MessageID())
	}
}

func TestMessage_WithoutPropertiesGetsThem(t *testing.T) {
	t.Parallel()
	m, err := DecodeMessage(section(sectionValue, String("hello")))
	require.NoError(t, err)
	require.Empty(t, m.MessageID())
	require.Zero(t, m.TTL())
	require.Equal(t, "hello", string(m.Body()))
	again, err := DecodeMessage(m.Append(nil))
	require.NoError(t, err)
	value, err := again.Value()
	require.NoError(t, err)
	require.Equal(t, String("hello"), value)
}

func TestMessage_MalformedIsRejected(t *testing.T) {
	t.Parallel()
	full := fullMessage()
	_, err := DecodeMessage(full[:len(full)-1])
	require.ErrorIs(t, err, ErrMalformed, "cut short")
	for name, b := range map[string][]byte{
		"no descriptor":        Append(nil, String("x")),
		"unknown section":      section(0x99, List{}),
		"header that is a map": section(sectionHeader, Map{}),
		"annotations as list":  section(sectionMessageAnnotations, List{}),
		"numeric map key":      section(sectionApplicationProperties, Map{{Int(1), Int(1)}}),
		"odd descriptor":       Append(nil, Described{Int(1), List{}}),
	} {
		_, err := DecodeMessage(b)
		require.ErrorIs(t, err, ErrMalformed, name)
	}
}

func TestMessage_SymbolicSectionsAreRead(t *testing.T) {
	t.Parallel()
	m, err := DecodeMessage(Append(nil, Described{Symbol("amqp:data:binary"), Binary("x")}))
	require.NoError(t, err)
	require.Equal(t, "x", string(m.Body()))
}
