package functionshost

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"
)

// utcNowLayout formats a .NET DateTime in UTC, down to its ticks of 100 ns.
const utcNowLayout = "2006-01-02T15:04:05.9999999Z"

// invocation is one call of a function, ready to be sent.
type invocation struct {
	id       string
	function *Function
	data     jsonObject
	metadata jsonObject
	// merged is the trigger's text, whose members replace metadata.
	merged string
	// trace is the traceparent header, empty if the host sends none.
	trace string
	// detail identifies the invocation in the fault hook: a message id, an event
	// id.
	detail string
}

// newInvocation returns an invocation with a new id.
func newInvocation(function *Function, random io.Reader) (*invocation, error) {
	id, err := uuid.NewRandomFromReader(random)
	if err != nil {
		return nil, fmt.Errorf("create an invocation id: %w", err)
	}
	return &invocation{id: id.String(), function: function, detail: id.String()}, nil
}

// envelope returns the body of the request to the handler. The host adds "sys",
// then merges the members of the trigger's text, and omits metadata under names
// that end in "trigger".
func (i *invocation) envelope(now time.Time, random io.Reader) ([]byte, error) {
	if err := i.addSystem(now, random); err != nil {
		return nil, err
	}
	mergeBody(&i.metadata, i.merged)
	metadata := jsonObject{}
	for _, name := range i.metadata.names {
		if !strings.HasSuffix(strings.ToLower(name), "trigger") {
			metadata.set(name, i.metadata.values[strings.ToLower(name)])
		}
	}
	body, err := encodeObject(struct{ Data, Metadata json.Marshaler }{&i.data, &metadata})
	if err != nil {
		return nil, fmt.Errorf("write the envelope of %s: %w", i.function.Name, err)
	}
	return body, nil
}

// addSystem adds the host's own description of the call.
func (i *invocation) addSystem(now time.Time, random io.Reader) error {
	id, err := uuid.NewRandomFromReader(random)
	if err != nil {
		return fmt.Errorf("create the invocation's random id: %w", err)
	}
	system, err := encodeObject(struct {
		MethodName, UtcNow string
		RandomID           string `json:"RandGuid"`
	}{i.function.Name, now.UTC().Format(utcNowLayout), id.String()})
	if err != nil {
		return err
	}
	i.metadata.set("sys", system)
	return nil
}

// newTraceParent returns a traceparent that is not sampled, as the real host sends
// it with events and with HTTP requests that have none.
func newTraceParent(random io.Reader) (string, error) {
	var id [24]byte
	if _, err := io.ReadFull(random, id[:]); err != nil {
		return "", fmt.Errorf("create a trace id: %w", err)
	}
	return "00-" + hex.EncodeToString(id[:16]) + "-" + hex.EncodeToString(id[16:]) + "-00", nil
}
