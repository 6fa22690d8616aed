package servicebus

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"azbackupflow/internal/local/servicebus/wire"
)

const cbsAddress = "$cbs"

// sessionFilter marks a receiver of a message session (azservicebus
// session_receiver.go).
const sessionFilter = "com.microsoft:session-filter"

// target is the node of a link, with the rights of its client.
type target struct {
	service service
	node    *node // nil for cbs
	rights  rights
}

// attach answers the client's attach with a link, or rejects it.
func (s *session) attach(p *wire.Attach) error {
	if p.Handle > handleMax {
		return sessionErrorf("amqp:session:handle-in-use", "handle %d is above the maximum of %d", p.Handle, handleMax)
	}
	if s.incoming[p.Handle] != nil || s.outgoing[p.Handle] != nil || s.detached[p.Handle] {
		return sessionErrorf("amqp:session:handle-in-use", "handle %d already has a link", p.Handle)
	}
	to, rejection := s.targetOf(p)
	switch {
	case rejection != nil:
		s.reject(p, rejection)
	case p.Role == wire.RoleSender:
		s.attachIncoming(p, to)
	default:
		s.attachOutgoing(p, to)
	}
	return nil
}

// targetOf returns the target of a link, or the reason why the link is not allowed.
func (s *session) targetOf(p *wire.Attach) (target, *wire.Error) {
	terminus, claim, needed := p.Source, "Listen", rights{listen: true}
	if p.Role == wire.RoleSender {
		terminus, claim, needed = p.Target, "Send", rights{send: true}
		if wire.IsCoordinator(p.Target) {
			return target{}, notImplemented("Transactions are not supported by this broker.")
		}
	}
	address := wire.Address(terminus)
	if strings.EqualFold(entityPath(address), cbsAddress) {
		if p.Role == wire.RoleSender && !s.conn.claimTokenLink(s, p.Handle) {
			return target{}, notAllowed("The connection already has a link to '$cbs'.")
		}
		return target{service: cbs}, nil
	}
	n, manages, found := s.conn.broker.find(address)
	if !found {
		return target{}, &wire.Error{
			Condition:   "amqp:not-found",
			Description: fmt.Sprintf("The messaging entity '%s' could not be found.", address),
		}
	}
	to := target{node: n, rights: s.conn.claims.rights(systemClock{}.Now(), n.path)}
	if manages {
		to.service = management
		needed = rights{} // each operation checks its own
	}
	if !to.rights.any() || !to.rights.cover(needed) {
		return target{}, &wire.Error{Condition: "amqp:unauthorized-access", Description: unauthorized(claim, address)}
	}
	if manages {
		return to, nil
	}
	return to, checkMessaging(p, n)
}

// checkMessaging returns the reason why a node does not support a link, or nil.
func checkMessaging(p *wire.Attach, n *node) *wire.Error {
	sends := p.Role == wire.RoleSender
	switch {
	case sends && n == n.entity.dead:
		return notAllowed("Messages cannot be sent to a dead-letter queue.")
	case sends && n.entity.rules != nil:
		return notAllowed(fmt.Sprintf("Messages cannot be sent to the subscription '%s'. Send them to its topic.", n.path))
	case !sends && n.entity.topic:
		return notAllowed(fmt.Sprintf("Messages cannot be received from the topic '%s'. Receive from a subscription.", n.path))
	case !sends && wire.Filters(p.Source).Get(sessionFilter) != nil:
		return notAllowed(fmt.Sprintf("The entity '%s' does not support sessions. This broker has no entities with sessions.", n.path))
	}
	return nil
}

func notAllowed(text string) *wire.Error {
	return &wire.Error{Condition: "amqp:not-allowed", Description: text}
}

func notImplemented(text string) *wire.Error {
	return &wire.Error{Condition: "amqp:not-implemented", Description: text}
}

// unauthorized returns the service's text for a missing right.
func unauthorized(claim, resource string) string {
	return fmt.Sprintf("Unauthorized access. '%s' claim(s) are required to perform this operation. Resource: '%s'.", claim, resource)
}

func (s *session) attachIncoming(p *wire.Attach, to target) {
	in := &incomingLink{
		name: p.Name, handle: p.Handle, service: to.service, node: to.node, rights: to.rights,
		credit: incomingCredit, maxSize: maxMessageSize,
	}
	if to.service != messages {
		in.maxSize = maxRequestSize
	}
	if p.InitialDeliveryCount != nil {
		in.deliveryCount = *p.InitialDeliveryCount
	}
	s.incoming[p.Handle] = in
	reply := reversed(p)
	reply.MaxMessageSize = uint64(in.maxSize) //nolint:gosec // a positive constant
	s.send(reply)
	s.sendFlow(in.state())
}

func (s *session) attachOutgoing(p *wire.Attach, to target) {
	out := &outgoingLink{name: p.Name, handle: p.Handle, service: to.service, node: to.node, replyTo: wire.Address(p.Target)}
	out.settled = to.service != messages || (p.SendSettleMode != nil && *p.SendSettleMode == wire.SendSettled)
	s.outgoing[p.Handle] = out
	reply := reversed(p)
	reply.InitialDeliveryCount = new(uint32)
	s.send(reply)
}

// reject answers an attach with one that omits the terminus at the broker, and a
// detach with the reason.
func (s *session) reject(p *wire.Attach, reason *wire.Error) {
	s.conn.log.Info("link rejected", "error", reason.Condition, "text", reason.Description)
	reply := reversed(p)
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
	s.detached[handle] = true
	s.send(&wire.Detach{Handle: handle, Closed: true, Error: reason})
}

// clientDetached handles a detach of the client: it ends a link, or answers the
// broker's detach.
func (s *session) clientDetached(p *wire.Detach) {
	if s.detached[p.Handle] {
		delete(s.detached, p.Handle)
		return
	}
	if s.drop(p.Handle) {
		s.send(&wire.Detach{Handle: p.Handle, Closed: true})
	}
}

func (s *session) drop(handle uint32) (existed bool) {
	in, out := s.incoming[handle], s.outgoing[handle]
	delete(s.incoming, handle)
	delete(s.outgoing, handle)
	s.conn.releaseTokenLink(s, handle)
	return in != nil || out != nil
}

// detachFrom ends all links to an entity and its dead-letter queue.
func (s *session) detachFrom(e *entity) {
	reason := &wire.Error{
		Condition:   "amqp:link:detach-forced",
		Description: "The link was closed by the broker because the entity was moved.",
	}
	for _, handle := range slices.Sorted(maps.Keys(s.incoming)) {
		if n := s.incoming[handle].node; n != nil && n.entity == e {
			s.detach(handle, reason)
		}
	}
	for _, handle := range slices.Sorted(maps.Keys(s.outgoing)) {
		if n := s.outgoing[handle].node; n != nil && n.entity == e {
			s.detach(handle, reason)
		}
	}
}
