package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// ErrMalformed is wrapped by every error that decoding returns: the bytes are
// not AMQP 1.0, or beyond the limits that this package sets.
var ErrMalformed = errors.New("malformed amqp data")

const (
	// maxDepth bounds how deep values nest. Service Bus messages nest a handful
	// of levels.
	maxDepth = 32
	// maxEmptyElements bounds an array whose elements take no bytes (an array
	// of null or of true), which its size in bytes does not bound. No client sends
	// one.
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
		return nil, nil, fmt.Errorf("%w: a value is missing", ErrMalformed)
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

// contentOf cuts the content that follows a constructor from b: for a variable
// or compound type, what its size announces, without the size itself.
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
			return nil, nil, fmt.Errorf("%w: a size is cut short", ErrMalformed)
		}
		n, b = int(b[0]), b[1:]
	case 0xb, 0xd, 0xf:
		if len(b) < 4 {
			return nil, nil, fmt.Errorf("%w: a size is cut short", ErrMalformed)
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

// decodeContent reads a value whose constructor and content are known.
func decodeContent(code byte, c []byte, depth int) (Value, error) {
	switch code {
	case codeNull:
		return Null{}, nil
	case codeTrue:
		return Bool(true), nil
	case codeFalse:
		return Bool(false), nil
	case codeBool:
		return Bool(c[0] != 0), nil
	case codeUint0:
		return Uint(0), nil
	case codeUlong0:
		return Ulong(0), nil
	case codeUbyte:
		return Ubyte(c[0]), nil
	case codeByte:
		return Byte(signed8(c[0])), nil
	case codeSmallUint:
		return Uint(c[0]), nil
	case codeSmallUlong:
		return Ulong(c[0]), nil
	case codeSmallInt:
		return Int(signed8(c[0])), nil
	case codeSmallLong:
		return Long(signed8(c[0])), nil
	case codeUshort:
		return Ushort(binary.BigEndian.Uint16(c)), nil
	case codeShort:
		return Short(signed16(binary.BigEndian.Uint16(c))), nil
	case codeUint:
		return Uint(binary.BigEndian.Uint32(c)), nil
	case codeInt:
		return Int(signed32(binary.BigEndian.Uint32(c))), nil
	case codeFloat:
		return Float(math.Float32frombits(binary.BigEndian.Uint32(c))), nil
	case codeChar:
		return Char(binary.BigEndian.Uint32(c)), nil
	case codeUlong:
		return Ulong(binary.BigEndian.Uint64(c)), nil
	case codeLong:
		return Long(signed64(binary.BigEndian.Uint64(c))), nil
	case codeDouble:
		return Double(math.Float64frombits(binary.BigEndian.Uint64(c))), nil
	case codeTimestamp:
		return Timestamp(signed64(binary.BigEndian.Uint64(c))), nil
	case codeUUID:
		return UUID(c), nil
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
