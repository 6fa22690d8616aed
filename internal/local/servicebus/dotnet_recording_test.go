package servicebus

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/servicebus/wire"
)

// recorded is one write of the .NET client or of the broker.
type recorded struct {
	At   float64 `json:"at"` // seconds
	From string  `json:"from"`
	Hex  string  `json:"hex"`
}

// answer is a frame of the broker, reduced to its kind.
type answer struct {
	channel uint16
	kind    string
	frame   wire.Frame
}

// The recordings contain the frames of Azure.Messaging.ServiceBus for .NET. Sent again,
// they must get the same kinds of answers, in the same order on each channel.
func TestDotNetRecording_GetsTheRecordedKindsOfAnswers(t *testing.T) {
	t.Parallel()
	shared := os.Getenv("AZBACKUPFLOW_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "..", "shared")
	}
	files, err := filepath.Glob(filepath.Join(shared, "recordings", "amqp-dotnet", "*.jsonl"))
	require.NoError(t, err)
	if len(files) == 0 {
		t.Skip("the recordings are missing; set AZBACKUPFLOW_SHARED to the folder that contains recordings/amqp-dotnet")
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".jsonl"), func(t *testing.T) {
			t.Parallel()
			newReplay(t).run(readRecording(t, file))
		})
	}
}

func readRecording(t *testing.T, file string) (all []recorded) {
	t.Helper()
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	for line := range bytes.Lines(content) {
		var r recorded
		require.NoError(t, json.Unmarshal(line, &r))
		all = append(all, r)
	}
	return all
}

// replay is a connection on which a recording is sent again.
type replay struct {
	t      *testing.T
	clock  *manualClock
	broker *Broker
	socket net.Conn
	r      *bufio.Reader
	// Lock token of the last delivery and sequence number of the last scheduled message,
	// as recorded and now. The client's frames contain the recorded ones.
	recorded, now names
}

// names are identifiers that a broker assigns.
type names struct {
	token  wire.UUID
	number wire.Long
}

func newReplay(t *testing.T) *replay {
	t.Helper()
	clock := newManualClock()
	b := startBroker(t, Config{Clock: clock, Key: "test", Queues: []QueueConfig{{Name: "rejected"}}, Heartbeat: time.Hour})
	socket, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", b.Address())
	require.NoError(t, err)
	t.Cleanup(func() { _ = socket.Close() })
	require.NoError(t, socket.SetDeadline(systemClock{}.Now().Add(time.Minute)))
	return &replay{t: t, clock: clock, broker: b, socket: socket, r: bufio.NewReader(socket)}
}

func (r *replay) run(all []recorded) {
	want, got := map[uint16][]string{}, map[uint16][]string{}
	previous := 0.0
	for i, x := range all {
		b, err := hex.DecodeString(x.Hex)
		require.NoError(r.t, err)
		if x.From == "client" {
			_, err = r.socket.Write(r.refresh(b))
			require.NoError(r.t, err)
			if isClose(b) {
				r.finish(all[i+1:])
				break
			}
			previous = x.At
			continue
		}
		expected := decodeAnswers(r.t, bufio.NewReader(bytes.NewReader(b)), -1)
		if len(expected) > 0 && x.At-previous > 1 { // the client waited for a scheduled message
			r.clock.advance(365 * 24 * time.Hour)
		}
		previous = x.At
		for _, e := range expected {
			r.recorded.remember(r.t, e)
			want[e.channel] = append(want[e.channel], e.kind)
		}
		for _, a := range decodeAnswers(r.t, r.r, len(expected)) {
			r.now.remember(r.t, a)
			got[a.channel] = append(got[a.channel], a.kind)
		}
	}
	require.Equal(r.t, want, got)
}

func isClose(b []byte) bool {
	f, err := wire.ReadFrame(bytes.NewReader(b), maxFrameSize)
	if err != nil {
		return false
	}
	_, closes := f.Performative.(*wire.Close)
	return closes
}

// finish reads the answers after the client's Close. The recorded broker did not answer
// all earlier frames in time, so there may be more answers than recorded; the last one
// must be Close.
func (r *replay) finish(all []recorded) {
	var want, got []string
	for _, x := range all {
		b, err := hex.DecodeString(x.Hex)
		require.NoError(r.t, err)
		for _, a := range decodeAnswers(r.t, bufio.NewReader(bytes.NewReader(b)), -1) {
			want = append(want, a.kind)
		}
	}
	for _, a := range decodeAnswers(r.t, r.r, -1) {
		got = append(got, a.kind)
	}
	require.Subset(r.t, got, want)
	require.Equal(r.t, "*wire.Close", got[len(got)-1])
}

// decodeAnswers reads n answers, or all if n is negative. It skips heartbeats.
func decodeAnswers(t *testing.T, r *bufio.Reader, n int) (all []answer) {
	t.Helper()
	for len(all) != n {
		start, err := r.Peek(4)
		if err != nil && n < 0 {
			return all
		}
		require.NoError(t, err)
		if string(start) == "AMQP" {
			header := make([]byte, 8)
			_, err := r.Read(header)
			require.NoError(t, err)
			all = append(all, answer{kind: fmt.Sprintf("header %v", header)})
			continue
		}
		f, err := wire.ReadFrame(r, maxFrameSize)
		require.NoError(t, err)
		if f.Performative != nil {
			all = append(all, answer{f.Channel, kindOf(t, f), f})
		}
	}
	return all
}

// kindOf returns the type of a performative with the part that decides what a client
// does next.
func kindOf(t *testing.T, f wire.Frame) string {
	t.Helper()
	kind := fmt.Sprintf("%T", f.Performative)
	switch p := f.Performative.(type) {
	case *wire.SASLMechanisms:
		return kind + fmt.Sprint(p.Mechanisms)
	case *wire.SASLOutcome:
		return kind + fmt.Sprint(p.Code)
	case *wire.Attach:
		return kind + fmt.Sprint(" ", p.Handle, p.Role, p.Source != nil, p.Target != nil)
	case *wire.Disposition:
		return kind + fmt.Sprintf(" %v %d %T", p.Role, p.First, p.State)
	case *wire.Transfer:
		m, err := wire.DecodeMessage(f.Payload)
		require.NoError(t, err)
		return kind + fmt.Sprint(" ", p.Handle, p.Settled, m.ApplicationProperties.Get("status-code"))
	}
	return kind
}

// remember stores the identifiers of an answer.
func (n *names) remember(t *testing.T, a answer) {
	t.Helper()
	p, isTransfer := a.frame.Performative.(*wire.Transfer)
	if !isTransfer {
		return
	}
	if len(p.DeliveryTag) == 16 {
		n.token = wire.UUID(deliveryTag(wire.UUID(p.DeliveryTag))) // swapping twice restores the order
	}
	m, err := wire.DecodeMessage(a.frame.Payload)
	require.NoError(t, err)
	body, err := m.Value()
	require.NoError(t, err)
	if scheduled, isMap := body.(wire.Map); isMap {
		if numbers, ok := wire.Elements(scheduled.Get("sequence-numbers")); ok {
			n.number, _ = numbers[0].(wire.Long)
		}
	}
}

// refresh replaces the parts of the client's bytes that only fit the recorded broker:
// tokens, which its key has signed, and identifiers.
func (r *replay) refresh(b []byte) []byte {
	if r.recorded.token != (wire.UUID{}) {
		b = bytes.ReplaceAll(b, r.recorded.token[:], r.now.token[:])
	}
	if r.recorded.number != 0 {
		b = bytes.ReplaceAll(b, wire.Append(nil, r.recorded.number), wire.Append(nil, r.now.number))
	}
	body := []byte{0x00, 0x53, 0x77}
	at := bytes.Index(b, body)
	if at < 0 || !bytes.Contains(b[at:], []byte("SharedAccessSignature ")) {
		return b
	}
	f, err := wire.ReadFrame(bytes.NewReader(b), maxFrameSize)
	require.NoError(r.t, err)
	payload := f.Payload[:bytes.Index(f.Payload, body)]
	token := sign("test", "local", "amqps://127.0.0.1/", systemClock{}.Now().Add(time.Hour))
	f.Payload = wire.Append(payload, wire.Described{Descriptor: wire.Ulong(0x77), Value: wire.String(token)})
	return wire.AppendFrame(nil, f)
}
