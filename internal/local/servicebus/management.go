package servicebus

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"azbackupflow/internal/local/servicebus/store"
	"azbackupflow/internal/local/servicebus/wire"
)

// operation is a decoded request to a management node.
type operation struct {
	// verb and detail describe it to fault hooks; an empty verb has no moments.
	verb, detail string
	apply        func() outcome
}

// manage answers a request to the management node of an entity or of its dead-letter
// queue (Learn: "AMQP 1.0 in Azure Service Bus: request-response-based operations").
func (s *session) manage(in *incomingLink, m *partial) {
	request, err := wire.DecodeMessage(m.payload)
	if err != nil {
		s.rejectMessage(m, decodeError, err.Error())
		return
	}
	if !s.canReply(in, request, m) {
		return
	}
	op := s.operation(in, request)
	moments := s.conn.broker.moments(op.verb, in.node, op.detail)
	moments.before()
	result := op.apply()
	moments.during()
	s.respond(m, wire.Accepted{})
	mark := s.reply(in, request, result)
	moments.after(s.conn.out, mark)
}

// operation decodes a request.
func (s *session) operation(in *incomingLink, request *wire.Message) operation {
	name, _ := wire.Text(request.ApplicationProperties.Get("operation"))
	value, err := request.Value()
	body, isMap := value.(wire.Map)
	if err != nil || !isMap {
		return rejected(badRequest("the body is not a map"))
	}
	name = strings.TrimPrefix(name, "com.microsoft:")
	if claim, needed := neededRights(name); !in.rights.cover(needed) {
		return operation{apply: func() outcome {
			return outcome{status: http.StatusUnauthorized, condition: "amqp:unauthorized-access", text: unauthorized(claim, in.node.path)}
		}}
	}
	op, err := s.operationNamed(name, in.node, body)
	if err != nil {
		return rejected(err)
	}
	return op
}

// neededRights returns the right that an operation requires, and its name.
func neededRights(name string) (string, rights) {
	if name == "schedule-message" || name == "cancel-scheduled-message" {
		return "Send", rights{send: true}
	}
	return "Listen", rights{listen: true}
}

func (s *session) operationNamed(name string, n *node, body wire.Map) (operation, error) {
	switch name {
	case "schedule-message":
		return s.schedule(n, body)
	case "cancel-scheduled-message":
		return cancelScheduled(n, body)
	case "renew-lock":
		return renewLocks(n, body)
	case "peek-message":
		return peek(n, body)
	case "receive-by-sequence-number":
		return receiveDeferred(n, body)
	case "update-disposition":
		return updateDisposition(n, body)
	case "add-rule", "remove-rule", "enumerate-rules":
		return manageRules(name, n, body)
	}
	if strings.Contains(name, "session") {
		return operation{}, fmt.Errorf("sessions are not supported by this broker (operation '%s'): %w", name, errNotImplemented)
	}
	return operation{}, fmt.Errorf("the operation '%s' is not supported by this broker: %w", name, errNotImplemented)
}

var (
	errBadRequest     = errors.New("bad request")
	errNotImplemented = errors.New("not implemented")
	errOversized      = errors.New(oversizedText(maxMessageSize))
)

func badRequest(text string) error { return fmt.Errorf("%s: %w", text, errBadRequest) }

// rejected returns an operation that only fails.
func rejected(err error) operation {
	return operation{apply: func() outcome { return failure(err) }}
}

// failure returns the answer to a request that failed.
func failure(err error) outcome {
	o := outcome{text: err.Error()}
	switch {
	case errors.Is(err, store.ErrLockLost):
		reason := settlementError(err)
		o.status, o.condition, o.text = http.StatusGone, reason.Condition, reason.Description
	case errors.Is(err, store.ErrNotFound):
		o.status, o.condition = http.StatusNotFound, "com.microsoft:message-not-found"
	case errors.Is(err, errRuleNotFound):
		o.status, o.condition = http.StatusNotFound, "amqp:not-found"
	case errors.Is(err, errRuleExists):
		o.status, o.condition = http.StatusConflict, "com.microsoft:entity-already-exists"
	case errors.Is(err, errOversized):
		o.status, o.condition = http.StatusRequestEntityTooLarge, sizeExceeded
	case errors.Is(err, errNotImplemented):
		o.status, o.condition = http.StatusNotImplemented, "amqp:not-implemented"
	default:
		o.status, o.condition = http.StatusBadRequest, "com.microsoft:argument-error"
	}
	return o
}

// success returns the answer to a request that succeeded.
func success(body wire.Map) outcome {
	return outcome{status: http.StatusOK, text: "OK", body: body}
}

// sequenceNumbers reads an array, or a list, of long.
func sequenceNumbers(body wire.Map) ([]int64, error) {
	elements, ok := wire.Elements(body.Get("sequence-numbers"))
	if !ok {
		return nil, badRequest("sequence-numbers is not an array")
	}
	numbers := make([]int64, len(elements))
	for i, e := range elements {
		if numbers[i], ok = wire.Integer(e); !ok {
			return nil, badRequest("a sequence number is not an integer")
		}
	}
	return numbers, nil
}

// lockTokens reads an array, or a list, of uuid.
func lockTokens(body wire.Map) ([]wire.UUID, error) {
	elements, ok := wire.Elements(body.Get("lock-tokens"))
	if !ok {
		return nil, badRequest("lock-tokens is not an array")
	}
	tokens := make([]wire.UUID, len(elements))
	for i, e := range elements {
		if tokens[i], ok = e.(wire.UUID); !ok {
			return nil, badRequest("a lock token is not a uuid")
		}
	}
	return tokens, nil
}
