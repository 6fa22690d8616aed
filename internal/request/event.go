package request

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"mime"
	"strings"
	"unicode/utf8"

	"azbackupflow/internal/step"
)

// Content is what a message on the queue `requests` asks for, taken out of its
// wrapping.
type Content struct {
	// Body is the request, or the bulk of requests, as it came.
	Body []byte
	// Key identifies the event that it came in, for a request without a key of
	// its own; empty for a message that is no event.
	Key string
	// Trace is the event's traceparent, empty if it has none.
	TraceParent string
}

// Unwrap reads a message: the request itself, or a CloudEvent in structured
// mode whose data is the request. Extension attributes of the event are left
// alone. Its errors are *step.Invalid.
// Source: CloudEvents 1.0.2, JSON Event Format and Distributed Tracing
// extension.
func Unwrap(raw []byte) (Content, error) {
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		return Content{Body: raw}, nil // who reads the request says what is wrong
	}
	if _, ok := members["specversion"]; !ok {
		return Content{Body: raw}, nil
	}
	c := attributes{members: members}
	if version := c.text("specversion", `"1.0"`); version != "1.0" && version != "" {
		c.add("specversion", fmt.Sprintf("%q is not supported", version), `"1.0"`)
	}
	source := c.text("source", "the URI of the sender, without white space")
	if strings.ContainsAny(source, " \t\r\n") {
		c.add("source", fmt.Sprintf("%q is not a URI", source), "the URI of the sender, without white space")
	}
	id := c.text("id", "what tells the sender's events apart")
	c.text("type", "what kind of event it is, such as com.example.backup.requested")
	c.dataIsJSON()
	body := bytes.TrimSpace(members["data"])
	_, binary := members["data_base64"]
	switch {
	case binary:
		c.add("data_base64", "cannot be a request", "the request as JSON in data")
	case len(body) == 0 || string(body) == "null":
		c.add("data", "is missing", "the request, a JSON object")
	}
	if len(c.wrong) > 0 {
		return Content{Body: raw}, &step.Invalid{Fields: c.wrong}
	}
	var trace string
	_ = json.Unmarshal(members["traceparent"], &trace) // what is no text is no trace
	return Content{Body: body, Key: eventKey(source, id), TraceParent: trace}, nil
}

// eventKey tells events apart: source and id together do, says CloudEvents. A
// source holds no space, so no two pairs give one key.
func eventKey(source, id string) string {
	key := source + " " + id
	if utf8.RuneCountInString(key) <= MaxBulkKey {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// attributes are an event's, with what is wrong with them.
type attributes struct {
	members map[string]json.RawMessage
	wrong   []step.FieldError
}

func (a *attributes) add(field, problem, want string) {
	a.wrong = append(a.wrong, step.FieldError{Field: field, Problem: problem, Want: want})
}

// text reads an attribute that must be there and not be empty.
func (a *attributes) text(name, want string) (value string) {
	raw, ok := a.members[name]
	switch {
	case !ok:
		a.add(name, "is missing", want)
	case json.Unmarshal(raw, &value) != nil:
		a.add(name, "is not a JSON string", want)
	case value == "":
		a.add(name, "is empty", want)
	}
	return value
}

// dataIsJSON refuses an event that says that its data is something else.
func (a *attributes) dataIsJSON() {
	raw, ok := a.members["datacontenttype"]
	if !ok {
		return
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		kind, _, err := mime.ParseMediaType(text)
		if err == nil && (kind == "application/json" || kind == "text/json" || strings.HasSuffix(kind, "+json")) {
			return
		}
	}
	a.add("datacontenttype", fmt.Sprintf("%s is not JSON", raw), "application/json")
}
