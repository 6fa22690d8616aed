package request

import (
	"fmt"
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
