package step

import (
	"errors"
	"strings"
)

// FieldError is one thing wrong with a request.
type FieldError struct {
	// Field is the path of the field, such as parameters.vaultId.
	Field string `json:"field"`
	// Problem says what is wrong, Want what would be right.
	Problem string `json:"problem"`
	Want    string `json:"want,omitempty"`
}

// Invalid is a request that can never work as it is. It is answered, never
// retried.
type Invalid struct {
	Fields []FieldError
}

// Error lists the fields.
func (e *Invalid) Error() string {
	lines := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		lines[i] = f.Field + ": " + f.Problem
		if f.Want != "" {
			lines[i] += "; want " + f.Want
		}
	}
	return "invalid request: " + strings.Join(lines, "; ")
}

// FieldsOf lists the fields that an *Invalid names; none for any other error.
func FieldsOf(err error) []FieldError {
	var invalid *Invalid
	if errors.As(err, &invalid) {
		return invalid.Fields
	}
	return nil
}
