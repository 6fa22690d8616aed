package flow

import (
	"context"
	"encoding/json"
	"fmt"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// checks collects what is wrong with a flow's parameters.
type checks struct{ invalid []step.FieldError }

func (c *checks) add(field, problem, want string) {
	c.invalid = append(c.invalid, step.FieldError{Field: step.Join("parameters", field), Problem: problem, Want: want})
}

// check returns the Check function of a flow. validate reports what is wrong and
// brings the parameters into their normal form.
//
// Check returns the normal form together with the error: a repeat of a request
// that was valid earlier is recognized by its parameters.
func check[P any](validate func(*checks, *P)) func(json.RawMessage) (json.RawMessage, error) {
	return func(raw json.RawMessage) (json.RawMessage, error) {
		var p P
		unreadable := step.Decode(raw, &p, "parameters")
		var c checks
		if len(step.FieldsOf(unreadable)) == 0 || step.FieldsOf(unreadable)[0].Field != "parameters" {
			validate(&c, &p)
		}
		if unreadable != nil { // what can be read has no normal form
			return nil, step.JoinInvalid(unreadable, &step.Invalid{Fields: c.invalid})
		}
		normal, err := json.Marshal(p)
		if err != nil {
			return nil, fmt.Errorf("write parameters: %w", err)
		}
		if len(c.invalid) > 0 {
			return normal, &step.Invalid{Fields: c.invalid}
		}
		return normal, nil
	}
}

// parametersOf returns the parameters that Check has normalized.
func parametersOf[P any](c step.Call) (p P, err error) {
	if err := json.Unmarshal(c.Operation.Parameters, &p); err != nil {
		return p, unreadable(err)
	}
	return p, nil
}

func unreadable(err error) *operation.Error { return fatal("ParametersUnreadable", err.Error()) }

// with passes a step its flow's parameters.
func with[P any](f func(context.Context, step.Call, P) (operation.Outcome, error)) run {
	return func(ctx context.Context, c step.Call) (operation.Outcome, error) {
		p, err := parametersOf[P](c)
		if err != nil {
			return operation.Outcome{}, err
		}
		return f(ctx, c, p)
	}
}
