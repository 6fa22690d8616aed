package request

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"unicode/utf8"

	"azbackupflow/internal/step"
)

// Bulk asks for many operations that differ in some of their parameters.
type Bulk struct {
	// Key makes the bulk repeatable. Each operation's key is the bulk's and a
	// digest of its target, so the same bulk and target is the same operation,
	// wherever in the list it stands.
	Key string `json:"key,omitempty"`
	// Template is what the requests have in common.
	Template Template `json:"template"`
	// Targets change the template's parameters, one request for each, by JSON
	// Merge Patch (RFC 7396).
	Targets []json.RawMessage `json:"targets"`
}

// Template is a request without what each request has of its own; see Request.
type Template struct {
	Flow       string            `json:"flow"`
	Parameters json.RawMessage   `json:"parameters"`
	Deadline   string            `json:"deadline,omitempty"`
	Labels     map[string]string `json:"labels,omitempty"`
}

// What a bulk may hold.
const (
	// MaxBulk is in bytes: what a Service Bus message of the standard tier
	// holds, less room for the properties with which a bulk is sent on.
	MaxBulk    = 250 << 10
	MaxTargets = 10_000
	// MaxBulkKey is in characters: what leaves room for a target's digest.
	MaxBulkKey = MaxKey - 1 - digestLength
	// digestLength is in hexadecimal digits: 64 bits tell 10,000 targets apart.
	digestLength = 16
)

// IsBulk tells a bulk from a request.
func IsBulk(raw []byte) bool {
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		return false
	}
	_, template := members["template"]
	_, targets := members["targets"]
	return template || targets
}

// ReadBulk decodes a bulk and checks all that is the same for all its targets
// and does not depend on the flow. Its errors are *step.Invalid.
func ReadBulk(raw []byte) (Bulk, error) {
	if err := BulkFits(len(raw)); err != nil {
		return Bulk{}, err
	}
	var b Bulk
	if err := step.Decode(raw, &b, ""); err != nil {
		return Bulk{}, err
	}
	return b, b.Check()
}

// BulkFits refuses a bulk of so many bytes, with what it is wrapped in, that it
// could not be sent on. Its error is *step.Invalid.
func BulkFits(size int) error {
	if size <= MaxBulk {
		return nil
	}
	return &step.Invalid{Fields: []step.FieldError{{
		Field: "request", Problem: fmt.Sprintf("is %d bytes long", size), Want: fmt.Sprintf("at most %d bytes; send several bulks", MaxBulk),
	}}}
}

// Check looks at all that is the same for all targets and does not depend on
// the flow.
func (b Bulk) Check() error {
	var wrong []step.FieldError
	if err := b.common().Check(); err != nil {
		for _, f := range step.FieldsOf(err) {
			f.Field = step.Join("template", f.Field)
			wrong = append(wrong, f)
		}
	}
	var parameters map[string]json.RawMessage
	if len(b.Template.Parameters) > 0 && json.Unmarshal(b.Template.Parameters, &parameters) != nil {
		wrong = append(wrong, step.FieldError{Field: "template.parameters", Problem: "is not a JSON object", Want: "a JSON object with the parameters that all have in common"})
	}
	if utf8.RuneCountInString(b.Key) > MaxBulkKey || !printable.MatchString(b.Key) {
		wrong = append(wrong, step.FieldError{Field: "key", Problem: "is too long or holds control characters", Want: fmt.Sprintf("at most %d printable characters", MaxBulkKey)})
	}
	switch n := len(b.Targets); {
	case n == 0:
		wrong = append(wrong, step.FieldError{Field: "targets", Problem: "is missing or empty", Want: "a list of JSON objects, each with the parameters of one operation"})
	case n > MaxTargets:
		wrong = append(wrong, step.FieldError{Field: "targets", Problem: fmt.Sprintf("has %d entries", n), Want: fmt.Sprintf("at most %d; send several bulks", MaxTargets)})
	}
	if len(wrong) > 0 {
		return &step.Invalid{Fields: wrong}
	}
	return nil
}

// common is the template as a request.
func (b Bulk) common() Request {
	return Request{Flow: b.Template.Flow, Parameters: b.Template.Parameters, Deadline: b.Template.Deadline, Labels: b.Template.Labels}
}

// Request gives the request of one target. Its errors are *step.Invalid.
func (b Bulk) Request(i int) (Request, error) {
	r := b.common()
	target, err := readValue(b.Targets[i])
	change, isObject := target.(map[string]any)
	if err != nil || !isObject {
		return r, &step.Invalid{Fields: []step.FieldError{{
			Field: fmt.Sprintf("targets[%d]", i), Problem: "is not a JSON object", Want: "a JSON object with the parameters of one operation",
		}}}
	}
	if r.Key, err = b.keyOf(target); err != nil {
		return r, err
	}
	common, err := readValue(b.Template.Parameters)
	if err != nil {
		return r, fmt.Errorf("read template.parameters: %w", err)
	}
	if r.Parameters, err = json.Marshal(merged(common, change)); err != nil {
		return r, fmt.Errorf("write the parameters of targets[%d]: %w", i, err)
	}
	return r, nil
}

// keyOf is the bulk's key and a digest of the target, whatever the order of its
// fields and their white space.
func (b Bulk) keyOf(target any) (string, error) {
	canonical, err := json.Marshal(target) // maps are written in the order of their keys
	if err != nil {
		return "", fmt.Errorf("write a target: %w", err)
	}
	sum := sha256.Sum256(canonical)
	return b.Key + "/" + hex.EncodeToString(sum[:])[:digestLength], nil
}

// readValue reads JSON and keeps its numbers as they are written.
func readValue(raw []byte) (value any, err error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	err = d.Decode(&value)
	return value, err
}

// merged applies a merge patch. Neither argument is changed.
// Source: RFC 7396, section 2.
func merged(value any, patch map[string]any) map[string]any {
	old, _ := value.(map[string]any)
	result := maps.Clone(old)
	if result == nil {
		result = map[string]any{}
	}
	for name, change := range patch {
		switch c := change.(type) {
		case nil:
			delete(result, name)
		case map[string]any:
			result[name] = merged(result[name], c)
		default:
			result[name] = change
		}
	}
	return result
}
