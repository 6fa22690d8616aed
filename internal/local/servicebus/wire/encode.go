package wire

import (
	"encoding/binary"
	"math"
)

// The constructors of the primitive types (specification part 1, section 1.6).
const (
	codeDescribed  = 0x00
	codeNull       = 0x40
	codeTrue       = 0x41
	codeFalse      = 0x42
	codeUint0      = 0x43
	codeUlong0     = 0x44
	codeList0      = 0x45
	codeUbyte      = 0x50
	codeByte       = 0x51
	codeSmallUint  = 0x52
	codeSmallUlong = 0x53
	codeSmallInt   = 0x54
	codeSmallLong  = 0x55
	codeBool       = 0x56
	codeUshort     = 0x60
	codeShort      = 0x61
	codeUint       = 0x70
	codeInt        = 0x71
	codeFloat      = 0x72
	codeChar       = 0x73
	codeDecimal32  = 0x74
	codeUlong      = 0x80
	codeLong       = 0x81
	codeDouble     = 0x82
	codeTimestamp  = 0x83
	codeDecimal64  = 0x84
	codeDecimal128 = 0x94
	codeUUID       = 0x98
	codeBinary8    = 0xa0
	codeString8    = 0xa1
	codeSymbol8    = 0xa3
	codeBinary32   = 0xb0
	codeString32   = 0xb1
	codeSymbol32   = 0xb3
	codeList8      = 0xc0
	codeMap8       = 0xc1
	codeList32     = 0xd0
	codeMap32      = 0xd1
	codeArray8     = 0xe0
	codeArray32    = 0xf0
)

// Append appends a value to b.
func Append(b []byte, v Value) []byte {
	if v == nil {
		return append(b, codeNull)
	}
	return v.appendTo(b)
}

func (Null) appendTo(b []byte) []byte { return append(b, codeNull) }

func (v Bool) appendTo(b []byte) []byte {
	if v {
		return append(b, codeTrue)
	}
	return append(b, codeFalse)
}

func (v Ubyte) appendTo(b []byte) []byte { return append(b, codeUbyte, byte(v)) }

func (v Ushort) appendTo(b []byte) []byte {
	return binary.BigEndian.AppendUint16(append(b, codeUshort), uint16(v))
}

func (v Uint) appendTo(b []byte) []byte {
	switch {
	case v == 0:
		return append(b, codeUint0)
	case v <= math.MaxUint8:
		return append(b, codeSmallUint, byte(v))
	}
	return binary.BigEndian.AppendUint32(append(b, codeUint), uint32(v))
}

func (v Ulong) appendTo(b []byte) []byte {
	switch {
	case v == 0:
		return append(b, codeUlong0)
	case v <= math.MaxUint8:
		return append(b, codeSmallUlong, byte(v))
	}
	return binary.BigEndian.AppendUint64(append(b, codeUlong), uint64(v))
}

func (v Byte) appendTo(b []byte) []byte { return append(b, codeByte, bits8(int8(v))) }

func (v Short) appendTo(b []byte) []byte {
	return binary.BigEndian.AppendUint16(append(b, codeShort), bits16(int16(v)))
}

func (v Int) appendTo(b []byte) []byte {
	return binary.BigEndian.AppendUint32(append(b, codeInt), bits32(int32(v)))
}

func (v Long) appendTo(b []byte) []byte {
	return binary.BigEndian.AppendUint64(append(b, codeLong), bits64(int64(v)))
}

func (v Float) appendTo(b []byte) []byte {
	return binary.BigEndian.AppendUint32(append(b, codeFloat), math.Float32bits(float32(v)))
}

func (v Double) appendTo(b []byte) []byte {
	return binary.BigEndian.AppendUint64(append(b, codeDouble), math.Float64bits(float64(v)))
}

func (v Char) appendTo(b []byte) []byte {
	return binary.BigEndian.AppendUint32(append(b, codeChar), uint32(v))
}

func (v Timestamp) appendTo(b []byte) []byte {
	return binary.BigEndian.AppendUint64(append(b, codeTimestamp), bits64(int64(v)))
}

func (v UUID) appendTo(b []byte) []byte { return append(append(b, codeUUID), v[:]...) }

func (v Decimal) appendTo(b []byte) []byte {
	switch len(v) {
	case 4:
		b = append(b, codeDecimal32)
	case 8:
		b = append(b, codeDecimal64)
	case 16:
		b = append(b, codeDecimal128)
	default:
		return append(b, codeNull)
	}
	return append(b, v...)
}

func (v Binary) appendTo(b []byte) []byte {
	return append(appendVariable(b, codeBinary8, codeBinary32, len(v)), v...)
}

func (v String) appendTo(b []byte) []byte {
	return append(appendVariable(b, codeString8, codeString32, len(v)), v...)
}

func (v Symbol) appendTo(b []byte) []byte {
	return append(appendVariable(b, codeSymbol8, codeSymbol32, len(v)), v...)
}

func appendVariable(b []byte, small, large byte, n int) []byte {
	if n <= math.MaxUint8 {
		return append(b, small, length8(n))
	}
	return binary.BigEndian.AppendUint32(append(b, large), length32(n))
}

func (v List) appendTo(b []byte) []byte {
	if len(v) == 0 {
		return append(b, codeList0)
	}
	b, start := openCompound(b, codeList32, len(v))
	for _, e := range v {
		b = Append(b, e)
	}
	return closeCompound(b, start)
}

func (v Map) appendTo(b []byte) []byte {
	b, start := openCompound(b, codeMap32, 2*len(v))
	for _, p := range v {
		b = Append(Append(b, p.Key), p.Value)
	}
	return closeCompound(b, start)
}

func (v Described) appendTo(b []byte) []byte {
	return Append(Append(append(b, codeDescribed), v.Descriptor), v.Value)
}

func (v Array) appendTo(b []byte) []byte {
	if v.encoded == nil {
		return append(b, codeNull)
	}
	return append(b, v.encoded...)
}

func (v Raw) appendTo(b []byte) []byte {
	if len(v) == 0 {
		return append(b, codeNull)
	}
	return append(b, v...)
}

// openCompound starts a compound value with a size and a count of 4 bytes each.
// closeCompound sets the size when the content is complete.
func openCompound(b []byte, code byte, count int) (out []byte, start int) {
	b = append(b, code, 0, 0, 0, 0)
	start = len(b)
	return binary.BigEndian.AppendUint32(b, length32(count)), start
}

func closeCompound(b []byte, start int) []byte {
	binary.BigEndian.PutUint32(b[start-4:start], length32(len(b)-start))
	return b
}

// LongArray returns an array of long.
func LongArray(numbers []int64) Array {
	a := Array{Elements: make([]Value, len(numbers))}
	b, start := openCompound(nil, codeArray32, len(numbers))
	b = append(b, codeLong)
	for i, n := range numbers {
		a.Elements[i] = Long(n)
		b = binary.BigEndian.AppendUint64(b, bits64(n))
	}
	a.encoded = closeCompound(b, start)
	return a
}

// SymbolArray returns an array of symbol.
func SymbolArray(texts []string) Array {
	a := Array{Elements: make([]Value, len(texts))}
	b, start := openCompound(nil, codeArray32, len(texts))
	b = append(b, codeSymbol32)
	for i, text := range texts {
		a.Elements[i] = Symbol(text)
		b = append(binary.BigEndian.AppendUint32(b, length32(len(text))), text...)
	}
	a.encoded = closeCompound(b, start)
	return a
}

// TimestampArray returns an array of timestamp.
func TimestampArray(times []Timestamp) Array {
	a := Array{Elements: make([]Value, len(times))}
	b, start := openCompound(nil, codeArray32, len(times))
	b = append(b, codeTimestamp)
	for i, t := range times {
		a.Elements[i] = t
		b = binary.BigEndian.AppendUint64(b, bits64(int64(t)))
	}
	a.encoded = closeCompound(b, start)
	return a
}
