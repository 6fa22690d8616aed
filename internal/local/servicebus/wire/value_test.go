package wire

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func everyValue() []Value {
	long := bytes.Repeat([]byte("x"), 300)
	return []Value{
		Null{}, Bool(true), Bool(false), Ubyte(7), Ushort(700), Uint(0), Uint(9), Uint(70000),
		Ulong(0), Ulong(9), Ulong(1 << 40), Byte(-3), Short(-300), Int(-70000), Long(-1 << 40),
		Float(1.5), Double(-2.25), Char('é'), TimestampOf(time.UnixMilli(1700000000123)),
		UUID{0: 1, 15: 2}, Decimal{1, 2, 3, 4}, Decimal(long[:8]), Decimal(long[:16]),
		Binary("ab"), Binary(long), String("ab"), String(long), Symbol("ab"), Symbol(long),
		List{}, List{Int(1), String("two"), List{Null{}}},
		Map{}, Map{{Key: String("a"), Value: Int(1)}, {Key: Symbol("b"), Value: Map{}}},
		LongArray([]int64{1, -2}), LongArray(nil), TimestampArray([]Timestamp{5}),
		Described{Descriptor: Ulong(0x24), Value: List{}},
		Described{Descriptor: Symbol("a:b"), Value: Described{Descriptor: Ulong(1), Value: String("x")}},
	}
}

func elementsOf(t *testing.T, v Value) []Value {
	t.Helper()
	elements, ok := Elements(v)
	require.True(t, ok, "%T has no elements", v)
	return elements
}

func TestValue_RoundTrips(t *testing.T) {
	t.Parallel()
	for _, v := range everyValue() {
		b := append(Append(nil, v), 0xff)
		got, rest, err := Decode(b)
		require.NoError(t, err, "%T %v", v, v)
		require.Equal(t, []byte{0xff}, rest, "%T %v", v, v)
		require.Equal(t, b[:len(b)-1], Append(nil, got), "%T %v", v, v)
		if _, isArray := v.(Array); !isArray {
			require.Equal(t, v, got)
		}
	}
}

func TestValue_TruncatedIsAnErrorAtEveryLength(t *testing.T) {
	t.Parallel()
	for _, v := range everyValue() {
		b := Append(nil, v)
		for n := range b {
			_, _, err := Decode(b[:n])
			require.ErrorIs(t, err, ErrMalformed, "%T cut to %d bytes", v, n)
		}
	}
}

func TestValue_SmallEncodingsAreRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		bytes []byte
		want  Value
	}{
		{"small int", []byte{0x54, 0xfe}, Int(-2)},
		{"small long", []byte{0x55, 0xfe}, Long(-2)},
		{"one-byte boolean", []byte{0x56, 0x01}, Bool(true)},
		{"list8", []byte{0xc0, 0x03, 0x01, 0x54, 0x05}, List{Int(5)}},
		{"map8", []byte{0xc1, 0x06, 0x02, 0xa1, 0x01, 'k', 0x54, 0x05}, Map{{Key: String("k"), Value: Int(5)}}},
	} {
		got, rest, err := Decode(c.bytes)
		require.NoError(t, err, c.name)
		require.Empty(t, rest, c.name)
		require.Equal(t, c.want, got, c.name)
	}
}

func TestArray_OfAnyElementIsRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		bytes []byte
		want  []Value
	}{
		{"symbols", []byte{0xe0, 0x06, 0x02, 0xa3, 1, 'a', 1, 'b'}, []Value{Symbol("a"), Symbol("b")}},
		{"described", []byte{0xe0, 0x05, 0x01, 0x00, 0x53, 0x24, 0x45}, []Value{Described{Ulong(0x24), List{}}}},
		{"booleans without bytes", []byte{0xe0, 0x02, 0x03, 0x41}, []Value{Bool(true), Bool(true), Bool(true)}},
	} {
		got, rest, err := Decode(c.bytes)
		require.NoError(t, err, c.name)
		require.Empty(t, rest, c.name)
		require.Equal(t, c.want, elementsOf(t, got), c.name)
		require.Equal(t, c.bytes, Append(nil, got), c.name)
	}
}

func TestArray_OfArraysKeepsItsEncoding(t *testing.T) {
	t.Parallel()
	inner := []byte{0x03, 0x01, 0x54, 0x05} // size, count, constructor, element
	b := append([]byte{0xe0, byte(2 + len(inner)), 0x01, 0xe0}, inner...)
	got, _, err := Decode(b)
	require.NoError(t, err)
	first := elementsOf(t, got)[0]
	require.Equal(t, []Value{Int(5)}, elementsOf(t, first))
	require.Equal(t, append([]byte{0xe0}, inner...), Append(nil, first))
}

func TestValue_HostileSizesAreRejectedWithoutAllocating(t *testing.T) {
	t.Parallel()
	huge := binary.BigEndian.AppendUint32(nil, 0xffffffff)
	deep := bytes.Repeat([]byte{0xc0, 0xff, 0x01}, maxDepth+2)
	for name, b := range map[string][]byte{
		"binary longer than its bytes":      append([]byte{0xb0}, huge...),
		"list with too many elements":       append([]byte{0xd0, 0, 0, 0, 4}, huge...),
		"map with an odd count":             {0xc1, 0x02, 0x01, 0x40},
		"array of a billion nothings":       append(append([]byte{0xf0, 0, 0, 0, 5}, 0x0f, 0xff, 0xff, 0xff), 0x40),
		"array with too many elements":      {0xe0, 0x03, 0xff, 0x54, 0x01},
		"array without a constructor":       {0xe0, 0x01, 0x00},
		"unknown constructor":               {0x10},
		"unknown constructor of known size": {0x5f, 0x00},
		"nesting without end":               deep,
		"descriptors without end":           bytes.Repeat([]byte{0x00}, 1000),
	} {
		_, _, err := Decode(b)
		require.ErrorIs(t, err, ErrMalformed, name)
	}
}

func TestUUID_IsWrittenAsRFC4122(t *testing.T) {
	t.Parallel()
	id := UUID{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef}
	require.Equal(t, "01234567-89ab-cdef-0123-456789abcdef", id.String())
}
