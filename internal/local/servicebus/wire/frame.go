package wire

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Frame types (specification part 2, section 2.3 and part 5, section 5.3.1).
const (
	FrameAMQP byte = 0
	FrameSASL byte = 1
)

const (
	frameHeaderSize = 8
	// MinMaxFrameSize is the smallest maximum that a peer may announce (part 2, section
	// 2.8.1).
	MinMaxFrameSize = 512
)

// ProtocolHeader is sent first by each side of a connection (part 2, section 2.2 and
// part 5, section 5.3.2).
type ProtocolHeader [8]byte

// AMQPHeader returns the protocol header of an AMQP 1.0 connection.
func AMQPHeader() ProtocolHeader { return ProtocolHeader{'A', 'M', 'Q', 'P', 0, 1, 0, 0} }

// SASLHeader returns the protocol header of the SASL layer.
func SASLHeader() ProtocolHeader { return ProtocolHeader{'A', 'M', 'Q', 'P', 3, 1, 0, 0} }

// Frame is one frame: a performative and its payload. A frame without both is a
// heartbeat.
type Frame struct {
	Type         byte
	Channel      uint16
	Performative Performative
	Payload      []byte
}

// ReadFrame reads one frame of at most limit bytes. The error wraps ErrMalformed if the
// frame is too large or malformed, else the error of the reader.
func ReadFrame(r io.Reader, limit uint32) (Frame, error) {
	var head [frameHeaderSize]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return Frame{}, fmt.Errorf("read a frame: %w", err)
	}
	size := binary.BigEndian.Uint32(head[:4])
	if size < frameHeaderSize || size > limit {
		return Frame{}, fmt.Errorf("%w: a frame of %d bytes (at most %d)", ErrMalformed, size, limit)
	}
	rest := make([]byte, size-frameHeaderSize)
	if _, err := io.ReadFull(r, rest); err != nil {
		return Frame{}, fmt.Errorf("read a frame: %w", err)
	}
	return decodeFrame(head, rest)
}

// decodeFrame decodes the part of a frame after the first 8 bytes.
func decodeFrame(head [frameHeaderSize]byte, rest []byte) (Frame, error) {
	f := Frame{Type: head[5], Channel: binary.BigEndian.Uint16(head[6:])}
	extended := int(head[4])*4 - frameHeaderSize
	if extended < 0 || extended > len(rest) {
		return Frame{}, fmt.Errorf("%w: a frame with data offset %d", ErrMalformed, head[4])
	}
	if f.Type != FrameAMQP && f.Type != FrameSASL {
		return Frame{}, fmt.Errorf("%w: frame type %d", ErrMalformed, f.Type)
	}
	body := rest[extended:]
	if len(body) == 0 {
		return f, nil
	}
	v, payload, err := Decode(body)
	if err != nil {
		return Frame{}, err
	}
	if f.Performative, err = decodePerformative(v); err != nil {
		return Frame{}, err
	}
	f.Payload = payload
	return f, nil
}

// AppendFrame appends one frame to b. Without a performative the frame is empty.
func AppendFrame(b []byte, f Frame) []byte {
	start := len(b)
	b = append(b, 0, 0, 0, 0, frameHeaderSize/4, f.Type)
	b = binary.BigEndian.AppendUint16(b, f.Channel)
	if f.Performative != nil {
		b = appendPerformative(b, f.Performative)
		b = append(b, f.Payload...)
	}
	binary.BigEndian.PutUint32(b[start:], length32(len(b)-start))
	return b
}
