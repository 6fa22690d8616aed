package azerr

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

// Only a write without a usable answer may have taken effect.
func TestClassify_AmbiguousIsAWriteThatMayHaveArrived(t *testing.T) {
	t.Parallel()
	for status, ambiguous := range map[int]bool{
		400: false, 403: false, 404: false, 408: true, 409: false, 412: false, 429: false, 500: true, 502: true, 503: true, 504: true,
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPost, http.MethodDelete} {
			e := Classify(Response{Request: Request{Method: method}, Status: status, Header: http.Header{}})
			writes := method != http.MethodGet && method != http.MethodHead
			require.Equal(t, ambiguous && writes, e.Ambiguous, "%s %d", method, status)
		}
	}
}

func TestClassify_AnswerWithoutABodyUsesTheCodeOfItsHeader(t *testing.T) {
	t.Parallel()
	require.Equal(t, "ResourceNotFound", rejected(404, "", "x-ms-error-code", "ResourceNotFound").Code)
	require.Equal(t, "BadGateway", rejected(502, "").Code)
}

func TestFailedOperation_NamesItsReason(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]string{
		`{"status":"Canceled"}`: "OperationCanceled",
		`{"properties":{"errorDetails":{"code":"UserErrorDBNotFound","message":"m"}}}`:               "UserErrorDBNotFound",
		`{"properties":{"error":{"code":"UserErrorDBNotFound","message":"m"}}}`:                      "UserErrorDBNotFound",
		`{"status":"Canceled","error":{"code":"UserErrorDBNotFound","message":"m"},"properties":{}}`: "UserErrorDBNotFound",
	} {
		var body map[string]any
		require.NoError(t, json.Unmarshal([]byte(status), &body))
		require.Equal(t, want, FailedOperation(body, true).Code, status)
	}
	require.Equal(t, "OperationFailed", FailedOperation(nil, false).Code)
}

func TestThrottlingIn_CodeOrTextNamesAQuota(t *testing.T) {
	t.Parallel()
	require.True(t, ThrottlingIn("ResourceRequestsThrottled", "too many requests").PerAction)
	require.True(t, ThrottlingIn("TooManyRequests", "requests for action 'x' exceeded").PerAction)
	require.False(t, ThrottlingIn("TooManyRequests", "too many requests").PerAction)
}

func TestRetryAfter_IsBounded(t *testing.T) {
	t.Parallel()
	date := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"-5": 0, "NaN": 0, "-Inf": 0, "0": 0, "soon": 0, "1.5": 1500 * time.Millisecond,
		"1e12": operation.MaxRetryAfter, "+Inf": operation.MaxRetryAfter,
		date.Add(-time.Minute).Format(http.TimeFormat):         0,
		date.Add(time.Minute).Format(http.TimeFormat):          time.Minute,
		date.Add(365 * 24 * time.Hour).Format(http.TimeFormat): operation.MaxRetryAfter,
	} {
		require.Equal(t, want, RetryAfter(http.Header{"Retry-After": {value}}, date), value)
	}
}
