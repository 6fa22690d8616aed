package request

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// maxAnswerText is the maximum length of a validator's comment, in characters.
const maxAnswerText = 2000

// Answer is the answer of a validator about what a restore drill restored.
type Answer struct {
	// Operation is the ID of the drill's operation. Over HTTP the path names it.
	Operation string `json:"operation,omitempty"`
	// Result is Successful or Failed.
	Result string `json:"result"`
	// Text is the validator's comment. The evidence repeats it.
	Text string `json:"text,omitempty"`
	// Target is the resource ID of what the validator looked at; empty if it does not
	// say.
	Target string `json:"target,omitempty"`
}

// Validated returns the answer as the operation stores it.
func (a Answer) Validated(by operation.Actor) operation.ValidationAnswer {
	return operation.ValidationAnswer{Result: operation.ValidationResult(a.Result), Text: a.Text, By: by}
}

// IsAnswer reports whether a message is the answer of a validator rather than a
// request.
func IsAnswer(raw []byte) bool {
	var members map[string]json.RawMessage
	if json.Unmarshal(step.WithoutByteOrderMark(raw), &members) != nil {
		return false
	}
	_, answer := members["validation"]
	return answer
}

// ReadAnswerMessage decodes a message: an object with the member validation, which
// names its operation. Its errors are *step.Invalid.
func ReadAnswerMessage(raw []byte) (Answer, error) {
	if err := CheckDepth(raw); err != nil {
		return Answer{}, err
	}
	var m struct {
		Validation Answer `json:"validation"`
	}
	err := step.Decode(raw, &m, "")
	invalid := m.Validation.check("validation")
	if m.Validation.Operation == "" {
		invalid = append(invalid, step.FieldError{Field: "validation.operation", Problem: "is missing", Want: "the ID of the drill's operation"})
	}
	return m.Validation, step.JoinInvalid(err, asInvalid(invalid))
}

// ReadAnswer decodes the body of POST /api/operations/{id}/validation. Its errors are
// *step.Invalid.
func ReadAnswer(raw []byte, id string) (Answer, error) {
	if err := CheckDepth(raw); err != nil {
		return Answer{}, err
	}
	var a Answer
	err := step.Decode(raw, &a, "")
	invalid := a.check("")
	if a.Operation != "" && a.Operation != id {
		invalid = append(invalid, step.FieldError{Field: "operation", Problem: fmt.Sprintf("is %q, not the operation of the path", a.Operation), Want: id + ", or no operation"})
	}
	return a, step.JoinInvalid(err, asInvalid(invalid))
}

// asInvalid returns the errors; nil if there are none.
func asInvalid(fields []step.FieldError) error {
	if len(fields) == 0 {
		return nil
	}
	return &step.Invalid{Fields: fields}
}

func (a Answer) check(path string) (invalid []step.FieldError) {
	if r := operation.ValidationResult(a.Result); r != operation.ValidationSuccessful && r != operation.ValidationFailed {
		invalid = append(invalid, step.FieldError{Field: step.Join(path, "result"), Problem: fmt.Sprintf("%q is not a result", a.Result), Want: "Successful or Failed"})
	}
	if utf8.RuneCountInString(a.Text) > maxAnswerText || !printable.MatchString(a.Text) {
		invalid = append(invalid, step.FieldError{Field: step.Join(path, "text"), Problem: "is too long or holds control characters", Want: fmt.Sprintf("at most %d printable characters in one line", maxAnswerText)})
	}
	return invalid
}
