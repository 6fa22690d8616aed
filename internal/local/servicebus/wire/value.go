package wire

import (
	"encoding/hex"
	"time"
)

// Value is one AMQP 1.0 value (specification part 1, section 1.6). Only this package
// implements it, so encoding cannot fail.
type Value interface {
	appendTo(b []byte) []byte
}

// The primitive types, with their names in the specification.
type (
	// Null is the absence of a value.
	Null struct{}
	// Bool is a boolean.
	Bool bool
	// Ubyte is an unsigned 8-bit integer.
	Ubyte uint8
	// Ushort is an unsigned 16-bit integer.
	Ushort uint16
	// Uint is an unsigned 32-bit integer.
	Uint uint32
	// Ulong is an unsigned 64-bit integer.
	Ulong uint64
	// Byte is a signed 8-bit integer.
	Byte int8
	// Short is a signed 16-bit integer.
	Short int16
	// Int is a signed 32-bit integer.
	Int int32
	// Long is a signed 64-bit integer.
	Long int64
	// Float is a 32-bit IEEE 754 number.
	Float float32
	// Double is a 64-bit IEEE 754 number.
	Double float64
	// Char is one Unicode code point.
	Char uint32
	// Timestamp is a point in time in milliseconds since the Unix epoch.
	Timestamp int64
	// UUID is a 16-byte identifier in RFC 4122 byte order.
	UUID [16]byte
	// Binary is a sequence of bytes.
	Binary []byte
	// String is Unicode text.
	String string
	// Symbol is ASCII text from a constrained domain.
	Symbol string
	// List is a sequence of values of any type.
	List []Value
	// Map is a sequence of pairs, in the order of their encoding.
	Map []Pair
)

// Decimal is a decimal number of 4, 8 or 16 bytes, which is not interpreted.
type Decimal []byte

// Pair is one entry of a Map.
type Pair struct{ Key, Value Value }

// Described is a value with a descriptor that names its type.
type Described struct{ Descriptor, Value Value }

// Array is a sequence of values of one type. It keeps its encoding, because an array
// has an element type even if it is empty.
type Array struct {
	Elements []Value
	encoded  []byte
}

// Raw is one value that is already encoded.
type Raw []byte

// TimestampOf converts a time, rounded down to milliseconds.
func TimestampOf(t time.Time) Timestamp { return Timestamp(t.UnixMilli()) }

// Time returns the time in UTC.
func (v Timestamp) Time() time.Time { return time.UnixMilli(int64(v)).UTC() }

// String returns the identifier in the form of RFC 4122.
func (v UUID) String() string {
	var b [36]byte
	hex.Encode(b[0:8], v[0:4])
	b[8] = '-'
	hex.Encode(b[9:13], v[4:6])
	b[13] = '-'
	hex.Encode(b[14:18], v[6:8])
	b[18] = '-'
	hex.Encode(b[19:23], v[8:10])
	b[23] = '-'
	hex.Encode(b[24:36], v[10:16])
	return string(b[:])
}

// Get returns the value of the entry with the given key, or nil.
func (v Map) Get(key string) Value {
	for _, p := range v {
		if text, ok := Text(p.Key); ok && text == key {
			return p.Value
		}
	}
	return nil
}

// Text returns the text of a String or Symbol.
func Text(v Value) (string, bool) {
	switch v := v.(type) {
	case String:
		return string(v), true
	case Symbol:
		return string(v), true
	}
	return "", false
}

// Integer returns the number in a value of any integer type that fits an int64.
func Integer(v Value) (int64, bool) {
	switch v := v.(type) {
	case Ubyte:
		return int64(v), true
	case Ushort:
		return int64(v), true
	case Uint:
		return int64(v), true
	case Ulong:
		n := signed64(uint64(v))
		return n, n >= 0
	case Byte:
		return int64(v), true
	case Short:
		return int64(v), true
	case Int:
		return int64(v), true
	case Long:
		return int64(v), true
	}
	return 0, false
}

// Elements returns the elements of a List or an Array.
func Elements(v Value) ([]Value, bool) {
	switch v := v.(type) {
	case List:
		return v, true
	case Array:
		return v.Elements, true
	}
	return nil, false
}
