package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// ErrMalformed is wrapped by all decoding errors: the bytes are not AMQP 1.0, or exceed
// the limits of this package.
var ErrMalformed = errors.New("malformed amqp data")

const (
	// maxDepth limits the nesting of values. Service Bus messages have only a few levels.
	maxDepth = 32
	// maxEmptyElements limits an array whose elements take no bytes (null or true),
	// which its size in bytes does not limit. No client sends such an array.
	maxEmptyElements = 64
)

// Decode reads the value at the start of b and returns the bytes after it.
// Binary values, decimals and arrays share memory with b.
func Decode(b []byte) (v Value, rest []byte, err error) {
	return decodeValue(b, 0)
}

func decodeValue(b []byte, depth int) (Value, []byte, error) {
	if depth > maxDepth {
		return nil, nil, fmt.Errorf("%w: values nest deeper than %d", ErrMalformed, maxDepth)
	}
	if len(b) == 0 {
		return nil, nil, fmt.Errorf("%w: missing value", ErrMalformed)
	}
	if b[0] == codeDescribed {
		descriptor, rest, err := decodeValue(b[1:], depth+1)
		if err != nil {
			return nil, nil, err
		}
		value, rest, err := decodeValue(rest, depth+1)
		if err != nil {
			return nil, nil, err
		}
		return Described{Descriptor: descriptor, Value: value}, rest, nil
	}
	content, rest, err := contentOf(b[0], b[1:])
	if err != nil {
		return nil, nil, err
	}
	if b[0] == codeArray8 || b[0] == codeArray32 {
		a, err := decodeArray(b[0], content, depth)
		if err != nil {
			return nil, nil, err
		}
		a.encoded = b[: len(b)-len(rest) : len(b)-len(rest)]
		return a, rest, nil
	}
	v, err := decodeContent(b[0], content, depth)
	return v, rest, err
}

// contentOf splits b, which follows a constructor, into the content of the value and
// the rest. A size field is not part of the content.
func contentOf(code byte, b []byte) (content, rest []byte, err error) {
	n := 0
	switch code >> 4 {
	case 0x4:
	case 0x5:
		n = 1
	case 0x6:
		n = 2
	case 0x7:
		n = 4
	case 0x8:
		n = 8
	case 0x9:
		n = 16
	case 0xa, 0xc, 0xe:
		if len(b) < 1 {
			return nil, nil, fmt.Errorf("%w: truncated size", ErrMalformed)
		}
		n, b = int(b[0]), b[1:]
	case 0xb, 0xd, 0xf:
		if len(b) < 4 {
			return nil, nil, fmt.Errorf("%w: truncated size", ErrMalformed)
		}
		size := binary.BigEndian.Uint32(b)
		b = b[4:]
		if uint64(size) > uint64(len(b)) {
			return nil, nil, fmt.Errorf("%w: a value of %d bytes has %d", ErrMalformed, size, len(b))
		}
		n = int(size)
	default:
		return nil, nil, fmt.Errorf("%w: unknown constructor 0x%02x", ErrMalformed, code)
	}
	if n > len(b) {
		return nil, nil, fmt.Errorf("%w: a value of %d bytes has %d", ErrMalformed, n, len(b))
	}
	return b[:n:n], b[n:], nil
}

// decodeContent decodes a value whose constructor and content are known.
func decodeContent(code byte, c []byte, depth int) (Value, error) {
	if v, ok := decodeFixed(code, c); ok {
		return v, nil
	}
	switch code {
	case codeDecimal32, codeDecimal64, codeDecimal128:
		return Decimal(c), nil
	case codeBinary8, codeBinary32:
		return Binary(c), nil
	case codeString8, codeString32:
		return String(c), nil
	case codeSymbol8, codeSymbol32:
		return Symbol(c), nil
	case codeList0:
		return List{}, nil
	case codeList8, codeList32:
		return decodeList(code, c, depth)
	case codeMap8, codeMap32:
		return decodeMap(code, c, depth)
	case codeArray8, codeArray32:
		return decodeNestedArray(code, c, depth)
	}
	return nil, fmt.Errorf("%w: unknown constructor 0x%02x", ErrMalformed, code)
}

// decodeFixed decodes a value of a fixed size, other than a decimal.
func decodeFixed(code byte, c []byte) (Value, bool) {
	switch code {
	case codeNull:
		return Null{}, true
	case codeTrue:
		return Bool(true), true
	case codeFalse:
		return Bool(false), true
	case codeBool:
		return Bool(c[0] != 0), true
	case codeFloat:
		return Float(math.Float32frombits(binary.BigEndian.Uint32(c))), true
	case codeDouble:
		return Double(math.Float64frombits(binary.BigEndian.Uint64(c))), true
	case codeChar:
		return Char(binary.BigEndian.Uint32(c)), true
	case codeTimestamp:
		return Timestamp(signed64(binary.BigEndian.Uint64(c))), true
	case codeUUID:
		return UUID(c), true
	}
	return decodeInteger(code, c)
}

func decodeInteger(code byte, c []byte) (Value, bool) {
	switch code {
	case codeUint0:
		return Uint(0), true
	case codeUlong0:
		return Ulong(0), true
	case codeUbyte:
		return Ubyte(c[0]), true
	case codeByte:
		return Byte(signed8(c[0])), true
	case codeSmallUint:
		return Uint(c[0]), true
	case codeSmallUlong:
		return Ulong(c[0]), true
	case codeSmallInt:
		return Int(signed8(c[0])), true
	case codeSmallLong:
		return Long(signed8(c[0])), true
	case codeUshort:
		return Ushort(binary.BigEndian.Uint16(c)), true
	case codeShort:
		return Short(signed16(binary.BigEndian.Uint16(c))), true
	case codeUint:
		return Uint(binary.BigEndian.Uint32(c)), true
	case codeInt:
		return Int(signed32(binary.BigEndian.Uint32(c))), true
	case codeUlong:
		return Ulong(binary.BigEndian.Uint64(c)), true
	case codeLong:
		return Long(signed64(binary.BigEndian.Uint64(c))), true
	}
	return nil, false
}
