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

// Bulk is a request for many operations that differ in some parameters.
type Bulk struct {
	// Key makes the bulk idempotent. Each operation's key is the bulk's key and
	// a digest of its target. The same bulk key and target create one
	// operation, at any position in the list.
	Key string `json:"key,omitempty"`
	// Reason is the sender's own text: why the operations are started.
	Reason string `json:"reason,omitempty"`
	// Template holds the part that all requests have in common.
	Template Template `json:"template"`
	// Targets are JSON Merge Patches (RFC 7396) of the template's parameters.
	// Each one yields one request.
	Targets []json.RawMessage `json:"targets"`

	// parameters are the template's, decoded once; see Check.
	parameters any
}

// Template is a Request without the fields that differ between the requests.
type Template struct {
	Flow       string            `json:"flow"`
	Parameters json.RawMessage   `json:"parameters"`
	Deadline   string            `json:"deadline,omitempty"`
	Labels     map[string]string `json:"labels,omitempty"`
}

// Limits of a bulk.
const (
	// MaxBulk is in bytes. It is the size limit of a Service Bus message of the
	// standard tier, minus room for the properties of a forwarded bulk.
	MaxBulk    = 250 << 10
	MaxTargets = 10_000
	// MaxBulkKey is in characters. It leaves room for a target's digest.
	MaxBulkKey = MaxKey - 1 - digestLength
	// digestLength is in hexadecimal digits. 64 bits distinguish 10,000 targets.
	digestLength = 16
	// MaxDepth limits the nesting of JSON. Every layer of a request parses it again.
	MaxDepth = 32
	// MaxBulkParameters limits the template's parameters times the targets, in
	// bytes: each target merges and stores all of them.
	MaxBulkParameters = 5 << 20
)

// IsBulk reports whether a message is a bulk rather than a request.
func IsBulk(raw []byte) bool {
	var members map[string]json.RawMessage
	if json.Unmarshal(step.WithoutByteOrderMark(raw), &members) != nil {
		return false
	}
	_, template := members["template"]
	_, targets := members["targets"]
	return template || targets
}

// ReadBulk decodes a bulk and validates everything that is the same for all its
// targets and does not depend on the flow. Its errors are *step.Invalid.
func ReadBulk(raw []byte) (Bulk, error) {
	if err := BulkFits(len(raw)); err != nil {
		return Bulk{}, err
	}
	if err := CheckDepth(raw); err != nil {
		return Bulk{}, err
	}
	var b Bulk
	err := step.Decode(raw, &b, "")
	b.parameters, _ = readValue(b.Template.Parameters) // Check reports parameters that are not JSON
	return b, step.JoinInvalid(err, b.Check())
}

// CheckDepth rejects JSON that is nested more than MaxDepth times. It reads the
// bytes once, because a decoder needs time and memory for each level. Its error is
// *step.Invalid.
func CheckDepth(raw []byte) error {
	depth, inText, escaped := 0, false, false
	for _, c := range raw {
		switch {
		case escaped:
			escaped = false
		case inText:
			escaped, inText = c == '\\', c != '"'
		case c == '"':
			inText = true
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		}
		if depth > MaxDepth {
			return &step.Invalid{Fields: []step.FieldError{{
				Field: "request", Problem: fmt.Sprintf("is nested more than %d times", MaxDepth), Want: fmt.Sprintf("at most %d objects and arrays inside each other", MaxDepth),
			}}}
		}
	}
	return nil
}

// BulkFits rejects a bulk that is too large to be forwarded. size is in bytes and
// includes the event around the bulk. Its error is *step.Invalid.
func BulkFits(size int) error {
	if size <= MaxBulk {
		return nil
	}
	return &step.Invalid{Fields: []step.FieldError{{
		Field: "request", Problem: fmt.Sprintf("is %d bytes long", size), Want: fmt.Sprintf("at most %d bytes; send several bulks", MaxBulk),
	}}}
}

// Check validates everything that is the same for all targets and does not depend
// on the flow.
func (b Bulk) Check() error {
	var invalid []step.FieldError
	if err := b.common().Check(); err != nil {
		for _, f := range step.FieldsOf(err) {
			f.Field = step.Join("template", f.Field)
			invalid = append(invalid, f)
		}
	}
	var parameters map[string]json.RawMessage
	if len(b.Template.Parameters) > 0 && json.Unmarshal(b.Template.Parameters, &parameters) != nil {
		invalid = append(invalid, step.FieldError{Field: "template.parameters", Problem: "is not a JSON object", Want: "a JSON object with the parameters that all have in common"})
	}
	invalid = append(invalid, step.FieldsOf(CheckReason(b.Reason))...)
	if utf8.RuneCountInString(b.Key) > MaxBulkKey || !printable.MatchString(b.Key) {
		invalid = append(invalid, step.FieldError{Field: "key", Problem: "is too long or holds control characters", Want: fmt.Sprintf("at most %d printable characters", MaxBulkKey)})
	}
	switch n := len(b.Targets); {
	case n == 0:
		invalid = append(invalid, step.FieldError{Field: "targets", Problem: "is missing or empty", Want: "a list of JSON objects, each with the parameters of one operation"})
	case n > MaxTargets:
		invalid = append(invalid, step.FieldError{Field: "targets", Problem: fmt.Sprintf("has %d entries", n), Want: fmt.Sprintf("at most %d; send several bulks", MaxTargets)})
	}
	if size := len(b.Template.Parameters) * len(b.Targets); size > MaxBulkParameters {
		invalid = append(invalid, step.FieldError{
			Field: "template.parameters", Problem: fmt.Sprintf("is %d bytes long for each of %d targets", len(b.Template.Parameters), len(b.Targets)),
			Want: fmt.Sprintf("at most %d bytes for all targets; send several bulks", MaxBulkParameters),
		})
	}
	if len(invalid) > 0 {
		return &step.Invalid{Fields: invalid}
	}
	return nil
}

// common returns the template as a request.
func (b Bulk) common() Request {
	return Request{Flow: b.Template.Flow, Parameters: b.Template.Parameters, Deadline: b.Template.Deadline, Labels: b.Template.Labels}
}

// Request returns the request for one target. Its errors are *step.Invalid.
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
	common := b.parameters
	if common == nil { // the bulk does not come from ReadBulk
		if common, err = readValue(b.Template.Parameters); err != nil {
			return r, fmt.Errorf("decode template.parameters: %w", err)
		}
	}
	if r.Parameters, err = json.Marshal(merged(common, change)); err != nil {
		return r, fmt.Errorf("encode the parameters of targets[%d]: %w", i, err)
	}
	return r, nil
}

// keyOf returns the bulk's key and a digest of the target. The digest ignores the
// order of the target's fields and their white space.
func (b Bulk) keyOf(target any) (string, error) {
	canonical, err := json.Marshal(target) // maps are written in the order of their keys
	if err != nil {
		return "", fmt.Errorf("encode a target: %w", err)
	}
	sum := sha256.Sum256(canonical)
	return b.Key + "/" + hex.EncodeToString(sum[:])[:digestLength], nil
}

// readValue decodes JSON and keeps its numbers as text.
func readValue(raw []byte) (value any, err error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	err = d.Decode(&value)
	return value, err
}

// merged returns the value with a merge patch applied. It changes neither argument.
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
