package arm

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

// operations is an ARM with a status URL and a Location.
func operations(t *testing.T, status, location http.HandlerFunc) (*azure, *Client, operation.Tracking) {
	t.Helper()
	arm := newAzure(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/status") {
			status(w, r)
			return
		}
		location(w, r)
	})
	return arm, arm.client(t), operation.Tracking{
		StatusURL: arm.URL + "/status?s=1", ResultURL: arm.URL + "/result?s=1", SubmittedAt: testTime(),
	}
}

func TestTheStatusURLTellsTheState(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]State{
		"Succeeded": Succeeded, "succeeded": Succeeded, "Failed": Failed, "FAILED": Failed, "Canceled": Canceled, "Cancelled": Canceled,
		"InProgress": Running, "Inprogress": Running, "Accepted": Running, "Invalid": Running, "Something": Running,
	} {
		arm, client, tracking := operations(t, answers(200, `{"status":"`+word+`","endTime":"0001-01-01T00:00:00"}`, "Retry-After", "30"), nil)
		p, err := client.Track(t.Context(), tracking)
		require.NoError(t, err)
		require.Equal(t, want, p.State, word)
		require.Equal(t, 30*time.Second, p.RetryAfter)
		require.Equal(t, want == Failed || want == Canceled, p.Err != nil, word)
		require.Len(t, arm.requests(), 1)
		require.Equal(t, "/status?s=1", arm.requests()[0].Target)
	}
}

func TestTheJobIDIsTakenWhereverItStands(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"status":"Succeeded","properties":{"objectType":"OperationStatusJobExtendedInfo","jobId":"f1c36767"}}`: "f1c36767",
		`{"status":"Succeeded","properties":{"JobID":"/subscriptions/s/backupJobs/j"}}`:                          "/subscriptions/s/backupJobs/j",
		`{"status":"Inprogress","properties":{"jobIds":["j1"]}}`:                                                 "j1",
		`{"status":"Inprogress","properties":{"jobIds":["j1","j2"]}}`:                                            "",
		`{"status":"Succeeded","jobId":"top"}`:                                                                   "top",
		`{"status":"Succeeded","properties":null}`:                                                               "",
		`{"status":"Succeeded","properties":[]}`:                                                                 "",
		`{"status":"Succeeded","properties":{"jobId":null}}`:                                                     "",
	} {
		_, client, tracking := operations(t, answers(200, body), nil)
		p, err := client.Track(t.Context(), tracking)
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

func TestAFailedOperationTellsWhy(t *testing.T) {
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
		_, client, tracking := operations(t, answers(200, body, "x-ms-correlation-request-id", "c"), nil)
		p, err := client.Track(t.Context(), tracking)
		require.NoError(t, err, body)
		require.NotNil(t, p.Err, body)
		require.Equal(t, want.Code, p.Err.Code, body)
		require.Equal(t, want.Message, p.Err.Message, body)
		require.Equal(t, want.Class, p.Err.Class, body)
		require.Equal(t, "c", p.Err.CorrelationID)
		require.False(t, p.Err.Ambiguous)
	}
}

func TestAStatusThatCannotBeReadIsNoFailedOperation(t *testing.T) {
	t.Parallel()
	for status, class := range map[int]operation.Class{
		400: operation.Fatal, 401: operation.UserAction, 403: operation.UserAction, 409: operation.Conflict,
		429: operation.Throttled, 500: operation.Transient, 503: operation.Transient,
	} {
		_, client, tracking := operations(t, answers(status, coded("Some", "m"), "Retry-After", "9"), nil)
		p, err := client.Track(t.Context(), tracking)
		e := asError(t, err)
		require.Equal(t, class, e.Class)
		require.Equal(t, 9*time.Second, e.RetryAfter)
		require.False(t, e.Ambiguous)
		require.Zero(t, p)
	}
}

func TestAStatusAnswerWithoutAStatusIsUnreadable(t *testing.T) {
	t.Parallel()
	for _, body := range []string{``, `{}`, `[]`, `null`, `{"status":null}`, `{"status":5}`, `{"status":""}`} {
		_, client, tracking := operations(t, answers(200, body), nil)
		_, err := client.Track(t.Context(), tracking)
		e := asError(t, err)
		require.Equal(t, CodeUnreadableAnswer, e.Code, body)
		require.Equal(t, operation.Transient, e.Class)
	}
}

func TestALocationRunsWith202AndEndsWithTheResource(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]State{202: Running, 200: Succeeded, 201: Succeeded, 204: Succeeded} {
		body := `{"id":"x","properties":{"registrationStatus":"Registered"}}`
		if status == 204 {
			body = ""
		}
		_, client, tracking := operations(t, nil, answers(status, body))
		tracking.StatusURL = ""
		p, err := client.Track(t.Context(), tracking)
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

func TestALocationMayNameTheJobAtTheTop(t *testing.T) {
	t.Parallel()
	_, client, tracking := operations(t, nil, answers(200, `{"objectType":"OperationJobExtendedInfo","jobId":"/s/backupJobs/j"}`))
	tracking.StatusURL = ""
	p, err := client.Track(t.Context(), tracking)
	require.NoError(t, err)
	require.Equal(t, Succeeded, p.State)
	require.Equal(t, "/s/backupJobs/j", p.JobID)
}

func TestALocationThatAnswersWithAStatusIsReadLikeOne(t *testing.T) {
	t.Parallel()
	_, client, tracking := operations(t, nil, answers(200, `{"status":"Failed","error":{"code":"FileShareNotFound","message":"m"}}`))
	tracking.StatusURL = ""
	p, err := client.Track(t.Context(), tracking)
	require.NoError(t, err)
	require.Equal(t, Failed, p.State)
	require.Equal(t, "FileShareNotFound", p.Err.Code)
}

func TestAStatusURLThatARMDoesNotKnowFallsToTheLocationForGood(t *testing.T) {
	t.Parallel()
	missing := answers(404, coded("ResourceNotFound", "m"))
	arm, client, tracking := operations(t, missing, answers(202, `{}`))
	p, err := client.Track(t.Context(), tracking)
	require.NoError(t, err)
	require.Equal(t, Running, p.State)
	require.NotNil(t, p.NewTracking)
	require.Empty(t, p.NewTracking.StatusURL)
	require.Equal(t, tracking.ResultURL, p.NewTracking.ResultURL)
	p, err = client.Track(t.Context(), *p.NewTracking)
	require.NoError(t, err)
	require.Equal(t, Running, p.State)
	require.Nil(t, p.NewTracking)
	require.Len(t, arm.requests(), 3)
}

func TestAnOperationThatARMForgotIsGoneAndNotFailed(t *testing.T) {
	t.Parallel()
	for _, status := range []int{404, 410} {
		missing := answers(status, coded("ResourceNotFound", "m"))
		_, client, tracking := operations(t, missing, missing)
		for _, tr := range []operation.Tracking{
			tracking, {StatusURL: tracking.StatusURL}, {ResultURL: tracking.ResultURL}, {},
		} {
			p, err := client.Track(t.Context(), tr)
			require.NoError(t, err)
			require.Equal(t, Gone, p.State)
			require.Nil(t, p.Err)
		}
	}
}

func TestNewerURLsAreTakenOverIfTheyCanBeFollowed(t *testing.T) {
	t.Parallel()
	var arm *azure
	arm = newAzure(t, func(w http.ResponseWriter, r *http.Request) {
		answers(202, `{}`, "Location", arm.URL+"/result?s=2", "Azure-AsyncOperation", "https://evil.example/x")(w, r)
	})
	p, err := arm.client(t).Track(t.Context(), operation.Tracking{ResultURL: arm.URL + "/result?s=1", SubmittedAt: testTime()})
	require.NoError(t, err)
	require.Equal(t, &operation.Tracking{ResultURL: arm.URL + "/result?s=2", SubmittedAt: testTime()}, p.NewTracking)
}

func TestAnAcceptedCallIsFollowedByItsHeaders(t *testing.T) {
	t.Parallel()
	arm := newAzure(t, answers(202, ``, "Azure-AsyncOperation", "https://a/x?s=1", "Location", "https://a/y?s=1",
		"Date", "Tue, 11 Jun 2024 10:32:26 GMT", "Retry-After", "60"))
	answer, err := arm.client(t).Do(t.Context(), Request{Method: http.MethodPost, Path: "/x"})
	require.NoError(t, err)
	s := Submitted(answer)
	require.Equal(t, operation.Tracking{
		StatusURL: "https://a/x?s=1", ResultURL: "https://a/y?s=1", SubmittedAt: time.Date(2024, 6, 11, 10, 32, 26, 0, time.UTC),
	}, s.Tracking)
	require.Equal(t, time.Minute, s.RetryAfter)
	require.False(t, s.Done)
	for status, done := range map[int]bool{200: true, 201: true, 204: true, 202: false} {
		require.Equal(t, done, Submitted(&Answer{Status: status, Header: http.Header{}}).Done, status)
	}
	require.False(t, Submitted(&Answer{Status: 201, Header: http.Header{"Azure-Asyncoperation": {"https://a"}}}).Done)
}

func TestAListIsReadToItsEnd(t *testing.T) {
	t.Parallel()
	var arm *azure
	arm = newAzure(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Query().Get("page") {
		case "":
			answers(200, `{"value":[1,2],"nextLink":"`+arm.URL+`/next?page=2&%24skiptoken=%3c%3f+1!28!"}`)(w, r)
		case "2":
			answers(200, `{"value":null,"nextLink":"/next?page=3"}`)(w, r)
		default:
			answers(200, `{"value":[3]}`)(w, r)
		}
	})
	var got []string
	err := arm.client(t).List(t.Context(), "/list", nil, func(item json.RawMessage) error {
		got = append(got, string(item))
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, []string{"1", "2", "3"}, got)
	require.Equal(t, "/next?page=2&%24skiptoken=%3c%3f+1!28!", arm.requests()[1].Target)
}

func TestAListThatDoesNotEndIsGivenUp(t *testing.T) {
	t.Parallel()
	var arm *azure
	arm = newAzure(t, func(w http.ResponseWriter, r *http.Request) {
		answers(200, `{"value":[],"nextLink":"`+arm.URL+`/same"}`)(w, r)
	})
	err := arm.client(t).List(t.Context(), "/list", nil, func(json.RawMessage) error { return nil })
	require.Equal(t, CodeTooManyPages, asError(t, err).Code)
}

func TestANextLinkOfAnotherHostIsNotFollowed(t *testing.T) {
	t.Parallel()
	for _, next := range []string{"https://evil.example/x", "//evil.example/x"} {
		arm := newAzure(t, answers(200, `{"value":[],"nextLink":"`+next+`"}`))
		err := arm.client(t).List(t.Context(), "/list", nil, func(json.RawMessage) error { return nil })
		require.Contains(t, []string{CodeUntrustedPollHost, CodeMalformedPollURL}, asError(t, err).Code)
		require.Len(t, arm.requests(), 1)
	}
}

func TestSomethingElseThanAListIsUnreadable(t *testing.T) {
	t.Parallel()
	for _, body := range []string{``, `{}`, `[]`, `{"value":{}}`, `{"value":[],"nextLink":5}`} {
		arm := newAzure(t, answers(200, body))
		err := arm.client(t).List(t.Context(), "/list", nil, func(json.RawMessage) error { return nil })
		require.Equal(t, CodeUnreadableAnswer, asError(t, err).Code, body)
	}
}

func FuzzNoStatusAnswerPanics(f *testing.F) {
	f.Add(200, `{"status":"Failed","error":{"details":[{"code":1}]},"properties":{"jobIds":[{}],"failedJobsError":{"a":[]}}}`, true)
	f.Add(200, `{"jobId":5,"properties":"x"}`, false)
	f.Add(202, `[]`, true)
	client, err := New(Config{Credential: tokens{}, Clock: testTime})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, status int, body string, fromStatus bool) {
		w := httptest.NewRecorder()
		w.Header().Set("Location", body)
		resp := w.Result()
		defer func() { require.NoError(t, resp.Body.Close()) }()
		resp.StatusCode = status
		p, err := client.read(newAnswer(http.MethodGet, resp, []byte(body), testTime), operation.Tracking{StatusURL: "a"}, fromStatus)
		if err == nil {
			require.NotEmpty(t, p.State)
			require.Equal(t, p.State == Failed || p.State == Canceled, p.Err != nil)
		}
	})
}
