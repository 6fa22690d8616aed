package azerr

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

// rejected returns the error for an answer with this status and body.
func rejected(status int, body string, headers ...string) *operation.Error {
	h := http.Header{}
	for i := 0; i+1 < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
	}
	return Classify(Response{
		Request: Request{Method: http.MethodGet}, Status: status, Header: h, RetryAfter: RetryAfter(h, time.Time{}),
		Body: bytes.TrimSpace(bytes.TrimPrefix([]byte(body), []byte("\xef\xbb\xbf"))),
	})
}

func coded(code, message string) string {
	return fmt.Sprintf(`{"error":{"code":%q,"message":%q}}`, code, message)
}

func TestClassify_ThrottledWaitsTheSecondsInTheText(t *testing.T) {
	t.Parallel()
	// The text was recorded.
	e := rejected(429, coded("ResourceRequestsThrottled", "Number of requests for action 'Microsoft.RecoveryServices/vaults/backupJobs/read' exceeded the limit of '150' for time interval '01:00:00'. Please try again after '324' seconds."))
	require.Equal(t, operation.Throttled, e.Class)
	require.Equal(t, 324*time.Second, e.RetryAfter)
}

func TestClassify_ThrottledPrefersRetryAfterToTheText(t *testing.T) {
	t.Parallel()
	e := rejected(429, coded("ResourceRequestsThrottled", "Please try again after '324' seconds."), "Retry-After", "17")
	require.Equal(t, 17*time.Second, e.RetryAfter)
}

func TestClassify_ThrottledReadsMinutesAndHours(t *testing.T) {
	t.Parallel()
	require.Equal(t, 5*time.Minute, rejected(429, coded("X", "try again after 5 minutes")).RetryAfter)
	require.Equal(t, 2*time.Hour, rejected(429, coded("X", "Retry after '2' hours.")).RetryAfter)
	require.Zero(t, rejected(429, coded("X", "try again later")).RetryAfter)
}

func TestClassify_CloudDosLimitWaitsHours(t *testing.T) {
	t.Parallel()
	e := rejected(400, coded("CloudDosTimeboudLimitReached", "retry after few hours"))
	require.Equal(t, operation.Throttled, e.Class)
	require.Equal(t, 3*time.Hour, e.RetryAfter)
	e = rejected(400, coded("CloudDosAbsoluteLimitReached", "limit of the day"), "Retry-After", "60")
	require.Equal(t, operation.Throttled, e.Class)
	require.Equal(t, 24*time.Hour, e.RetryAfter, "a shorter Retry-After does not lift a day's limit")
}

func TestCatalogue_ClassOfEveryKnownCode(t *testing.T) {
	t.Parallel()
	for class, codes := range map[operation.Class][]string{
		operation.Throttled: {"ResourceRequestsThrottled", "CloudDosTimeboudLimitReached", "CloudDosAbsoluteLimitReached"},
		operation.Transient: {"CloudInternalError", "InvalidGatewayHost", "InternalServerError", "UserErrorServerConnectionClosed", "PostgreSQLFlexServerError"},
		operation.NotYet:    {"BMSUserErrorDataSourceObjectNotFound"},
		operation.Conflict:  {"ParallelSnapshotRequest", "UserErrorBackupOperationInProgress", "UserErrorAnotherRestoreInProgressOnSameTarget", "UserErrorDTSDestLocked"},
		operation.UserAction: {
			"UserErrorMissingRequiredPermissions", "UserErrorMSIMissingPermissions", "UserErrorDBUserAuthFailed", "UserErrorInvalidSecret",
			"UserErrorMissingPermissionsOnSecretStore", "UserErrorStorageAccountIsLocked", "AuthorizationFailed",
		},
		operation.Fatal: {
			"UserErrorDppDatasourceAlreadyProtected", "UserErrorDppDatasourceAlreadyHasBackupInstance", "UserErrorRestoreToLowerVersion",
			"UserErrorDatabaseNameAlreadyInUse", "UserErrorDBNotFound", "UserErrorContainerNotAccessible", "BMSUserErrorInvalidInput",
			"BMSUserErrorInvalidConfigureProtectionRequest", "FileShareNotFound", "UserErrorStorageAccountNotFound", "AFSMaxSnapshotReached", "ResourceNotFound",
		},
	} {
		for _, code := range codes {
			require.Equal(t, class, rejected(400, coded(code, "m")).Class, code)
			require.Equal(t, class, rejected(400, coded(strings.ToLower(code), "m")).Class, code)
			require.Equal(t, class, Failure(code, "m", nil).Class, code)
		}
	}
}

func TestCatalogue_EntriesAreUniqueAndRecommendAnAction(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, e := range Catalogue() {
		_, retried := e.Class.RetryPolicy()
		require.True(t, retried || e.Class == operation.Fatal, e.Codes)
		if e.Class == operation.UserAction {
			require.NotEmpty(t, e.RecommendedAction, e.Codes)
		}
		for _, c := range e.Codes {
			require.False(t, seen[strings.ToLower(c)], "%s is listed twice", c)
			seen[strings.ToLower(c)] = true
		}
	}
}

func TestClassify_UnknownCodeUsesTheStatus(t *testing.T) {
	t.Parallel()
	for status, class := range map[int]operation.Class{
		300: operation.Transient, 307: operation.Transient, 400: operation.Fatal, 401: operation.UserAction, 403: operation.UserAction,
		404: operation.Fatal, 405: operation.Fatal, 408: operation.Transient, 409: operation.Conflict, 410: operation.Fatal,
		412: operation.Conflict, 422: operation.Fatal, 423: operation.Conflict, 425: operation.Transient, 429: operation.Throttled,
		500: operation.Transient, 502: operation.Transient, 503: operation.Transient, 504: operation.Transient, 599: operation.Transient,
	} {
		e := rejected(status, coded("NeverHeardOf", "m"))
		require.Equal(t, class, e.Class, status)
		require.Equal(t, "NeverHeardOf", e.Code)
		require.Equal(t, status, e.HTTPStatus)
	}
}

func TestClassify_IgnoresIsRetryable(t *testing.T) {
	t.Parallel()
	require.Equal(t, operation.Fatal, rejected(400, `{"error":{"code":"BMSUserErrorInvalidInput","isRetryable":true}}`).Class)
	require.Equal(t, operation.Transient, rejected(500, `{"error":{"code":"CloudInternalError","isRetryable":false,"isUserError":true}}`).Class)
}

func TestClassify_MultiUserAuthorizationIsFoundByItsText(t *testing.T) {
	t.Parallel()
	e := rejected(400, coded("UserErrorSomething", "ResourceGuard Operation requestid '1' is needed"))
	require.Equal(t, operation.Fatal, e.Class)
	require.Contains(t, e.RecommendedAction[0], "Resource Guard")
}

func TestClassify_ReadsErrorBodiesOfEveryForm(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body, code, message string
		actions             []string
	}{
		"nested":         {body: coded("A", "m"), code: "A", message: "m"},
		"flat":           {body: `{"code":"A","message":"m"}`, code: "A", message: "m"},
		"upper case":     {body: `{"Error":{"Code":"A","Message":"m"}}`, code: "A", message: "m"},
		"odata":          {body: `{"odata.error":{"code":"A","message":{"lang":"en","value":"m"}}}`, code: "A", message: "m"},
		"byte order":     {body: "\xef\xbb\xbf" + coded("A", "m"), code: "A", message: "m"},
		"details win":    {body: `{"error":{"code":"BadRequest","message":"outer","details":[{"code":"Other"},{"code":"FileShareNotFound","message":"m"}]}}`, code: "FileShareNotFound", message: "m"},
		"known outer":    {body: `{"error":{"code":"FileShareNotFound","message":"m","details":[{"code":"AuthorizationFailed","message":"x"}]}}`, code: "FileShareNotFound", message: "m"},
		"passing outer":  {body: `{"error":{"code":"CloudInternalError","message":"outer","innererror":{"code":"AuthorizationFailed"}}}`, code: "AuthorizationFailed", message: "outer"},
		"message object": {body: `{"error":{"code":"A","message":"{\"error\":{\"code\":\"ParallelSnapshotRequest\",\"message\":\"m\"}}"}}`, code: "ParallelSnapshotRequest", message: "m"},
		"data protection": {
			body: `{"error":{"code":"BadRequest","innerError":{"code":"X","embeddedInnerError":{"code":"UserErrorMissingRequiredPermissions"}},"message":"m","recommendedAction":["do a","do b"]}}`,
			code: "UserErrorMissingRequiredPermissions", message: "m", actions: []string{"do a", "do b"},
		},
		"numbered": {body: `{"errorCode":400123,"errorString":"m","recommendations":["r"]}`, code: "400123", message: "m", actions: []string{"r"}},
		"empty":    {body: ``, code: "BadRequest"},
		"html":     {body: `<html>`, code: "BadRequest"},
		"odd":      {body: `[1,"x",null,{"error":"text"}]`, code: "BadRequest"},
		"no code":  {body: `{"error":{"message":"m"}}`, code: "BadRequest", message: "m"},
	} {
		e := rejected(400, c.body)
		require.Equal(t, c.code, e.Code, name)
		if c.message != "" {
			require.Equal(t, c.message, e.Message, name)
		}
		require.NotEmpty(t, e.Message, name)
		if c.actions != nil {
			require.Equal(t, c.actions, e.RecommendedAction, name)
		}
	}
}

func TestFailure_NumberedErrorUsesTheCodeInItsText(t *testing.T) {
	t.Parallel()
	e := Failure("400201", "The backup failed (ParallelSnapshotRequest).", []string{"wait"})
	require.Equal(t, "ParallelSnapshotRequest", e.Code)
	require.Equal(t, operation.Conflict, e.Class)
	require.Equal(t, []string{"wait"}, e.RecommendedAction)
	e = Failure("400202", "something else", nil)
	require.Equal(t, "400202", e.Code)
	require.Equal(t, operation.Fatal, e.Class)
	require.False(t, e.Ambiguous)
	require.Equal(t, "OperationFailed", Failure("", "", nil).Code)
}

func TestRedact_LongMessageIsCut(t *testing.T) {
	t.Parallel()
	e := rejected(400, coded("A", strings.Repeat("ä", 10000)))
	require.LessOrEqual(t, len(e.Message), maxText+4)
}

func FuzzClassify(f *testing.F) {
	f.Add(400, coded("A", "m"))
	f.Add(429, `{"error":{"details":[[{"code":{}}]],"message":{"value":1}},"code":1e308}`)
	f.Add(500, `{"error":{"message":"{\"error\":{\"message\":\"{}\"}}"}}`)
	f.Add(999, strings.Repeat(`{"error":`, 1000))
	f.Fuzz(func(t *testing.T, status int, body string) {
		e := rejected(status, body)
		require.NotEmpty(t, e.Code)
		require.NotEmpty(t, e.Message)
		require.NotEmpty(t, e.Class)
		require.GreaterOrEqual(t, e.RetryAfter, time.Duration(0))
	})
}

func TestThrottlingIn_ReadsLimitIntervalAndWait(t *testing.T) {
	t.Parallel()
	// The text was recorded.
	got := ThrottlingIn("ResourceRequestsThrottled", "Number of requests for action 'Microsoft.RecoveryServices/vaults/backupJobs/read' exceeded the limit of '150' for time interval '01:00:00'. Please try again after '324' seconds.")
	require.Equal(t, Throttling{Limit: 150, Interval: time.Hour, Wait: 324 * time.Second, PerAction: true}, got)
	require.Equal(t, Throttling{Interval: 26*time.Hour + 3*time.Minute + 4*time.Second}, ThrottlingIn("TooManyRequests", "interval 1.02:03:04"))
	require.True(t, ThrottlingIn("TooManyRequests", "too many requests for action x").PerAction)
	require.Zero(t, ThrottlingIn("TooManyRequests", "slow down"))
}

func TestRetryAfter_IsSecondsOrADate(t *testing.T) {
	t.Parallel()
	date := time.Date(2024, 6, 11, 10, 32, 26, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "60": time.Minute, " 60 ": time.Minute, "1.5": 1500 * time.Millisecond, "-5": 0, "soon": 0, "NaN": 0,
		"99999999999999999999":          24 * time.Hour,
		"1764000000":                    24 * time.Hour, // a time, not a duration
		"Sun, 11 Jun 2124 10:33:26 GMT": 24 * time.Hour,
		"Tue, 11 Jun 2024 10:33:26 GMT": time.Minute,
		"Tue, 11 Jun 2024 10:31:26 GMT": 0,
	} {
		require.Equal(t, want, RetryAfter(http.Header{"Retry-After": {value}}, date), value)
	}
}
