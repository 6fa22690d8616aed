package intake

import (
	"errors"
	"fmt"
	"net/http"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/step"
)

// Limits of the texts about a request, in bytes. A request may be 256 KB of one
// wrong word, and its problem repeats the word.
const (
	MaxReason = 2000
	maxText   = 500
	maxName   = 200
	// maxFields limits the number of field errors.
	maxFields = 20
)

// IsPermanent reports whether the request itself, or the stored record of its
// operation, causes the error, so that a retry cannot succeed.
func IsPermanent(err error) bool {
	var invalid *step.Invalid
	var conflict *engine.KeyConflict
	return errors.As(err, &invalid) || errors.As(err, &conflict) || errors.Is(err, engine.ErrTooLarge) || operation.IsUnreadable(err) || isRefusedAnswer(err)
}

// isRefusedAnswer reports whether an operation does not take the answer of a
// validator.
func isRefusedAnswer(err error) bool {
	return errors.Is(err, operation.ErrNoValidation) || errors.Is(err, operation.ErrOtherTarget) ||
		errors.Is(err, operation.ErrWindowClosed) || errors.Is(err, operation.ErrAnswered)
}

// tooLarge is an error that matches engine.ErrTooLarge and knows the sizes.
type tooLarge interface {
	error
	// Details returns the largest field, and the size and limit of the record in
	// bytes.
	Details() (field string, size, limit int)
}

// Fields returns the field errors of an error that the request causes.
func Fields(err error) []step.FieldError {
	var invalid *step.Invalid
	var conflict *engine.KeyConflict
	var large tooLarge
	var body *http.MaxBytesError
	switch {
	case errors.As(err, &invalid):
		return shortenFields(invalid.Fields)
	case errors.As(err, &conflict):
		return []step.FieldError{{Field: "key", Problem: "belongs to another request", Want: "another key, or the same parameters"}}
	case errors.As(err, &large):
		field, size, limit := large.Details()
		return []step.FieldError{{Field: field, Problem: fmt.Sprintf("is %d bytes long", size), Want: fmt.Sprintf("at most %d bytes", limit)}}
	case errors.As(err, &body):
		return []step.FieldError{{Field: "request", Problem: "is too long", Want: fmt.Sprintf("at most %d bytes", body.Limit)}}
	}
	return nil
}

// Shorten cuts a text to a limit in bytes, between characters, and appends the
// full length.
func Shorten(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return fmt.Sprintf("%s... (%d bytes)", rejected.Cut(text, limit), len(text))
}

// bounded returns a text of a sender without secrets, cut to a limit in bytes. It
// looks only at the beginning of a long text.
func bounded(text string, limit int) string {
	redacted := Redact(rejected.Cut(text, 8*limit))
	if len(text) <= limit {
		return Shorten(redacted, limit)
	}
	return fmt.Sprintf("%s... (%d bytes)", rejected.Cut(redacted, limit), len(text))
}

func shortenFields(fields []step.FieldError) []step.FieldError {
	var short []step.FieldError
	for i, f := range fields {
		if i == maxFields {
			return append(short, step.FieldError{Field: "request", Problem: fmt.Sprintf("has %d more problems", len(fields)-maxFields)})
		}
		short = append(short, step.FieldError{
			Field: bounded(f.Field, maxName), Problem: bounded(f.Problem, maxText), Want: bounded(f.Want, maxText),
		})
	}
	return short
}
