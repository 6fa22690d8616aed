package servicebus

import "azbackupflow/internal/local/servicebus/wire"

const (
	// maxMessageSize is the limit of the Standard tier, in bytes.
	maxMessageSize = 262144
	// maxRequestSize is the limit for a request to a management node, which may
	// contain several messages.
	maxRequestSize = 1 << 20
	// incomingCredit is the number of messages that a client may send ahead of the
	// broker's answers.
	incomingCredit = 1000
	// maxWaitingReplies is the number of replies that may wait for credit or for the
	// session window. Requests above it are rejected, so that a client that reads no
	// replies cannot exhaust the memory.
	maxWaitingReplies = 100
)

// service is the kind of node that a link is attached to.
type service int

const (
	messages   service = iota // a queue, topic, subscription or dead-letter queue
	management                // the management node of one
	cbs                       // the token node of the connection
)

// incomingLink is a link on which the client sends.
type incomingLink struct {
	name          string
	handle        uint32
	service       service
	node          *node // nil for cbs
	rights        rights
	credit        uint32
	deliveryCount uint32
	maxSize       int
	partial       *partial // a message whose last transfer has not arrived
}

// outgoingLink is a link on which the broker sends.
type outgoingLink struct {
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

func (in *incomingLink) state() *linkState {
	return &linkState{handle: in.handle, deliveryCount: in.deliveryCount, credit: in.credit}
}

func (out *outgoingLink) state() *linkState {
	return &linkState{handle: out.handle, deliveryCount: out.deliveryCount, credit: out.credit}
}

// tokenLink is a link on which a client sends tokens to $cbs.
type tokenLink struct {
	session *session
	handle  uint32
}

// claimTokenLink reports whether the link becomes the token link of the connection.
// The service allows one at a time.
func (c *conn) claimTokenLink(s *session, handle uint32) bool {
	return c.tokenLink.CompareAndSwap(nil, &tokenLink{s, handle})
}

// releaseTokenLink frees the token link if it is the given link.
func (c *conn) releaseTokenLink(s *session, handle uint32) {
	if l := c.tokenLink.Load(); l != nil && l.session == s && l.handle == handle {
		c.tokenLink.CompareAndSwap(l, nil)
	}
}

// releaseTokenLinks frees the token link if it belongs to the session.
func (c *conn) releaseTokenLinks(s *session) {
	if l := c.tokenLink.Load(); l != nil && l.session == s {
		c.tokenLink.CompareAndSwap(l, nil)
	}
}

// reversed returns the attach that answers another: the same link seen from the other
// side, with exactly the same settle modes (go-amqp link.go setSettleModes).
func reversed(p *wire.Attach) *wire.Attach {
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
