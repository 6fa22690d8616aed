package servicebus

import (
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"azbackupflow/internal/local/servicebus/wire"
)

// The broker must neither panic nor leak goroutines, whatever a client sends after the
// handshake.
func FuzzDecodeClient(f *testing.F) {
	frame := func(p wire.Performative, payload []byte) []byte {
		return wire.AppendFrame(nil, wire.Frame{Performative: p, Payload: payload})
	}
	attach := frame(&wire.Attach{Name: "s", Handle: 1, Role: wire.RoleSender, Target: terminus(0x29, "steps")}, nil)
	f.Add(append(attach, frame(&wire.Transfer{Handle: 1, DeliveryID: number(uint32(0))}, rawMessage("a"))...))
	f.Add(append(
		frame(&wire.Attach{Name: "r", Handle: 1, Role: wire.RoleReceiver, Source: terminus(0x28, "steps")}, nil),
		frame(&wire.Flow{Handle: number(uint32(1)), LinkCredit: number(uint32(9)), Drain: true, Echo: true}, nil)...))
	manage := wire.Response(wire.String("id"), wire.Map{
		{Key: wire.String("operation"), Value: wire.String("com.microsoft:peek-message")},
	}, wire.Map{{Key: wire.String("from-sequence-number"), Value: wire.Long(0)}, {Key: wire.String("message-count"), Value: wire.Int(1)}})
	f.Add(append(
		frame(&wire.Attach{Name: "m", Handle: 1, Role: wire.RoleSender, Target: terminus(0x29, "steps/$management")}, nil),
		frame(&wire.Transfer{Handle: 1, DeliveryID: number(uint32(0))}, manage.Append(nil))...))
	f.Add(frame(&wire.Disposition{Role: wire.RoleReceiver, Last: number(uint32(9)), State: wire.Modified{}}, nil))
	f.Add(frame(&wire.End{}, nil))

	settings, err := QueueConfig{Name: "steps"}.settings()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(_ *testing.T, sent []byte) {
		steps := newQueue("steps", settings, systemClock{})
		defer steps.close()
		client, server := net.Pipe()
		c := newConn(&Broker{log: slog.New(slog.DiscardHandler), heartbeat: time.Hour, entities: map[string]*entity{"steps": steps}}, server)
		c.claims.add("steps", claim{rights{send: true, listen: true}, systemClock{}.Now().AddDate(1, 0, 0)})
		served := make(chan struct{})
		go func() {
			defer close(served)
			c.serve()
		}()
		drained := make(chan struct{})
		go func() {
			defer close(drained)
			_, _ = io.Copy(io.Discard, client)
		}()
		_, _ = client.Write(append(rawHello(), sent...))
		_ = client.Close()
		<-served
		<-drained
	})
}
