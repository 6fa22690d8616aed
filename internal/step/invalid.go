package step

import (
	"errors"
	"strings"
)

// FieldError is one invalid field of a request.
type FieldError struct {
	// Field is the path of the field, such as parameters.vaultId.
	Field string `json:"field"`
	// Problem describes the error, Want the valid values.
	Problem string `json:"problem"`
	Want    string `json:"want,omitempty"`
}

// Invalid is the error for a request that can never succeed. It is returned to
// the sender and never retried.
type Invalid struct {
	Fields []FieldError
}

// Error lists the invalid fields.
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

// FieldsOf returns the fields that an *Invalid names, and nil for any other error.
func FieldsOf(err error) []FieldError {
	var invalid *Invalid
	if errors.As(err, &invalid) {
		return invalid.Fields
	}
	return nil
}
