package handlers

import (
	"fmt"
	"unicode/utf8"

	"azbackupflow/internal/step"
)

// A request may be 256 KB of one wrong word, which an answer about it repeats:
// these bound what is said, in bytes.
const (
	longestReason = 2000
	longestWords  = 500
	longestName   = 200
	// mostFields is how many of its wrong fields are named.
	mostFields = 20
)

// shorten cuts a text, never within a character, and says how long it was.
func shorten(text string, longest int) string {
	if len(text) <= longest {
		return text
	}
	cut := longest
	for cut > longest-utf8.UTFMax && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return fmt.Sprintf("%s... (%d bytes)", text[:cut], len(text))
}

// shortenFields is shorten for what is wrong with a request's fields.
func shortenFields(fields []step.FieldError) []step.FieldError {
	var short []step.FieldError
	for i, f := range fields {
		if i == mostFields {
			rest := fmt.Sprintf("has %d more things wrong", len(fields)-mostFields)
			return append(short, step.FieldError{Field: "request", Problem: rest})
		}
		short = append(short, step.FieldError{
			Field: shorten(f.Field, longestName), Problem: shorten(f.Problem, longestWords), Want: shorten(f.Want, longestWords),
		})
	}
	return short
}
