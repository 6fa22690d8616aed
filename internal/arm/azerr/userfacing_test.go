package azerr

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

// userFacing returns an error as Data Protection sends it: the recommended
// action is in additionalInfo only, the explanation deeper still.
func userFacing(code, message, action, detail string) string {
	return `{"additionalInfo":[{"type":"UserFacingError","info":{"message":"` + message + `","recommendedAction":["` + action + `"],
		"details":null,"code":"` + code + `","target":"","innerError":{"code":"InnerErrorCodeUnavailable","additionalInfo":
		{"DetailedNonLocalisedMessage":"` + detail + `"}},"isRetryable":false,"isUserError":false,"properties":{"ActivityId":"a"}}}],
		"code":"` + code + `","message":"` + message + `","target":null,"details":null}`
}

func TestClassify_AlreadyProtectedNamesTheVault(t *testing.T) {
	t.Parallel()
	const where = "Datasource is already protected under the Backup vault /subscriptions/s/v."
	e := rejected(400, `{"error":`+userFacing(CodeAlreadyProtected, where, "Delete the backup instance i.", where)+`}`)
	require.Equal(t, CodeAlreadyProtected, e.Code)
	require.Equal(t, operation.Fatal, e.Class)
	require.Equal(t, where, e.Message, "a detail that repeats the message is dropped")
	require.Equal(t, []string{"Delete the backup instance i."}, e.RecommendedAction)
}

func TestFailureIn_ReadsAnErrorOrNone(t *testing.T) {
	t.Parallel()
	e := FailureIn([]byte(userFacing("UserErrorRestoreToLowerVersion", "m", "a", "from 10 to 9.5")))
	require.Equal(t, "UserErrorRestoreToLowerVersion", e.Code)
	require.Equal(t, "m (from 10 to 9.5)", e.Message)
	require.Equal(t, operation.Fatal, e.Class)
	require.Equal(t, []string{"a"}, e.RecommendedAction)
	for _, none := range []string{``, `null`, `{}`, `[]`, `"x"`, `{"code":null,"message":""}`, `{"isRetryable":true}`} {
		require.Nil(t, FailureIn([]byte(none)), none)
	}
}

func FuzzFailureIn(f *testing.F) {
	f.Add(userFacing("A", "m", "a", "d"))
	f.Add(`{"innerError":{"additionalInfo":{"DetailedNonLocalisedMessage":5},"embeddedInnerError":{"code":[]}}}`)
	f.Fuzz(func(t *testing.T, body string) {
		if e := FailureIn([]byte(body)); e != nil {
			require.NotEmpty(t, e.Code)
			require.NotEmpty(t, e.Message)
			require.NotEmpty(t, e.Class)
		}
	})
}

func TestClassify_AzuresActionIsNeverReplaced(t *testing.T) {
	t.Parallel()
	for _, e := range Catalogue() {
		for _, code := range e.Codes {
			body := userFacing(code, "m", "Delete the backup instance i.", "d")
			for status := range map[int]bool{400: true, 403: true, 409: true, 429: true, 500: true} {
				require.Equal(t, []string{"Delete the backup instance i."}, rejected(status, `{"error":`+body+`}`).RecommendedAction, code)
			}
			require.Equal(t, []string{"Delete the backup instance i."}, FailureIn([]byte(body)).RecommendedAction, code)
			require.Equal(t, []string{"a", "b"}, Failure(code, "m", []string{"a", "b", "a"}).RecommendedAction, code)
		}
	}
}

func TestClassify_KeepsTargetTypeAndActivity(t *testing.T) {
	t.Parallel()
	body := `{"error":{"code":"BadRequest","message":"m","additionalInfo":[{"type":"UserFacingError","info":{"code":"X","target":"the instance",
		"properties":{"ActivityId":"2a23524f-Ibz"},"innerError":{"code":"Y"}}}]}}`
	e := rejected(400, body)
	require.Equal(t, "the instance", e.Target)
	require.Equal(t, "UserFacingError", e.InfoType)
	require.Equal(t, "2a23524f-Ibz", e.ActivityID)
	e = rejected(403, `{"error":{"code":"RequestDisallowedByPolicy","message":"m","target":"vault","additionalInfo":[{"type":"PolicyViolation","info":{"policyAssignmentName":"a"}}]}}`)
	require.Equal(t, "vault", e.Target)
	require.Equal(t, "PolicyViolation", e.InfoType)
}

func TestFailureIn_DumpOfAnExchangeIsADetail(t *testing.T) {
	t.Parallel()
	const m = "The backup failed on the server."
	for name, dump := range map[string]string{
		"azure sdk":  `Service request failed.\nStatus: 500 (Internal Server Error)\n\nContent:\n{}\n\nHeaders:\nCache-Control: no-cache`,
		"raw":        `POST /x HTTP/1.1 400 Bad Request`,
		"header":     `failed, x-ms-request-id: 5`,
		"net":        `StatusCode: 409, ReasonPhrase: 'Conflict', Version: 1.1`,
		"page":       `<html><body>502</body></html>`,
		"many lines": `a\nb\nc\nd`,
		"very long":  strings.Repeat("long ", 200),
	} {
		e := FailureIn([]byte(userFacing("PostgreSQLFlexServerError", m, "a", dump)))
		require.Equal(t, m, e.Message, name)
		require.NotEmpty(t, e.Detail, name)
		require.NotContains(t, e.Detail, "\n", name)
		e = FailureIn([]byte(`{"code":"A","message":"It failed: ` + dump + `"}`))
		require.LessOrEqual(t, len(e.Message), maxText+4, name)
	}
	e := FailureIn([]byte(`{"code":"A","message":"It failed.\nStatus: 500 (Internal)\nHeaders:\nDate: x"}`))
	require.Equal(t, "It failed. (the history has Azure's whole text)", e.Message)
	require.Contains(t, e.Detail, "Status: 500 (Internal) Headers: Date: x")
	e = FailureIn([]byte(`{"code":"A","message":"HTTP/1.1 500"}`))
	require.Equal(t, "Azure reports A (the history has Azure's whole text)", e.Message)
}

func TestJobFailure_NamedCodeReplacesTheNumber(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		job    JobFailure
		code   string
		class  operation.Class
		detail string
	}{
		// The error was recorded.
		"a workload job": {
			JobFailure{Code: "520512", Title: "UserErrorIncompatibleSrcTargetSystemsForRestore", Message: "m", Explanation: "d"},
			"UserErrorIncompatibleSrcTargetSystemsForRestore", operation.Fatal, "Azure's error number is 520512",
		},
		"an unknown name":      {JobFailure{Code: "7", Title: "UserErrorNeverHeardOf", Message: "m"}, "UserErrorNeverHeardOf", operation.Fatal, "Azure's error number is 7"},
		"it may pass":          {JobFailure{Code: "510011", Title: "WorkloadRestoreFailed", Message: "m"}, "WorkloadRestoreFailed", operation.Transient, "Azure's error number is 510011"},
		"a title of words":     {JobFailure{Code: "400201", Title: "VM Snapshot failed", Message: "m"}, "400201", operation.Fatal, ""},
		"the name of the item": {JobFailure{Code: "400201", Title: "vm1", Message: "m"}, "400201", operation.Fatal, ""},
		"the name in the text": {JobFailure{Code: "400201", Title: "t", Message: "m (ParallelSnapshotRequest)"}, "ParallelSnapshotRequest", operation.Conflict, "Azure's error number is 400201"},
		"a named code":         {JobFailure{Code: "FileShareNotFound", Title: "UserErrorOther", Message: "m"}, "FileShareNotFound", operation.Fatal, ""},
	} {
		e := c.job.Error()
		require.Equal(t, c.code, e.Code, name)
		require.Equal(t, c.class, e.Class, name)
		require.Equal(t, c.detail, e.Detail, name)
		if c.job.Explanation != "" {
			require.Equal(t, "m (d)", e.Message)
		}
	}
}

func TestClassify_ThrottledStaysThrottledWhateverTheCode(t *testing.T) {
	t.Parallel()
	for _, entry := range Catalogue() {
		for _, code := range entry.Codes {
			e := rejected(429, coded(code, "m"), "Retry-After", "5")
			require.Equal(t, operation.Throttled, e.Class, code)
			require.GreaterOrEqual(t, e.RetryAfter, 5*time.Second)
			if entry.Class != operation.Throttled {
				require.Empty(t, e.RecommendedAction, "the remedy of another class does not help: %s", code)
			}
		}
	}
}
