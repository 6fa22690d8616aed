package state

import (
	"encoding/base64"
	"fmt"
	"math"
	"strings"
	"time"
)

// Position is where an operation stands in every list: newest first, and by id
// where two were created at the same instant. Positions compare as strings in
// that order, so they serve as row keys.
type Position string

// PositionOf gives the position of what was created at the time.
func PositionOf(createdAt time.Time, id string) Position {
	return Position(inverted(createdAt) + "-" + encodeKey(id))
}

// inverted counts down from the end of time, in 19 digits: the later, the
// smaller.
func inverted(t time.Time) string {
	return fmt.Sprintf("%019d", countdown(t))
}

func countdown(t time.Time) int64 {
	return math.MaxInt64 - clampedNanos(t)
}

// clampedNanos is the time as nanoseconds since 1970. What does not fit, such
// as the zero time, becomes the nearest that does.
func clampedNanos(t time.Time) int64 {
	switch {
	case t.Before(time.Unix(0, 0)):
		return 0
	case t.After(time.Unix(0, math.MaxInt64-1)):
		return math.MaxInt64 - 1
	}
	return t.UnixNano()
}

// Continue is the opaque form of the position for callers: they hand it back
// to go on after it.
func (p Position) Continue() string {
	return base64.RawURLEncoding.EncodeToString([]byte(p))
}

// ParseContinue reads what Continue gave. An empty text is the position before
// everything.
func ParseContinue(text string) (Position, error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrContinue, err)
	}
	p := string(raw)
	if p == "" {
		return "", nil
	}
	digits, id, ok := strings.Cut(p, "-")
	if !ok || len(digits) != 19 || strings.Trim(digits, "0123456789") != "" || !encodedKey(id) {
		return "", ErrContinue
	}
	return Position(p), nil
}

// bounds gives the row keys of a time range: first (inclusive) to end
// (exclusive); an empty one is no bound.
func bounds(since, until time.Time) (first, end string) {
	if !until.IsZero() {
		// Created before until: the countdown is greater than until's.
		first = fmt.Sprintf("%019d", countdown(until)+1)
	}
	if !since.IsZero() {
		// Not before since: the countdown is since's or less. The colon is the
		// character after the digits and the hyphen, so that every id of
		// since's own instant is included.
		end = inverted(since) + ":"
	}
	return first, end
}
