package servicebus

import (
	"maps"
	"slices"

	"azbackupflow/internal/local/servicebus/wire"
)

const (
	// maxMessageSize is that of the standard tier, in bytes.
	maxMessageSize = 262144
	// maxRequestSize bounds a request to a management node, which may hold
	// several messages.
	maxRequestSize = 1 << 20
	// inboundCredit is how many messages a client may send ahead of the
	// broker's answers.
	inboundCredit = 1000
)

// service is what a link leads to.
type service int

const (
	messages   service = iota // a queue or a dead-letter queue
	management                // its management node
	cbs                       // the token node of the connection
)

// inbound is a link on which the client sends.
type inbound struct {
	name          string
	handle        uint32
	service       service
	node          *node // nil for cbs
	credit        uint32
	deliveryCount uint32
	maxSize       int
	partial       *partial // a message of which more is to come
}

// outbound is a link on which the broker sends.
type outbound struct {
	name          string
	handle        uint32
	service       service
	node          *node  // nil for cbs
	replyTo       string // of a link for replies: its address
	settled       bool   // receive-and-delete
	credit        uint32
	deliveryCount uint32
	drain         bool
	replies       [][]byte // encoded messages that wait for credit
}

func (in *inbound) state() *linkState {
	return &linkState{handle: in.handle, deliveryCount: in.deliveryCount, credit: in.credit}
}

func (out *outbound) state() *linkState {
	return &linkState{handle: out.handle, deliveryCount: out.deliveryCount, credit: out.credit}
}

// attach answers the client's attach with a link or with a refusal.
func (s *session) attach(p *wire.Attach) error {
	if p.Handle > handleMax {
		return sessionErrorf("amqp:session:handle-in-use", "handle %d is above the maximum of %d", p.Handle, handleMax)
	}
	if s.inbound[p.Handle] != nil || s.outbound[p.Handle] != nil || s.refused[p.Handle] {
		return sessionErrorf("amqp:session:handle-in-use", "handle %d has a link already", p.Handle)
	}
	kind, n, refusal := s.admit(p)
	if refusal != nil {
		s.refuse(p, refusal)
		return nil
	}
	if p.Role == wire.RoleSender {
		s.attachInbound(p, kind, n)
	} else {
		s.attachOutbound(p, kind, n)
	}
	return nil
}

// answer is the attach that answers another: the same link seen from the other
// side, with exactly its settle modes (go-amqp link.go setSettleModes).
func answer(p *wire.Attach) *wire.Attach {
	return &wire.Attach{
		Name:              p.Name,
		Handle:            p.Handle,
		Role:              !p.Role,
		SendSettleMode:    p.SendSettleMode,
		ReceiveSettleMode: p.ReceiveSettleMode,
		Source:            p.Source,
		Target:            p.Target,
	}
}

func (s *session) attachInbound(p *wire.Attach, kind service, n *node) {
	in := &inbound{name: p.Name, handle: p.Handle, service: kind, node: n, credit: inboundCredit, maxSize: maxMessageSize}
	if kind != messages {
		in.maxSize = maxRequestSize
	}
	if p.InitialDeliveryCount != nil {
		in.deliveryCount = *p.InitialDeliveryCount
	}
	s.inbound[p.Handle] = in
	reply := answer(p)
	reply.MaxMessageSize = uint64(in.maxSize) //nolint:gosec // a positive constant
	s.send(reply)
	s.sendFlow(in.state())
}

func (s *session) attachOutbound(p *wire.Attach, kind service, n *node) {
	out := &outbound{name: p.Name, handle: p.Handle, service: kind, node: n, replyTo: wire.Address(p.Target)}
	out.settled = kind != messages || (p.SendSettleMode != nil && *p.SendSettleMode == wire.SendSettled)
	s.outbound[p.Handle] = out
	reply := answer(p)
	reply.InitialDeliveryCount = new(uint32)
	s.send(reply)
}

// refuse answers an attach with one that lacks the terminus at the broker, and
// a detach that says why.
func (s *session) refuse(p *wire.Attach, reason *wire.Error) {
	s.conn.log.Info("a link is refused", "error", reason.Condition, "text", reason.Description)
	reply := answer(p)
	if p.Role == wire.RoleSender {
		reply.Target = nil
	} else {
		reply.Source = nil
		reply.InitialDeliveryCount = new(uint32)
	}
	s.send(reply)
	s.detach(p.Handle, reason)
}

// detach ends a link from the broker's side.
func (s *session) detach(handle uint32, reason *wire.Error) {
	s.drop(handle)
	s.refused[handle] = true
	s.send(&wire.Detach{Handle: handle, Closed: true, Error: reason})
}

// detached is called when the client ends a link, or confirms that the broker
// did.
func (s *session) detached(p *wire.Detach) {
	if s.refused[p.Handle] {
		delete(s.refused, p.Handle)
		return
	}
	if s.drop(p.Handle) {
		s.send(&wire.Detach{Handle: p.Handle, Closed: true})
	}
}

func (s *session) drop(handle uint32) (existed bool) {
	in, out := s.inbound[handle], s.outbound[handle]
	delete(s.inbound, handle)
	delete(s.outbound, handle)
	return in != nil || out != nil
}

// detachFrom ends every link to a queue and to its dead-letter queue.
func (s *session) detachFrom(e *entity) {
	reason := &wire.Error{
		Condition:   "amqp:link:detach-forced",
		Description: "The link was closed by the broker because the queue was moved.",
	}
	for _, handle := range slices.Sorted(maps.Keys(s.inbound)) {
		if n := s.inbound[handle].node; n != nil && n.entity == e {
			s.detach(handle, reason)
		}
	}
	for _, handle := range slices.Sorted(maps.Keys(s.outbound)) {
		if n := s.outbound[handle].node; n != nil && n.entity == e {
			s.detach(handle, reason)
		}
	}
}
