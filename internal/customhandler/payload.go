package customhandler

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
)

// ErrNoPayload is returned by Payload when the envelope has no value, or null,
// under the binding's name.
var ErrNoPayload = errors.New("no payload")

// Payload returns the bytes of the value that the trigger or input binding of
// that name received: for a message, its body.
//
// The host sends text as a JSON string inside a JSON string, its documentation
// shows a single string, events arrive as plain objects, and bindings with
// dataType binary as base64. Payload takes all of them off. One case is
// ambiguous and read as binary: text that was encoded once only and happens to
// be valid base64. It returns ErrNoPayload when there is nothing to read.
func (inv Invocation) Payload(binding string) ([]byte, error) {
	raw := bytes.TrimSpace(inv.Data[binding])
	if len(raw) == 0 || string(raw) == "null" {
		return nil, fmt.Errorf("%w under binding %q", ErrNoPayload, binding)
	}
	outer, ok := unquote(raw)
	if !ok {
		return raw, nil
	}
	if inner, ok := unquote([]byte(outer)); ok {
		return []byte(inner), nil
	}
	if json.Valid([]byte(outer)) {
		return []byte(outer), nil
	}
	if binary, err := base64.StdEncoding.Strict().DecodeString(outer); err == nil {
		return binary, nil
	}
	return []byte(outer), nil
}

// unquote reads raw as a JSON string and says whether it was one.
func unquote(raw []byte) (string, bool) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || raw[0] != '"' {
		return "", false
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", false
	}
	return s, true
}
