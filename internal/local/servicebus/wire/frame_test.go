package wire

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func pointer[T any](v T) *T { return &v }

func everyPerformative() []Performative {
	reason := &Error{Condition: "amqp:not-found", Description: "no such queue"}
	return []Performative{
		&Open{ContainerID: "c", Hostname: "h", MaxFrameSize: 65536, ChannelMax: 10, IdleTimeOut: 30000},
		&Begin{RemoteChannel: pointer[uint16](3), NextOutgoingID: 1, IncomingWindow: 2, OutgoingWindow: 3, HandleMax: pointer[uint32](255)},
		&Attach{
			Name: "l", Handle: 1, Role: RoleReceiver, SendSettleMode: pointer(SendMixed), ReceiveSettleMode: pointer(ReceiveFirst),
			Source: Described{Ulong(0x28), List{String("from")}}, Target: Described{Ulong(0x29), List{String("to")}},
			InitialDeliveryCount: pointer[uint32](0), MaxMessageSize: 262144,
			Properties: Map{{Key: Symbol("p"), Value: Int(1)}},
		},
		&Flow{NextIncomingID: pointer[uint32](1), IncomingWindow: 2, Handle: pointer[uint32](0), DeliveryCount: pointer[uint32](4), LinkCredit: pointer[uint32](5), Drain: true, Echo: true},
		&Transfer{Handle: 1, DeliveryID: pointer[uint32](0), DeliveryTag: []byte{1}, MessageFormat: pointer[uint32](0), Settled: true, More: true, Aborted: true},
		&Disposition{Role: RoleReceiver, First: 1, Last: pointer[uint32](2), Settled: true, State: Accepted{}},
		&Disposition{First: 1, State: Rejected{Error: &Error{Condition: "x", Info: Map{{Key: Symbol("k"), Value: String("v")}}}}},
		&Disposition{First: 1, State: Rejected{}},
		&Disposition{First: 1, State: Released{}},
		&Disposition{First: 1, State: Received{}},
		&Disposition{First: 1, State: Modified{DeliveryFailed: true, UndeliverableHere: true, MessageAnnotations: Map{{Key: String("k"), Value: Int(1)}}}},
		&Disposition{First: 1},
		&Detach{Handle: 1, Closed: true, Error: reason},
		&End{Error: reason}, &End{}, &Close{Error: reason}, &Close{},
		&SASLMechanisms{Mechanisms: []string{"ANONYMOUS", "MSSBCBS"}}, &SASLInit{Mechanism: "ANONYMOUS", InitialResponse: []byte("a")}, &SASLOutcome{Code: SASLAuth},
	}
}

func TestFrame_RoundTrips(t *testing.T) {
	t.Parallel()
	for _, p := range everyPerformative() {
		f := Frame{Type: FrameAMQP, Channel: 7, Performative: p, Payload: []byte("payload")}
		got, err := ReadFrame(bytes.NewReader(AppendFrame(nil, f)), 4096)
		require.NoError(t, err, "%T", p)
		require.Equal(t, f, got)
	}
}

// Microsoft's Go client reads frame bodies only in this form (go-amqp
// internal/frames/parsing.go ParseBody).
func TestFrame_BodyBeginsWithASmallDescriptor(t *testing.T) {
	t.Parallel()
	for _, p := range everyPerformative() {
		b := AppendFrame(nil, Frame{Performative: p})
		require.Equal(t, byte(2), b[4], "data offset of %T", p)
		require.Equal(t, []byte{0x00, 0x53}, b[8:10], "%T", p)
	}
}

func TestFrame_EmptyHasNoPerformative(t *testing.T) {
	t.Parallel()
	b := AppendFrame(nil, Frame{})
	require.Len(t, b, 8)
	f, err := ReadFrame(bytes.NewReader(b), MinMaxFrameSize)
	require.NoError(t, err)
	require.Nil(t, f.Performative)
}

func TestFrame_MalformedIsRejected(t *testing.T) {
	t.Parallel()
	list := func(descriptor byte, fields ...Value) []byte {
		return Append(nil, Described{Ulong(descriptor), List(fields)})
	}
	frame := func(body []byte) []byte {
		b := AppendFrame(nil, Frame{})
		b[3] = byte(8 + len(body))
		return append(b, body...)
	}
	for name, b := range map[string][]byte{
		"smaller than its header":         {0, 0, 0, 7, 2, 0, 0, 0},
		"larger than allowed":             {0, 1, 0, 0, 2, 0, 0, 0},
		"data offset inside the header":   {0, 0, 0, 8, 1, 0, 0, 0},
		"data offset beyond the end":      {0, 0, 0, 8, 3, 0, 0, 0},
		"unknown type":                    {0, 0, 0, 8, 2, 9, 0, 0},
		"body without a descriptor":       frame([]byte{0x40}),
		"body that is no list":            frame(Append(nil, Described{Ulong(0x10), Int(1)})),
		"unknown performative":            frame(list(0x66)),
		"open without a container":        frame(list(0x10)),
		"begin with a window of text":     frame(list(0x11, Null{}, Uint(0), String("x"), Uint(1))),
		"disposition with unknown state":  frame(list(0x15, Bool(true), Uint(0), Null{}, Null{}, Described{Ulong(0x99), List{}})),
		"detach with an error of numbers": frame(list(0x16, Uint(0), Null{}, Int(3))),
	} {
		_, err := ReadFrame(bytes.NewReader(b), 512)
		require.ErrorIs(t, err, ErrMalformed, name)
	}
}

func TestFrame_ExtendedHeaderIsSkipped(t *testing.T) {
	t.Parallel()
	b := AppendFrame(nil, Frame{Performative: &End{}})
	b = append(b[:8:8], append([]byte{9, 9, 9, 9}, b[8:]...)...)
	b[3] += 4
	b[4] = 3
	f, err := ReadFrame(bytes.NewReader(b), 512)
	require.NoError(t, err)
	require.Equal(t, &End{}, f.Performative)
}
