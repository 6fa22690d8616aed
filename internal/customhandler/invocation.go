package customhandler

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// Headers that the host sets on each invocation request.
const (
	headerInvocationID = "X-Azure-Functions-InvocationId"
	headerTraceParent  = "Traceparent"
)

// errNotAnEnvelope is the error of a body that is not a JSON object.
var errNotAnEnvelope = errors.New("the request body is not an invocation envelope")

// Invocation is one call of a function.
type Invocation struct {
	// ID is the host's invocation id, empty if the host sent none.
	ID string
	// Function is the function's name.
	Function string
	// Data holds the values of the trigger and the input bindings by binding
	// name. Read it with Payload: the host encodes values in several ways.
	Data map[string]json.RawMessage
	// Metadata describes the trigger's value. The host merges the top-level
	// properties of a JSON body into it, ignoring case: a field "messageId" in the
	// body replaces the message's own MessageId.
	Metadata map[string]json.RawMessage
	// Trace is the W3C trace context of the caller: the request's traceparent
	// header or else the message's Diagnostic-Id.
	Trace string
	// Method is the HTTP method of a proxied request, empty for an envelope.
	Method string
}

// decodeInvocation decodes the envelope of one invocation of a function.
func decodeInvocation(function string, header http.Header, body io.Reader) (Invocation, error) {
	inv := Invocation{ID: header.Get(headerInvocationID), Function: function}
	raw, err := io.ReadAll(body)
	if err != nil {
		return inv, fmt.Errorf("read the invocation envelope: %w", err)
	}
	var envelope *struct {
		Data     map[string]json.RawMessage
		Metadata map[string]json.RawMessage
	}
	if err := json.Unmarshal(raw, &envelope); err != nil {
		return inv, fmt.Errorf("%w: %w", errNotAnEnvelope, err)
	}
	if envelope == nil {
		return inv, errNotAnEnvelope
	}
	inv.Data, inv.Metadata = envelope.Data, envelope.Metadata
	inv.Trace = header.Get(headerTraceParent)
	if inv.Trace == "" {
		inv.Trace, _ = inv.ApplicationProperty("Diagnostic-Id")
	}
	return inv, nil
}
