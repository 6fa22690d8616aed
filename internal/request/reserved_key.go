package request

import (
	"fmt"
	"regexp"
	"strings"

	"azbackupflow/internal/step"
)

// reservedPrefixes begin the keys of requests that the app makes itself: for
// schedules, for automatic protection and for restore drills. Another request
// under such a key would suppress the app's own.
var reservedPrefixes = []string{"schedule:", "protect:", "drill:"}

// Reserved returns an error if the key begins with a reserved prefix. Ways in for
// requests from outside call it. Its error is *step.Invalid.
func Reserved(key string) error {
	for _, prefix := range reservedPrefixes {
		if strings.HasPrefix(strings.ToLower(key), prefix) {
			return &step.Invalid{Fields: []step.FieldError{{
				Field: "key", Problem: fmt.Sprintf("begins with %q, which is reserved for the app's own requests", prefix), Want: "a key that begins otherwise",
			}}}
		}
	}
	return nil
}

// runID is an id of a requested run of a schedule. It becomes part of keys and a
// label.
var runID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]{0,39}$`)

// CheckRunID returns a *step.Invalid for the id of a requested run that cannot be
// part of a key.
func CheckRunID(id string) error {
	if runID.MatchString(id) {
		return nil
	}
	return &step.Invalid{Fields: []step.FieldError{{
		Field: "Idempotency-Key", Problem: "cannot name a run of a schedule", Want: "1 to 40 letters, digits, '.', '_', ':' or '-'",
	}}}
}
