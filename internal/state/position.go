package state

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"azbackupflow/internal/operation"
)

// Position is the place of an operation in every list: newest first, and by ID
// for operations with the same creation time. Positions compare as strings in
// that order, so they serve as row keys.
type Position string

// PositionOf returns the position of an operation.
func PositionOf(createdAt time.Time, id string) Position {
	return Position(operation.NewestFirst(createdAt) + "-" + encodeKey(id))
}

// Continue returns the position as an opaque continuation token.
func (p Position) Continue() string {
	return base64.RawURLEncoding.EncodeToString([]byte(p))
}

// ParseContinue returns the position of a continuation token. An empty token is
// the position before all others. The error is operation.ErrContinue.
func ParseContinue(text string) (Position, error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return "", fmt.Errorf("%w: %w", operation.ErrContinue, err)
	}
	p := string(raw)
	if p == "" {
		return "", nil
	}
	digits, id, ok := strings.Cut(p, "-")
	if !ok || len(digits) != 19 || strings.Trim(digits, "0123456789") != "" || !encodedKey(id) {
		return "", operation.ErrContinue
	}
	return Position(p), nil
}

// next returns the smallest row key after the position: "!" sorts before all
// characters of keys.
func (p Position) next() string { return string(p) + "!" }

// bounds returns the row keys of a time range: first (inclusive) and end
// (exclusive). An empty key sets no bound.
func bounds(since, until time.Time) (first, end string) {
	if !until.IsZero() {
		// Positions of earlier times have greater digits.
		first = operation.NewestFirst(until.Add(-1))
	}
	if !since.IsZero() {
		// A colon sorts after digits and the hyphen, so all IDs with exactly
		// this creation time are included.
		end = operation.NewestFirst(since) + ":"
	}
	return first, end
}
