package lro_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/armtest"
	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/operation"
)

func testTime() time.Time { return time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC) }

// azure is an ARM that answers from a function and records the requests.
type azure struct {
	*httptest.Server
	client   *arm.Client
	requests func() []armtest.Request
}

func newAzure(t *testing.T, answer http.HandlerFunc) *azure {
	t.Helper()
	server, requests := armtest.Serve(t, answer)
	return &azure{Server: server, client: armtest.Client(t, server), requests: requests}
}

// operations is an ARM with a status URL and a Location.
func operations(t *testing.T, status, location http.HandlerFunc) (*azure, operation.Tracking) {
	t.Helper()
	a := newAzure(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/status") {
			status(w, r)
			return
		}
		location(w, r)
	})
	return a, operation.Tracking{
		StatusURL: a.URL + "/status?s=1", ResultURL: a.URL + "/result?s=1", SubmittedAt: testTime(),
	}
}

// answers returns a handler with one answer: status, body, headers in pairs.
func answers(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func coded(code, message string) string {
	return fmt.Sprintf(`{"error":{"code":%q,"message":%q}}`, code, message)
}

// asError returns the operation.Error that a call must have failed with.
func asError(t *testing.T, err error) *operation.Error {
	t.Helper()
	var e *operation.Error
	require.ErrorAs(t, err, &e)
	return e
}

func TestTrack_StatusURLShowsTheState(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]lro.State{
		"Succeeded": lro.Succeeded, "succeeded": lro.Succeeded, "Failed": lro.Failed, "FAILED": lro.Failed, "Canceled": lro.Canceled, "Cancelled": lro.Canceled,
		"InProgress": lro.Running, "Inprogress": lro.Running, "Accepted": lro.Running, "Invalid": lro.Running, "Something": lro.Running,
	} {
		azure, tracking := operations(t, answers(200, `{"status":"`+word+`","endTime":"0001-01-01T00:00:00"}`, "Retry-After", "30"), nil)
		p, err := lro.Track(t.Context(), azure.client, tracking)
		require.NoError(t, err)
		require.Equal(t, want, p.State, word)
		require.Equal(t, 30*time.Second, p.RetryAfter)
		require.Equal(t, want == lro.Failed || want == lro.Canceled, p.Err != nil, word)
		require.Len(t, azure.requests(), 1)
		require.Equal(t, armtest.PublicARM+"/status?s=1", azure.requests()[0].URL)
	}
}

func TestTrack_FindsTheJobIDInEveryForm(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"status":"Succeeded","properties":{"objectType":"OperationStatusJobExtendedInfo","jobId":"f1c36767"}}`: "f1c36767",
		`{"status":"Succeeded","properties":{"JobID":"/subscriptions/s/backupJobs/j"}}`:                          "j",
		`{"status":"Inprogress","properties":{"jobIds":["j1"]}}`:                                                 "j1",
		`{"status":"Inprogress","properties":{"jobIds":["j1","j2"]}}`:                                            "",
		`{"status":"Succeeded","jobId":"top"}`:                                                                   "top",
		`{"status":"Succeeded","properties":null}`:                                                               "",
		`{"status":"Succeeded","properties":[]}`:                                                                 "",
		`{"status":"Succeeded","properties":{"jobId":null}}`:                                                     "",
	} {
		azure, tracking := operations(t, answers(200, body), nil)
		p, err := lro.Track(t.Context(), azure.client, tracking)
		require.NoError(t, err, body)
		require.Equal(t, want, p.JobID, body)
		if want == "" {
			require.Nil(t, p.NewTracking)
		} else {
			require.Equal(t, want, p.NewTracking.JobID)
			require.Equal(t, tracking.StatusURL, p.NewTracking.StatusURL)
			require.Equal(t, tracking.SubmittedAt, p.NewTracking.SubmittedAt)
		}
	}
}

func TestTrack_FailedOperationHasAnError(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]operation.Error{
		`{"status":"Failed","error":{"code":"FileShareNotFound","message":"m"}}`:                                                                 {Code: "FileShareNotFound", Message: "m", Class: operation.Fatal},
		`{"status":"Failed","error":{"code":"X","details":[{"code":"UserErrorMSIMissingPermissions","message":"m","recommendedAction":["r"]}]}}`: {Code: "UserErrorMSIMissingPermissions", Message: "m", Class: operation.UserAction},
		`{"status":"Failed","properties":{"objectType":"OperationStatusJobsExtendedInfo","failedJobsError":{"j":"broken"}}}`:                     {Code: "OperationFailed", Message: "job j: broken", Class: operation.Fatal},
		`{"status":"Failed"}`:                                       {Code: "OperationFailed", Message: "Azure gave no reason", Class: operation.Fatal},
		`{"status":"Failed","error":"text"}`:                        {Code: "OperationFailed", Message: "Azure gave no reason", Class: operation.Fatal},
		`{"status":"Canceled"}`:                                     {Code: "OperationCanceled", Message: "the operation was canceled in Azure", Class: operation.Fatal},
		`{"status":"Failed","error":{"code":"CloudInternalError"}}`: {Code: "CloudInternalError", Message: "Azure gave no reason", Class: operation.Transient},
	} {
		azure, tracking := operations(t, answers(200, body, "x-ms-correlation-request-id", "c"), nil)
		p, err := lro.Track(t.Context(), azure.client, tracking)
		require.NoError(t, err, body)
		require.NotNil(t, p.Err, body)
		require.Equal(t, want.Code, p.Err.Code, body)
		require.Equal(t, want.Message, p.Err.Message, body)
		require.Equal(t, want.Class, p.Err.Class, body)
		require.Equal(t, "c", p.Err.CorrelationID)
		require.False(t, p.Err.Ambiguous)
	}
}

func TestTrack_FailedStatusRequestIsAnErrorNotAFailedOperation(t *testing.T) {
	t.Parallel()
	for status, class := range map[int]operation.Class{
		400: operation.Fatal, 401: operation.UserAction, 403: operation.UserAction, 409: operation.Conflict,
		429: operation.Throttled, 500: operation.Transient, 503: operation.Transient,
	} {
		azure, tracking := operations(t, answers(status, coded("Some", "m"), "Retry-After", "9"), nil)
		tracking.ResultURL = ""
		p, err := lro.Track(t.Context(), azure.client, tracking)
		e := asError(t, err)
		require.Equal(t, class, e.Class)
		require.Equal(t, 9*time.Second, e.RetryAfter)
		require.False(t, e.Ambiguous)
		require.Zero(t, p)
	}
}

func TestTrack_StatusAnswerWithoutAStatusIsUnreadable(t *testing.T) {
	t.Parallel()
	for _, body := range []string{``, `{}`, `[]`, `null`, `{"status":null}`, `{"status":5}`, `{"status":""}`} {
		azure, tracking := operations(t, answers(200, body), nil)
		tracking.ResultURL = ""
		_, err := lro.Track(t.Context(), azure.client, tracking)
		e := asError(t, err)
		require.Equal(t, azerr.CodeUnreadableAnswer, e.Code, body)
		require.Equal(t, operation.Transient, e.Class)
	}
}

func TestTrack_LocationRunsWith202AndEndsWithTheResource(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]lro.State{202: lro.Running, 200: lro.Succeeded, 201: lro.Succeeded, 204: lro.Succeeded} {
		body := `{"id":"x","properties":{"registrationStatus":"Registered"}}`
		if status == 204 {
			body = ""
		}
		azure, tracking := operations(t, nil, answers(status, body))
		tracking.StatusURL = ""
		p, err := lro.Track(t.Context(), azure.client, tracking)
		require.NoError(t, err)
		require.Equal(t, want, p.State)
		if status == 200 {
			require.JSONEq(t, body, string(p.Body))
		}
		if status == 204 {
			require.Empty(t, p.Body)
		}
	}
}

func TestTrack_LocationMayNameTheJobAtTheTop(t *testing.T) {
	t.Parallel()
	azure, tracking := operations(t, nil, answers(200, `{"objectType":"OperationJobExtendedInfo","jobId":"/s/backupJobs/j"}`))
	tracking.StatusURL = ""
	p, err := lro.Track(t.Context(), azure.client, tracking)
	require.NoError(t, err)
	require.Equal(t, lro.Succeeded, p.State)
	require.Equal(t, "j", p.JobID, "a job has one form of ID")
}

func TestTrack_LocationMayAnswerWithAStatus(t *testing.T) {
	t.Parallel()
	azure, tracking := operations(t, nil, answers(200, `{"status":"Failed","error":{"code":"FileShareNotFound","message":"m"}}`))
	tracking.StatusURL = ""
	p, err := lro.Track(t.Context(), azure.client, tracking)
	require.NoError(t, err)
	require.Equal(t, lro.Failed, p.State)
	require.Equal(t, "FileShareNotFound", p.Err.Code)
}

func TestTrack_UnknownStatusURLFallsBackToTheLocation(t *testing.T) {
	t.Parallel()
	missing := answers(404, coded("ResourceNotFound", "m"))
	azure, tracking := operations(t, missing, answers(202, `{}`))
	p, err := lro.Track(t.Context(), azure.client, tracking)
	require.NoError(t, err)
	require.Equal(t, lro.Running, p.State)
	require.NotNil(t, p.NewTracking)
	require.Empty(t, p.NewTracking.StatusURL)
	require.Equal(t, tracking.ResultURL, p.NewTracking.ResultURL)
	p, err = lro.Track(t.Context(), azure.client, *p.NewTracking)
	require.NoError(t, err)
	require.Equal(t, lro.Running, p.State)
	require.Nil(t, p.NewTracking)
	require.Len(t, azure.requests(), 3)
}

func TestTrack_UnknownOperationIsGoneNotFailed(t *testing.T) {
	t.Parallel()
	for _, status := range []int{404, 410} {
		missing := answers(status, coded("ResourceNotFound", "m"))
		azure, tracking := operations(t, missing, missing)
		for _, tr := range []operation.Tracking{
			tracking, {StatusURL: tracking.StatusURL}, {ResultURL: tracking.ResultURL}, {},
		} {
			p, err := lro.Track(t.Context(), azure.client, tr)
			require.NoError(t, err)
			require.Equal(t, lro.Gone, p.State)
			require.Nil(t, p.Err)
		}
	}
}

func TestTrack_NewURLsAreUsedIfTrusted(t *testing.T) {
	t.Parallel()
	var a *azure
	a = newAzure(t, func(w http.ResponseWriter, r *http.Request) {
		answers(202, `{}`, "Location", a.URL+"/result?s=2", "Azure-AsyncOperation", "https://evil.example/x")(w, r)
	})
	p, err := lro.Track(t.Context(), a.client, operation.Tracking{ResultURL: a.URL + "/result?s=1", SubmittedAt: testTime()})
	require.NoError(t, err)
	require.Equal(t, &operation.Tracking{ResultURL: a.URL + "/result?s=2", SubmittedAt: testTime()}, p.NewTracking)
}

func TestStart_SubmissionHoldsTheHeaders(t *testing.T) {
	t.Parallel()
	a := newAzure(t, answers(202, ``, "Azure-AsyncOperation", "https://a/x?s=1", "Location", "https://a/y?s=1",
		"Date", "Tue, 11 Jun 2024 10:32:26 GMT", "Retry-After", "60"))
	s, err := lro.Start(t.Context(), a.client, arm.Request{Method: http.MethodPost, Path: "/x"})
	require.NoError(t, err)
	require.Equal(t, operation.Tracking{
		StatusURL: "https://a/x?s=1", ResultURL: "https://a/y?s=1", SubmittedAt: time.Date(2024, 6, 11, 10, 32, 26, 0, time.UTC),
	}, s.Tracking)
	require.Equal(t, time.Minute, s.RetryAfter)
	require.False(t, s.Done)
}

func TestStart_AnswerWithoutURLsIsFinalUnlessAccepted(t *testing.T) {
	t.Parallel()
	start := func(answer http.HandlerFunc) lro.Submission {
		s, err := lro.Start(t.Context(), newAzure(t, answer).client, arm.Request{Method: http.MethodPut, Path: "/x"})
		require.NoError(t, err)
		return s
	}
	for status, done := range map[int]bool{200: true, 201: true, 204: true, 202: false} {
		require.Equal(t, done, start(answers(status, "")).Done, status)
	}
	require.False(t, start(answers(201, "", "Azure-Asyncoperation", "https://a")).Done)
}

// oneAnswer is a Poller that always returns the same answer.
type oneAnswer struct{ answer *arm.Answer }

func (p oneAnswer) Poll(context.Context, string) (*arm.Answer, error) { return p.answer, nil }
func (oneAnswer) Trusts(string) bool                                  { return true }

func FuzzTrack(f *testing.F) {
	f.Add(200, `{"status":"Failed","error":{"details":[{"code":1}]},"properties":{"jobIds":[{}],"failedJobsError":{"a":[]}}}`, true)
	f.Add(200, `{"jobId":5,"properties":"x"}`, false)
	f.Add(202, `[]`, true)
	f.Fuzz(func(t *testing.T, status int, body string, fromStatus bool) {
		tracking := operation.Tracking{ResultURL: "a"}
		if fromStatus {
			tracking.StatusURL = "a"
		}
		answer := &arm.Answer{Status: status, Header: http.Header{"Location": {body}}, Body: []byte(body), Date: testTime()}
		p, err := lro.Track(t.Context(), oneAnswer{answer}, tracking)
		if err == nil {
			require.NotEmpty(t, p.State)
			require.Equal(t, p.State == lro.Failed || p.State == lro.Canceled, p.Err != nil)
		}
	})
}

func TestTrack_URLsOfOtherHostsAreIgnored(t *testing.T) {
	t.Parallel()
	evil := answers(202, `{"status":"InProgress"}`, "Location", "https://evil.example/x", "Azure-AsyncOperation", "https://management.azure.com.evil.example/x")
	a, tracking := operations(t, evil, evil)
	p, err := lro.Track(t.Context(), a.client, tracking)
	require.NoError(t, err)
	require.Equal(t, lro.Running, p.State)
	require.Nil(t, p.NewTracking)
}
