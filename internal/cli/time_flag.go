package cli

import (
	"fmt"
	"time"

	"azbackupflow/internal/duration"
)

// ParseTime parses the value of a time flag: a time in RFC 3339, a date, or an
// age such as 36h or 7d. An empty value is the zero time.
func ParseTime(flag, value string, now time.Time) (time.Time, error) {
	if value == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, value); err == nil {
			return at, nil
		}
	}
	if age, ok := duration.Parse(value); ok {
		return now.Add(-age), nil
	}
	return time.Time{}, &UsageError{
		Text:   fmt.Sprintf("%s %q is not a time", flag, value),
		Remedy: "use a time such as 2026-11-21T03:00:00Z, a date such as 2026-11-21, or an age such as 36h or 7d",
	}
}
