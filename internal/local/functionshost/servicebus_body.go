package functionshost

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
)

// dataContractString precedes a string that .NET's DataContractSerializer wrote
// in binary XML. Older .NET senders send such bodies.
const dataContractString = "@\x06string\x083http://schemas.microsoft.com/2003/10/Serialization/"

// Records of binary XML that hold text and end the element, by the size of their
// length field.
const (
	xmlChars8  = 0x99
	xmlChars16 = 0x9B
	xmlChars32 = 0x9D
)

// messageBody returns the bytes that the host binds. It returns an error for a
// body that the host cannot bind to a string: an AMQP value of another type, or
// an AMQP sequence. Such a message fails without a call to the handler.
func messageBody(message *azservicebus.ReceivedMessage) ([]byte, error) {
	if message.RawAMQPMessage == nil {
		return message.Body, nil
	}
	switch body := message.RawAMQPMessage.Body; {
	case len(body.Data) > 0:
		return bytes.Join(body.Data, nil), nil
	case len(body.Sequence) > 0:
		return nil, fmt.Errorf("message %q has an AMQP sequence as its body, which does not bind to a string", message.MessageID)
	case body.Value != nil:
		text, ok := body.Value.(string)
		if !ok {
			return nil, fmt.Errorf("message %q has an AMQP value of type %T as its body, which does not bind to a string", message.MessageID, body.Value)
		}
		return []byte(text), nil
	}
	return message.Body, nil
}

// bodyText returns a body as the string that the host binds. A byte order mark
// stays.
func bodyText(body []byte) string {
	if text, ok := unwrapDataContract(body); ok {
		body = text
	}
	return decodeUTF8(body)
}

// unwrapDataContract returns the string in a body that .NET's
// DataContractSerializer wrote.
func unwrapDataContract(body []byte) ([]byte, bool) {
	rest, ok := bytes.CutPrefix(body, []byte(dataContractString))
	if !ok || len(rest) == 0 {
		return nil, false
	}
	kind, rest := rest[0], rest[1:]
	var size uint64
	switch {
	case kind == xmlChars8 && len(rest) >= 1:
		size, rest = uint64(rest[0]), rest[1:]
	case kind == xmlChars16 && len(rest) >= 2:
		size, rest = uint64(binary.LittleEndian.Uint16(rest)), rest[2:]
	case kind == xmlChars32 && len(rest) >= 4:
		size, rest = uint64(binary.LittleEndian.Uint32(rest)), rest[4:]
	default:
		return nil, false
	}
	return rest, uint64(len(rest)) == size
}

// decodeUTF8 replaces invalid UTF-8 as .NET does: one U+FFFD for each longest
// start of a character.
func decodeUTF8(body []byte) string {
	if utf8.Valid(body) {
		return string(body)
	}
	var out strings.Builder
	for len(body) > 0 {
		r, size := utf8.DecodeRune(body)
		for r == utf8.RuneError && size < len(body) && !utf8.FullRune(body[:size]) && !utf8.FullRune(body[:size+1]) {
			size++
		}
		out.WriteRune(r)
		body = body[size:]
	}
	return out.String()
}
