// Package request reads the one shape in which operations are asked for,
// whether over HTTP, on the queue, by a schedule or by an event.
package request

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/sosodev/duration"

	"azbackupflow/internal/step"
)

// Request asks for one operation.
type Request struct {
	// Flow names what to do, such as protect-file-share.
	Flow string `json:"flow"`
	// Key makes the request repeatable: the same flow and key is the same
	// operation, however often it is asked for. Without one each request is an
	// operation of its own.
	Key string `json:"key,omitempty"`
	// Parameters are the flow's own.
	Parameters json.RawMessage `json:"parameters"`
	// Deadline is how long the operation may take, as an ISO 8601 duration
	// such as PT6H; empty leaves it to the flow.
	Deadline string `json:"deadline,omitempty"`
	// Labels are for finding operations again.
	Labels map[string]string `json:"labels,omitempty"`
	// DryRun checks the request and starts nothing.
	DryRun bool `json:"dryRun,omitempty"`
}

// What a request may hold.
const (
	// MaxParameters is the longest parameters in bytes: what one property of a
	// Table Storage row holds.
	MaxParameters = 32 << 10
	// MaxKey and MaxLabelValue are in characters.
	MaxKey        = 200
	MaxLabels     = 10
	MaxLabelValue = 128
)

const (
	minDeadline = time.Minute
	maxDeadline = 30 * 24 * time.Hour
)

// Read decodes a request and checks all that does not depend on its flow. Its
// errors are *step.Invalid and name every field that is wrong.
func Read(raw []byte) (Request, error) {
	var r Request
	if err := step.Decode(raw, &r, ""); err != nil {
		return Request{}, err
	}
	return r, r.Check()
}

// Check looks at all that does not depend on the flow.
func (r Request) Check() error {
	var wrong []step.FieldError
	add := func(field, problem, want string) {
		wrong = append(wrong, step.FieldError{Field: field, Problem: problem, Want: want})
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
	if _, err := r.Limit(); err != nil {
		add("deadline", fmt.Sprintf("%q %s", r.Deadline, err), "an ISO 8601 duration from PT1M to P30D, such as PT6H")
	}
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
	if len(wrong) > 0 {
		return &step.Invalid{Fields: wrong}
	}
	return nil
}

// Limit is the deadline as a duration; zero when the request names none.
func (r Request) Limit() (time.Duration, error) {
	if r.Deadline == "" {
		return 0, nil
	}
	// The parser takes a number without its unit for nothing.
	d, err := duration.Parse(r.Deadline)
	if err != nil || !iso8601.MatchString(r.Deadline) {
		return 0, errors.New("is not a duration")
	}
	limit := d.ToTimeDuration()
	if limit < minDeadline || limit > maxDeadline {
		return 0, errors.New("is out of range")
	}
	return limit, nil
}

var (
	printable = regexp.MustCompile(`^[^\x00-\x1f\x7f]*$`)                                              //nolint:gochecknoglobals // a compiled constant
	iso8601   = regexp.MustCompile(`^P(\d+W|(\d+Y)?(\d+M)?(\d+D)?(T(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?)$`) //nolint:gochecknoglobals // a compiled constant
	labelName = regexp.MustCompile(`^[A-Za-z0-9][\w.-]{0,63}$`)                                        //nolint:gochecknoglobals // a compiled constant
)

func sorted(m map[string]string) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
