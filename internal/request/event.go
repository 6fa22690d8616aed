package request

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"slices"
	"strings"
	"unicode/utf8"

	"azbackupflow/internal/step"
)

// Content is the content of a message on the queue `requests`, without the event
// around it.
type Content struct {
	// Body is the request or the bulk, unchanged.
	Body []byte
	// Key identifies the event, for a request without a key of its own. It is
	// empty for a message that is not an event.
	Key string
	// TraceParent is the event's traceparent attribute, or empty.
	TraceParent string
}

// Unwrap returns the content of a message: the request itself, or a CloudEvent in
// structured mode whose data is the request. It ignores extension attributes of
// the event. Its errors are *step.Invalid.
// Source: CloudEvents 1.0.2, JSON Event Format and Distributed Tracing
// extension.
func Unwrap(raw []byte) (Content, error) {
	raw = step.WithoutByteOrderMark(raw)
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		return Content{Body: raw}, nil // decoding the request reports the error
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
	id := c.text("id", "an ID that is unique for the source")
	c.text("type", "the kind of event, such as com.example.backup.requested")
	c.dataIsJSON()
	c.noMetadata()
	body := bytes.TrimSpace(members["data"])
	_, binary := members["data_base64"]
	switch {
	case binary:
		c.add("data_base64", "cannot be a request", "the request as JSON in data")
	case len(body) == 0 || string(body) == "null":
		c.add("data", "is missing", "the request, a JSON object")
	}
	if len(c.invalid) > 0 {
		return Content{Body: raw}, &step.Invalid{Fields: c.invalid}
	}
	var trace string
	_ = json.Unmarshal(members["traceparent"], &trace) // a value of another type is ignored
	if len(trace) > maxTraceParent {
		trace = ""
	}
	return Content{Body: body, Key: eventKey(source, id), TraceParent: trace}, nil
}

// eventKey returns a key that is unique for each event. CloudEvents guarantees that
// source and id together are unique. A source contains no space, so no two pairs
// yield the same key.
func eventKey(source, id string) string {
	key := source + " " + id
	if utf8.RuneCountInString(key) <= MaxBulkKey {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// maxTraceParent is more than the length of a W3C trace context, in bytes.
const maxTraceParent = 128

// attributes holds an event's attributes and collects their errors.
type attributes struct {
	members map[string]json.RawMessage
	invalid []step.FieldError
}

func (a *attributes) add(field, problem, want string) {
	a.invalid = append(a.invalid, step.FieldError{Field: field, Problem: problem, Want: want})
}

// text returns a required text attribute. An empty one is an error.
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

// metadata are the names under which the Functions host passes on what Service Bus
// says about a message, in lower case. The host merges the members of a body over
// them, so that an attribute would replace the message's own value.
var metadata = []string{
	"applicationproperties", "userproperties", "messageid", "replyto", "enqueuedtime", "enqueuedtimeutc", "deliverycount",
	"sequencenumber", "locktoken", "deadlettersource", "expiresat", "expiresatutc", "sys",
}

// noMetadata rejects an event with an attribute that has a name of the metadata.
func (a *attributes) noMetadata() {
	for _, name := range slices.Sorted(maps.Keys(a.members)) {
		if slices.Contains(metadata, strings.ToLower(name)) {
			a.add(name, "is a name of the message's metadata, which the Functions host would replace", "an extension attribute with another name")
		}
	}
}

// dataIsJSON rejects an event whose data is declared as another format.
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
