package cli

import (
	"fmt"
	"time"

	"azbackupflow/internal/duration"
)

// ParseDurationFlag parses the value of a duration flag. An empty value is zero.
func ParseDurationFlag(flag, value string) (time.Duration, error) {
	if value == "" {
		return 0, nil
	}
	if d, ok := duration.Parse(value); ok {
		return d, nil
	}
	return 0, &UsageError{Text: fmt.Sprintf("%s %q is not a duration", flag, value), Remedy: "use one " + duration.Forms}
}
