package azerr

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"azbackupflow/internal/operation"
)

// RetryAfter returns the wait that a Retry-After header requests, zero if there
// is none. The header holds seconds or a date. A date is compared with the
// answer's own Date, so a skewed local clock does not matter.
func RetryAfter(h http.Header, date time.Time) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if value == "" {
		return 0
	}
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		return retryAfterSeconds(seconds)
	}
	until, err := http.ParseTime(value)
	if err != nil || !until.After(date) {
		return 0
	}
	return min(until.Sub(date), operation.MaxRetryAfter)
}

// retryAfterSeconds converts seconds to a duration between zero and
// operation.MaxRetryAfter.
func retryAfterSeconds(seconds float64) time.Duration {
	if math.IsNaN(seconds) || seconds <= 0 {
		return 0
	}
	return time.Duration(min(seconds, operation.MaxRetryAfter.Seconds()) * float64(time.Second))
}
