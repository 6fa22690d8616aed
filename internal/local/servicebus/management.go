package servicebus

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"azbackupflow/internal/local/servicebus/store"
	"azbackupflow/internal/local/servicebus/wire"
)

// operation is a request to a management node that has been understood.
type operation struct {
	// verb and detail name it for fault hooks; an empty verb has no moments.
	verb, detail string
	apply        func() outcome
}

// manage answers a request to the management node of a queue or of a
// dead-letter queue (Learn: "AMQP 1.0 in Azure Service Bus: request-response-
// based operations").
func (s *session) manage(in *inbound, m *partial) {
	request, err := wire.DecodeMessage(m.payload)
	if err != nil {
		s.reject(m, decodeError, err.Error())
		return
	}
	op := s.operation(in.node, request)
	moments := s.conn.broker.moments(op.verb, in.node, op.detail)
	moments.before()
	result := op.apply()
	moments.during()
	s.respond(m, wire.Accepted{})
	mark := s.reply(in, request, result)
	moments.after(s.conn.out, mark)
}

// operation reads a request.
func (s *session) operation(n *node, request *wire.Message) operation {
	name, _ := wire.Text(request.ApplicationProperties.Get("operation"))
	value, err := request.Value()
	body, isMap := value.(wire.Map)
	if err != nil || !isMap {
		return refused(badRequest("the body is no map"))
	}
	op, err := s.operationNamed(strings.TrimPrefix(name, "com.microsoft:"), n, body)
	if err != nil {
		return refused(err)
	}
	return op
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
	}
	return operation{}, fmt.Errorf("the operation '%s' is not supported: %w", name, errNotImplemented)
}

var (
	errBadRequest     = errors.New("bad request")
	errNotImplemented = errors.New("not implemented")
)

func badRequest(text string) error { return fmt.Errorf("%s: %w", text, errBadRequest) }

// refused is an operation that does nothing but fail.
func refused(err error) operation {
	return operation{apply: func() outcome { return failure(err) }}
}

// failure is the answer to a request that failed.
func failure(err error) outcome {
	o := outcome{text: err.Error()}
	switch {
	case errors.Is(err, store.ErrLockLost):
		reason := settlementError(err)
		o.status, o.condition, o.text = http.StatusGone, reason.Condition, reason.Description
	case errors.Is(err, store.ErrNotFound):
		o.status, o.condition = http.StatusNotFound, "com.microsoft:message-not-found"
	case errors.Is(err, errNotImplemented):
		o.status, o.condition = http.StatusNotImplemented, "amqp:not-implemented"
	default:
		o.status, o.condition = http.StatusBadRequest, "com.microsoft:argument-error"
	}
	return o
}

// success is the answer to a request that was done.
func success(body wire.Map) outcome {
	return outcome{status: http.StatusOK, text: "OK", body: body}
}

// sequenceNumbers reads an array, or a list, of long.
func sequenceNumbers(body wire.Map) ([]int64, error) {
	elements, ok := wire.Elements(body.Get("sequence-numbers"))
	if !ok {
		return nil, badRequest("sequence-numbers is no array")
	}
	numbers := make([]int64, len(elements))
	for i, e := range elements {
		if numbers[i], ok = wire.Integer(e); !ok {
			return nil, badRequest("a sequence number is no integer")
		}
	}
	return numbers, nil
}

// lockTokens reads an array, or a list, of uuid.
func lockTokens(body wire.Map) ([]wire.UUID, error) {
	elements, ok := wire.Elements(body.Get("lock-tokens"))
	if !ok {
		return nil, badRequest("lock-tokens is no array")
	}
	tokens := make([]wire.UUID, len(elements))
	for i, e := range elements {
		if tokens[i], ok = e.(wire.UUID); !ok {
			return nil, badRequest("a lock token is no uuid")
		}
	}
	return tokens, nil
}
