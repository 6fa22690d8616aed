package operation

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Validation is a question that an operation asks a validator outside of
// azbackupflow: whether the data that a drill restored is usable. The process that
// receives the answer saves it on the row, at the current seq, as a cancel request is.
type Validation struct {
	// Target names what is to be validated.
	Target string `json:"target"`
	// Answers are accepted from Opened until before Closes.
	Opened time.Time `json:"opened"`
	Closes time.Time `json:"closes"`
	// Answer is nil until a validator has answered.
	Answer *ValidationAnswer `json:"answer,omitempty"`
}

// ValidationResult is the judgment of a validator.
type ValidationResult string

// The results of a validation.
const (
	ValidationSuccessful ValidationResult = "Successful"
	ValidationFailed     ValidationResult = "Failed"
)

// ValidationAnswer is the answer of a validator.
type ValidationAnswer struct {
	Result ValidationResult `json:"result"`
	// Text is the validator's comment.
	Text string    `json:"text,omitempty"`
	By   Actor     `json:"by"`
	At   time.Time `json:"at"`
}

// The reasons why an answer is not accepted.
var (
	// ErrNoValidation: the operation does not wait for an answer, or not yet.
	ErrNoValidation = errors.New("the operation does not wait for a validation")
	// ErrOtherTarget: the answer is about something else.
	ErrOtherTarget = errors.New("the answer is for another target")
	// ErrWindowClosed: the operation no longer waits.
	ErrWindowClosed = errors.New("the window for the answer is closed")
	// ErrAnswered: another answer came first.
	ErrAnswered = errors.New("the validation has another answer already")
)

// Validate returns the operation with the answer of a validator. target is what the
// validator looked at; empty if it does not say. save is false for the same answer
// again, which changes nothing. Seq stays the same. The error is one of the reasons
// above.
func (op Operation) Validate(a ValidationAnswer, target string, in Input) (next Operation, ev Event, save bool, err error) {
	v := op.Validation
	switch {
	case v == nil:
		return op, ev, false, fmt.Errorf("%w: it is %s, at step %s", ErrNoValidation, op.Status, op.Step)
	case target != "" && !v.of(target):
		return op, ev, false, fmt.Errorf("%w: %s was validated, the operation waits for %s", ErrOtherTarget, target, v.Target)
	case v.Answer != nil && v.Answer.Result == a.Result && v.Answer.Text == a.Text && v.Answer.By == a.By:
		return op, ev, false, nil
	case v.Answer != nil:
		return op, ev, false, fmt.Errorf("%w: %s by %s at %s", ErrAnswered, v.Answer.Result, v.Answer.By, v.Answer.At.UTC().Format(time.RFC3339))
	case !in.Now.Before(v.Closes) || op.Status.Terminal():
		return op, ev, false, fmt.Errorf("%w: it closed at %s", ErrWindowClosed, v.Closes.UTC().Format(time.RFC3339))
	}
	a.At = in.Now
	next = op.clone()
	next.Validation = v.answered(a)
	next.WriteID, next.UpdatedAt = in.WriteID, in.Now
	return next, next.event(note(fmt.Sprintf("validated as %s", a.Result), a.Text), in).By(Cause{Actor: a.By}), true, nil
}

// of reports whether a resource ID is that of the target. Azure ignores its case.
func (v *Validation) of(target string) bool {
	return strings.EqualFold(strings.TrimSuffix(target, "/"), strings.TrimSuffix(v.Target, "/"))
}

// answered returns the validation with an answer.
func (v *Validation) answered(a ValidationAnswer) *Validation {
	next := *v
	next.Answer = &a
	return &next
}

// closed returns the validation after the operation has stopped waiting for it.
func (v *Validation) closed(now time.Time) *Validation {
	if v == nil || v.Answer != nil || !v.Closes.After(now) {
		return v
	}
	next := *v
	next.Closes = now
	return &next
}
