package customhandler

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
)

// ErrNoPayload is the error of an envelope without a value for the binding.
var ErrNoPayload = errors.New("no payload")

// Payload returns the bytes of the value that the trigger or input binding
// received: for a message, its body. It returns ErrNoPayload if there is none.
//
// The host sends text as a JSON string inside a JSON string, its documentation
// shows a single string, events arrive as plain objects, and bindings with
// dataType binary as base64. Payload removes all of these layers. One case is
// ambiguous and decoded as binary: text that was encoded once and happens to be
// valid base64.
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

// unquote returns the value of a JSON string, or false for other JSON.
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
