package servicebus

import (
	"fmt"
	"strings"

	"azbackupflow/internal/local/servicebus/wire"
)

const cbsAddress = "$cbs"

// sessionFilter marks a receiver of a message session (azservicebus
// session_receiver.go).
const sessionFilter = "com.microsoft:session-filter"

// admit decides what a link leads to, or why it may not be.
func (s *session) admit(p *wire.Attach) (service, *node, *wire.Error) {
	terminus, claim := p.Source, "Listen"
	if p.Role == wire.RoleSender {
		terminus, claim = p.Target, "Send"
	}
	address := wire.Address(terminus)
	if strings.EqualFold(entityPath(address), cbsAddress) {
		return cbs, nil, nil
	}
	n, manages, found := s.conn.broker.find(address)
	if !found {
		return 0, nil, &wire.Error{
			Condition:   "amqp:not-found",
			Description: fmt.Sprintf("The messaging entity '%s' could not be found.", address),
		}
	}
	if !s.conn.claims.allow(systemClock{}.Now(), n.path) {
		return 0, nil, &wire.Error{
			Condition: "amqp:unauthorized-access",
			Description: fmt.Sprintf("Unauthorized access. '%s' claim(s) are required to perform this operation. Resource: '%s'.",
				claim, address),
		}
	}
	if manages {
		return management, n, nil
	}
	if p.Role == wire.RoleSender && n == n.entity.dead {
		return 0, nil, &wire.Error{Condition: "amqp:not-allowed", Description: "Messages cannot be sent to a dead-letter queue."}
	}
	if wire.Filters(p.Source).Get(sessionFilter) != nil {
		return 0, nil, &wire.Error{
			Condition:   "amqp:not-allowed",
			Description: fmt.Sprintf("The queue '%s' does not support sessions.", n.path),
		}
	}
	return messages, n, nil
}
