// Package request decodes and validates requests for operations. All senders use
// the same shape: the HTTP API, the queue, schedules and events. It may not know
// the flows, the engine, storage, or how a request arrived.
package request

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"
	"unicode/utf8"

	"azbackupflow/internal/duration"
	"azbackupflow/internal/step"
)

// Request is a request for one operation.
type Request struct {
	// Flow is the name of the flow, such as protect-file-share.
	Flow string `json:"flow"`
	// Key makes the request idempotent: requests with the same flow and key
	// create one operation. Without a key, each request creates its own
	// operation.
	Key string `json:"key,omitempty"`
	// Parameters are the flow's own.
	Parameters json.RawMessage `json:"parameters"`
	// Deadline is the time limit of the operation: a duration such as 6h, 7d or, in
	// ISO 8601, PT6H. Empty means the flow's default.
	Deadline string `json:"deadline,omitempty"`
	// Labels are used to search for operations.
	Labels map[string]string `json:"labels,omitempty"`
	// Reason is the sender's own text: why the operation is started.
	Reason string `json:"reason,omitempty"`
	// DryRun validates the request and starts nothing.
	DryRun bool `json:"dryRun,omitempty"`
}

// Limits of a request.
const (
	// MaxParameters is in bytes. It is the size limit of a property in a Table
	// Storage row.
	MaxParameters = 32 << 10
	// MaxKey and MaxLabelValue are in characters.
	MaxKey        = 200
	MaxLabels     = 10
	MaxLabelValue = 128
	// MaxReason is in characters.
	MaxReason = 500
)

const (
	minDeadline = time.Minute
	maxDeadline = 30 * 24 * time.Hour
)

// Read decodes a request and validates everything that does not depend on its
// flow. Its errors are *step.Invalid and name every invalid field.
func Read(raw []byte) (Request, error) {
	if err := CheckDepth(raw); err != nil {
		return Request{}, err
	}
	var r Request
	err := step.Decode(raw, &r, "")
	return r, step.JoinInvalid(err, r.Check())
}

// Check validates everything that does not depend on the flow.
func (r Request) Check() error {
	var invalid []step.FieldError
	add := func(field, problem, want string) {
		invalid = append(invalid, step.FieldError{Field: field, Problem: problem, Want: want})
	}
	if r.Flow == "" {
		add("flow", "is missing", "the name of a flow")
	}
	if utf8.RuneCountInString(r.Key) > MaxKey || !printable.MatchString(r.Key) {
		add("key", "is too long or holds control characters", fmt.Sprintf("at most %d printable characters", MaxKey))
	}
	if len(r.Parameters) == 0 || string(r.Parameters) == "null" {
		add("parameters", "is missing", "a JSON object with the flow's parameters")
	}
	if n := len(r.Parameters); n > MaxParameters {
		add("parameters", fmt.Sprintf("is %d bytes long", n), fmt.Sprintf("at most %d bytes", MaxParameters))
	}
	if _, err := r.Timeout(); err != nil {
		add("deadline", fmt.Sprintf("%q %s", r.Deadline, err), "a duration from 1m to 30d, such as 6h, 7d or PT6H")
	}
	invalid = append(invalid, step.FieldsOf(CheckReason(r.Reason))...)
	if len(r.Labels) > MaxLabels {
		add("labels", fmt.Sprintf("has %d entries", len(r.Labels)), fmt.Sprintf("at most %d", MaxLabels))
	}
	for _, name := range sorted(r.Labels) {
		value := r.Labels[name]
		if !labelName.MatchString(name) {
			add("labels", fmt.Sprintf("has the name %q", name), "names of 1 to 64 letters, digits, '.', '_' or '-'")
		}
		if value == "" || utf8.RuneCountInString(value) > MaxLabelValue || !printable.MatchString(value) {
			add("labels."+name, "is empty, too long or holds control characters", fmt.Sprintf("1 to %d printable characters", MaxLabelValue))
		}
	}
	if len(invalid) > 0 {
		return &step.Invalid{Fields: invalid}
	}
	return nil
}

// CheckReason returns a *step.Invalid for a reason that is too long or not
// printable.
func CheckReason(reason string) error {
	if utf8.RuneCountInString(reason) <= MaxReason && printable.MatchString(reason) {
		return nil
	}
	return &step.Invalid{Fields: []step.FieldError{{
		Field: "reason", Problem: "is too long or holds control characters", Want: fmt.Sprintf("at most %d printable characters", MaxReason),
	}}}
}

// Timeout returns the deadline as a duration. Zero means that the request has none.
func (r Request) Timeout() (time.Duration, error) {
	if r.Deadline == "" {
		return 0, nil
	}
	timeout, ok := duration.Parse(r.Deadline)
	if !ok {
		return 0, errors.New("is not a duration")
	}
	if timeout < minDeadline || timeout > maxDeadline {
		return 0, errors.New("is out of range")
	}
	return timeout, nil
}

var (
	printable = regexp.MustCompile(`^[^\x00-\x1f\x7f]*$`)
	labelName = regexp.MustCompile(`^[A-Za-z0-9][\w.-]{0,63}$`)
)

func sorted(m map[string]string) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
