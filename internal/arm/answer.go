package arm

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/operation"
)

// Answer is an answer of Azure Resource Manager.
type Answer struct {
	azerr.Request
	Status int
	Header http.Header
	// Body is JSON or empty.
	Body json.RawMessage
	// Date is ARM's Date header. Times of jobs are compared with it. It is the
	// local time if the header is missing.
	Date time.Time
	// RetryAfter is the wait that ARM requests; zero if it requests none. Final
	// answers may have one too.
	RetryAfter time.Duration
	// CorrelationID is x-ms-correlation-request-id, RequestID x-ms-request-id.
	CorrelationID string
	RequestID     string
	// Remaining holds the values of the x-ms-ratelimit-remaining-* headers by
	// the rest of the header's name in lower case, such as
	// subscription-resource-requests.
	Remaining map[string]int
}

// Decode decodes the body. Its error is an *operation.Error: Transient, and
// Ambiguous if the call may have changed something.
func (a *Answer) Decode(into any) error {
	if len(a.Body) == 0 {
		return a.Unreadable("the body is empty")
	}
	if err := json.Unmarshal(a.Body, into); err != nil {
		return a.Unreadable(err.Error())
	}
	return nil
}

// Unreadable returns the error for a 2xx answer of an unexpected form, such as
// a gateway's HTML page.
func (a *Answer) Unreadable(why string) *operation.Error {
	return &operation.Error{
		Code: azerr.CodeUnreadableAnswer, Class: operation.Transient, HTTPStatus: a.Status,
		Message:       "the answer cannot be read: " + azerr.Redact(why),
		CorrelationID: a.CorrelationID, RetryAfter: a.RetryAfter, Ambiguous: a.Writes(),
	}
}

// err returns the error that an answer with a status outside 2xx means.
func (a *Answer) err() *operation.Error {
	return azerr.Classify(azerr.Response{
		Request: a.Request, Status: a.Status, Header: a.Header, Body: a.Body,
		CorrelationID: a.CorrelationID, RetryAfter: a.RetryAfter,
	})
}

// newAnswer reads the headers of a response. The body has been read already.
func newAnswer(method string, resp *http.Response, body []byte, now func() time.Time) *Answer {
	a := &Answer{
		Request: azerr.Request{Method: method}, Status: resp.StatusCode, Header: resp.Header,
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
		date = now()
	}
	a.Date = date.UTC()
	a.RetryAfter = azerr.RetryAfter(resp.Header, a.Date)
	return a
}

// remaining returns the values of the x-ms-ratelimit-remaining-* headers.
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
