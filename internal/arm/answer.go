package arm

import (
	"bytes"
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"azbackupflow/internal/operation"
)

// Answer is what ARM answered.
type Answer struct {
	Method string
	// Path is that of the request, without its query.
	Path   string
	Status int
	Header http.Header
	// Body is JSON or empty.
	Body json.RawMessage
	// Date is ARM's own Date header, so that times of jobs can be compared
	// with it; our clock's time where the header is missing.
	Date time.Time
	// RetryAfter is how long ARM asks to wait; zero if it does not say. A
	// terminal answer may carry one too.
	RetryAfter time.Duration
	// CorrelationID is x-ms-correlation-request-id, RequestID x-ms-request-id.
	CorrelationID string
	RequestID     string
	// Remaining are the numbers of the x-ms-ratelimit-remaining-* headers, by
	// the rest of their name in lower case, such as
	// subscription-resource-requests.
	Remaining map[string]int
}

// Decode reads the body. Its error is an operation.Error: Transient, and
// Ambiguous after a write.
func (a *Answer) Decode(into any) error {
	if len(a.Body) == 0 {
		return a.unreadable("the body is empty")
	}
	if err := json.Unmarshal(a.Body, into); err != nil {
		return a.unreadable(err.Error())
	}
	return nil
}

// unreadable is a 2xx answer that cannot be made sense of, such as a page of a
// gateway.
func (a *Answer) unreadable(why string) *operation.Error {
	return &operation.Error{
		Code: CodeUnreadableAnswer, Class: operation.Transient, HTTPStatus: a.Status,
		Message:       "the answer cannot be read: " + Clean(why),
		CorrelationID: a.CorrelationID, RetryAfter: a.RetryAfter, Ambiguous: writes(a.Method),
	}
}

// writes reports whether a call with this method may change something.
func writes(method string) bool {
	return method != http.MethodGet && method != http.MethodHead
}

func newAnswer(method string, resp *http.Response, body []byte, clock func() time.Time) *Answer {
	a := &Answer{
		Method: method, Status: resp.StatusCode, Header: resp.Header,
		Body:          bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))),
		CorrelationID: resp.Header.Get("x-ms-correlation-request-id"),
		RequestID:     resp.Header.Get("x-ms-request-id"),
		Remaining:     remaining(resp.Header),
	}
	if resp.Request != nil && resp.Request.URL != nil {
		a.Path = resp.Request.URL.Path
	}
	date, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		date = clock()
	}
	a.Date = date.UTC()
	a.RetryAfter = retryAfter(resp.Header, a.Date)
	return a
}

// retryAfter reads Retry-After: seconds, or a date, which is compared with the
// answer's own Date so that our clock does not matter.
func retryAfter(h http.Header, date time.Time) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	if value == "" {
		return 0
	}
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		return seconds2duration(seconds)
	}
	until, err := http.ParseTime(value)
	if err != nil || !until.After(date) {
		return 0
	}
	return min(until.Sub(date), longestRetryAfter)
}

// longestRetryAfter bounds what is believed of a Retry-After: Azure parks
// callers for hours, and more is nonsense that would keep every operation of a
// vault waiting.
const longestRetryAfter = 24 * time.Hour

// seconds2duration turns what ARM says into a duration, at most
// longestRetryAfter.
func seconds2duration(seconds float64) time.Duration {
	if math.IsNaN(seconds) || seconds <= 0 {
		return 0
	}
	return time.Duration(min(seconds, longestRetryAfter.Seconds()) * float64(time.Second))
}

func remaining(h http.Header) map[string]int {
	const prefix = "x-ms-ratelimit-remaining-"
	var left map[string]int
	for name, values := range h {
		name = strings.ToLower(name)
		if !strings.HasPrefix(name, prefix) || len(values) == 0 {
			continue
		}
		n, err := strconv.Atoi(strings.TrimSpace(values[0]))
		if err != nil {
			continue
		}
		if left == nil {
			left = map[string]int{}
		}
		left[strings.TrimPrefix(name, prefix)] = n
	}
	return left
}
