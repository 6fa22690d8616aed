package dashboard_test

import (
	"context"
	"encoding/json"
	"errors"
	"html"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/client"
	"azbackupflow/internal/dashboard"
)

// failingAPI fails each call that a form makes.
type failingAPI struct {
	dashboard.API
	err error
}

func (a failingAPI) Start(context.Context, api.Request) (api.Started, error) {
	return api.Started{}, a.err
}

func (a failingAPI) Validate(context.Context, api.Request) (api.Validation, error) {
	return api.Validation{}, a.err
}

func (a failingAPI) ValidateJSON(context.Context, json.RawMessage) (api.Validation, error) {
	return api.Validation{}, a.err
}

func (a failingAPI) ReplayRejected(context.Context, string, json.RawMessage, string) (api.Replayed, error) {
	return api.Replayed{}, a.err
}

func (a failingAPI) DeleteRejected(context.Context, string, string) error { return a.err }

// unreadableAPI cannot read rejected requests either.
type unreadableAPI struct{ failingAPI }

func (a unreadableAPI) GetRejected(context.Context, string) (api.RejectedRequest, error) {
	return api.RejectedRequest{}, a.err
}

// answered returns the error of a response with a problem.
func answered(status int, title string, retryAfter time.Duration) error {
	return &client.Problem{Problem: api.Problem{Title: title, Detail: "detail of " + title, Status: status}, RetryAfter: retryAfter}
}

// failures are errors of the API, with the status of the page and what it says.
func failures() map[string]struct {
	err    error
	status int
	says   []string
} {
	return map[string]struct {
		err    error
		status int
		says   []string
	}{
		"forbidden":   {answered(http.StatusForbidden, "denied", 0), http.StatusForbidden, []string{"Not allowed", "detail of denied", "Ask the owner of the app"}},
		"too large":   {answered(http.StatusRequestEntityTooLarge, "large", 0), http.StatusRequestEntityTooLarge, []string{"detail of large"}},
		"throttled":   {answered(http.StatusTooManyRequests, "many", 90*time.Second), http.StatusTooManyRequests, []string{"The app is not available now", "Try again in 1 min 30 s."}},
		"unavailable": {answered(http.StatusServiceUnavailable, "away", 5*time.Second), http.StatusServiceUnavailable, []string{"The app is not available now", "Try again in 5 s."}},
		"no app":      {&client.Unreachable{URL: "http://app", Err: errors.New("no server listens")}, http.StatusBadGateway, []string{"The app cannot be reached", "no server listens"}},
	}
}

func (s *site) failing(wrap func(dashboard.API) dashboard.API) *site {
	s.t.Helper()
	return newSite(s.t, func(c *dashboard.Config) { c.API = func(*http.Request) dashboard.API { return wrap(s.client) } })
}

func TestStart_KeepsTheFormAfterEachError(t *testing.T) {
	t.Parallel()
	base := newSite(t)
	for name, test := range failures() {
		s := base.failing(func(a dashboard.API) dashboard.API { return failingAPI{a, test.err} })
		for _, do := range []string{"start", "validate"} {
			answer, body := s.submit("start/protect-file-share", "start/protect-file-share", url.Values{"do": {do}, "p.fileShare": {"as typed"}})
			require.Equal(t, test.status, answer.status, name)
			require.Contains(t, body, `value="as typed"`, name)
			for _, want := range test.says {
				require.Contains(t, problem(body), want, name)
			}
			require.NotContains(t, body, "The app rejected this", name)
		}
	}
}

func TestRejected_KeepsWhatWasWrittenAfterEachError(t *testing.T) {
	t.Parallel()
	base := newSite(t)
	path := base.reject(`{"flow":"protect-file-share"}`)
	written := url.Values{"body": {`{"flow":"protect-file-share","key":"as typed"}`}, "reason": {"my reason"}}
	for name, test := range failures() {
		for readable, s := range map[bool]*site{
			true:  base.failing(func(a dashboard.API) dashboard.API { return failingAPI{a, test.err} }),
			false: base.failing(func(a dashboard.API) dashboard.API { return unreadableAPI{failingAPI{a, test.err}} }),
		} {
			for _, action := range []string{"validate", "replay", "delete"} {
				answer, body := s.submit("start/backup-now", path+"/"+action, written)
				require.Equal(t, test.status, answer.status, "%s %s %t", name, action, readable)
				require.Contains(t, body, "as typed", "%s %s", name, action)
				require.Contains(t, body, `value="my reason"`, "%s %s", name, action)
				for _, want := range test.says {
					require.Contains(t, problem(body), want, "%s %s", name, action)
				}
				require.Contains(t, s.forms(path+"/"+action, body), "/"+path+"/replay", "%s %s", name, action)
			}
		}
	}
}

func TestRejected_KeepsWhatWasWrittenIfItIsWrong(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	path := s.reject(`{}`)
	for _, action := range []string{"validate", "replay"} {
		for _, wrong := range []string{"{ not JSON", `{"flow":"nonsense"}`} {
			_, body := s.submit(path, path+"/"+action, url.Values{"body": {wrong}, "reason": {"my reason"}})
			require.NotEmpty(t, problem(body), action)
			require.Contains(t, body, `value="my reason"`, action)
			require.Contains(t, html.UnescapeString(body), wrong, action)
			require.Contains(t, body, "invalid request", "%s: the page still shows why it was rejected", action)
		}
	}
}

func TestErrors_SayThatTheAppIsNotAvailable(t *testing.T) {
	t.Parallel()
	base := newSite(t)
	for _, name := range []string{"throttled", "unavailable", "no app"} {
		test := failures()[name]
		s := base.failing(func(a dashboard.API) dashboard.API { return unreadableAPI{failingAPI{a, test.err}} })
		status, body := s.get("rejected/r1")
		require.Equal(t, test.status, status, name)
		for _, want := range test.says {
			require.Contains(t, body, want, name)
		}
	}
}

// A field that occurs twice is why a request was rejected, so the page must not drop it.
func TestRejected_BodyIsShownAsItArrived(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	body := s.page(s.reject(`{"key":"first","key":"second","number":12345678901234567890}`))
	for _, want := range []string{"first", "second", "12345678901234567890"} {
		require.Contains(t, body, want)
	}
}
