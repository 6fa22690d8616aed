package wire

import (
	"bytes"
	"testing"
)

// A decoded value must encode, and decode again to the same encoding.
func FuzzDecodeValue(f *testing.F) {
	for _, v := range everyValue() {
		f.Add(Append(nil, v))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, rest, err := Decode(b)
		if err != nil {
			return
		}
		if len(rest) > len(b) {
			t.Fatalf("%d bytes left of %d", len(rest), len(b))
		}
		once := Append(nil, v)
		again, rest, err := Decode(once)
		if err != nil || len(rest) != 0 {
			t.Fatalf("%x does not read back: %v", once, err)
		}
		if twice := Append(nil, again); !bytes.Equal(once, twice) {
			t.Fatalf("%x became %x", once, twice)
		}
	})
}

func FuzzDecodeFrame(f *testing.F) {
	for _, p := range everyPerformative() {
		f.Add(AppendFrame(nil, Frame{Performative: p, Payload: []byte("p")}))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		frame, err := ReadFrame(bytes.NewReader(b), 4096)
		if err != nil {
			return
		}
		again, err := ReadFrame(bytes.NewReader(AppendFrame(nil, frame)), 1<<20)
		if err != nil {
			t.Fatalf("%+v does not read back: %v", frame, err)
		}
		if !bytes.Equal(frame.Payload, again.Payload) {
			t.Fatalf("payload %x became %x", frame.Payload, again.Payload)
		}
	})
}

func FuzzDecodeMessage(f *testing.F) {
	f.Add(fullMessage())
	f.Add(section(sectionValue, String("hello")))
	f.Add(section(sectionProperties, List{UUID{1}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := DecodeMessage(b)
		if err != nil {
			return
		}
		_, _, _ = m.MessageID(), m.ReplyTo(), m.TTL()
		_ = m.Body()
		_, _ = m.DataSections()
		_, _ = m.Value()
		sent := m.WithDeliveryCount(1).WithMessageAnnotation("x", Long(1)).Append(nil)
		again, err := DecodeMessage(sent)
		if err != nil {
			t.Fatalf("%x does not read back: %v", sent, err)
		}
		if m.MessageID() != again.MessageID() || !bytes.Equal(m.Body(), again.Body()) {
			t.Fatalf("%x became %x", b, sent)
		}
	})
}
