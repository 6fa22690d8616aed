package functionshost

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"
)

// utcNowLayout is a .NET DateTime in UTC with all its ticks.
const utcNowLayout = "2006-01-02T15:04:05.0000000Z"

// invocation is one call of a function, ready to be sent.
type invocation struct {
	id       string
	function *Function
	data     document
	metadata document
	detail   string // for the fault hook: a message id, an event id
}

// newInvocation begins an invocation with an id of its own.
func newInvocation(function *Function, random io.Reader) (*invocation, error) {
	id, err := uuid.NewRandomFromReader(random)
	if err != nil {
		return nil, fmt.Errorf("make an invocation id: %w", err)
	}
	return &invocation{id: id.String(), function: function, detail: id.String()}, nil
}

// addSystem adds what the host says about the call itself.
func (i *invocation) addSystem(now time.Time, random io.Reader) error {
	id, err := uuid.NewRandomFromReader(random)
	if err != nil {
		return fmt.Errorf("make the invocation's random id: %w", err)
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

// envelope is the body of the request to the handler. Metadata under names
// that end in "trigger" is left out, as the host leaves it out.
func (i *invocation) envelope() ([]byte, error) {
	metadata := document{}
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
