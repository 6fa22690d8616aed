package wire

// This file has the conversions between signed and unsigned numbers. AMQP defines the
// bits, which the conversions reinterpret on purpose.

func length32(n int) uint32   { return uint32(n) } //nolint:gosec // buffers are limited to far less than 4 GiB
func length8(n int) uint8     { return uint8(n) }  //nolint:gosec // callers have checked n <= 255
func signed8(b byte) int8     { return int8(b) }   //nolint:gosec // two's complement on the wire
func signed16(v uint16) int16 { return int16(v) }  //nolint:gosec // two's complement on the wire
func signed32(v uint32) int32 { return int32(v) }  //nolint:gosec // two's complement on the wire
func signed64(v uint64) int64 { return int64(v) }  //nolint:gosec // two's complement on the wire
func bits8(v int8) byte       { return byte(v) }   //nolint:gosec // two's complement on the wire
func bits16(v int16) uint16   { return uint16(v) } //nolint:gosec // two's complement on the wire
func bits32(v int32) uint32   { return uint32(v) } //nolint:gosec // two's complement on the wire
func bits64(v int64) uint64   { return uint64(v) } //nolint:gosec // two's complement on the wire
