package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/client"
	"azbackupflow/internal/client/clienttest"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/rejected"
)

// connect returns a client of the API.
func connect(t *testing.T, a *clienttest.API, change ...func(*client.Config)) *client.Client {
	t.Helper()
	cfg := client.Config{URL: a.URL, Now: a.Clock.Now, Sleep: a.Clock.Sleep}
	for _, c := range change {
		c(&cfg)
	}
	c, err := client.New(cfg)
	require.NoError(t, err)
	return c
}

func TestClient_StartsReadsAndListsOperations(t *testing.T) {
	t.Parallel()
	a := clienttest.Start(t)
	c := connect(t, a)

	started, err := c.Start(t.Context(), clienttest.Protect("one", "testshare"))
	require.NoError(t, err)
	require.Equal(t, api.Pending, started.Status)
	require.Equal(t, "one", started.Key)

	again, err := c.Start(t.Context(), clienttest.Protect("one", "testshare"))
	require.NoError(t, err)
	require.Equal(t, started.ID, again.ID, "the same key is the same operation")

	got, err := c.Get(t.Context(), started.ID)
	require.NoError(t, err)
	require.Contains(t, got.Steps, "check-policy")
	require.Equal(t, started.Operation, got)
	require.True(t, started.Created)

	a.Clock.Pass(0)
	history, err := c.History(t.Context(), started.ID)
	require.NoError(t, err)
	require.Equal(t, "accepted", history.Events[0].What)
	require.Greater(t, len(history.Events), 1)

	list, err := c.List(t.Context(), api.OperationQuery{})
	require.NoError(t, err)
	require.Len(t, list.Operations, 1)
	require.Empty(t, list.Continue)
}

func TestList_FiltersAndPages(t *testing.T) {
	t.Parallel()
	a := clienttest.Start(t)
	c := connect(t, a)
	var ids []string
	for _, key := range []string{"a", "b", "c"} {
		v, err := c.Start(t.Context(), clienttest.Protect(key, "testshare"))
		require.NoError(t, err)
		ids = append(ids, v.ID)
		a.Clock.Pass(time.Second + time.Nanosecond)
	}
	list := func(q api.OperationQuery) (found []string, next string) {
		page, err := c.List(t.Context(), q)
		require.NoError(t, err)
		for _, v := range page.Operations {
			found = append(found, v.ID)
		}
		return found, page.Continue
	}

	first, next := list(api.OperationQuery{PageSize: 2})
	require.Equal(t, []string{ids[2], ids[1]}, first)
	rest, next := list(api.OperationQuery{PageSize: 2, Continue: next})
	require.Equal(t, []string{ids[0]}, rest)
	require.Empty(t, next)

	for name, tc := range map[string]struct {
		query api.OperationQuery
		want  []string
	}{
		"by status":                {api.OperationQuery{Status: []api.Status{api.Failed, api.Parked}}, nil},
		"by several statuses":      {api.OperationQuery{Status: []api.Status{api.Running, api.Succeeded}}, []string{ids[2], ids[1], ids[0]}},
		"by flow":                  {api.OperationQuery{Flow: "backup-now"}, nil},
		"by label":                 {api.OperationQuery{Labels: []api.Label{{Key: "team", Value: "files"}}, PageSize: 1}, []string{ids[2]}},
		"since, to the nanosecond": {api.OperationQuery{Since: clienttest.Began().Add(time.Second + time.Nanosecond)}, []string{ids[2], ids[1]}},
		"until, to the nanosecond": {api.OperationQuery{Until: clienttest.Began().Add(time.Second + time.Nanosecond)}, []string{ids[0]}},
	} {
		found, _ := list(tc.query)
		require.Equal(t, tc.want, found, name)
	}
}

func TestClient_PausesResumesCancelsAndRetries(t *testing.T) {
	t.Parallel()
	a := clienttest.Start(t)
	c := connect(t, a)
	a.Script("check-policy", clienttest.Answer{Err: &operation.Error{Code: "PolicyNotFound", Message: "no such policy", Class: operation.Fatal}})
	v, err := c.Start(t.Context(), clienttest.Protect("one", "testshare"))
	require.NoError(t, err)

	paused, err := c.Pause(t.Context(), v.ID, "")
	require.NoError(t, err)
	require.True(t, paused.Paused)
	resumed, err := c.Resume(t.Context(), v.ID, "")
	require.NoError(t, err)
	require.False(t, resumed.Paused)

	a.Clock.Pass(0)
	failed, err := c.Get(t.Context(), v.ID)
	require.NoError(t, err)
	require.Equal(t, api.Failed, failed.Status)
	require.Equal(t, "PolicyNotFound", failed.Error.Code)

	retried, err := c.Retry(t.Context(), v.ID, "")
	require.NoError(t, err)
	require.Equal(t, api.Running, retried.Status)
	canceled, err := c.Cancel(t.Context(), v.ID, "")
	require.NoError(t, err)
	require.True(t, canceled.CancelRequested)
}

func TestDryRun_ReturnsThePlanAndStartsNothing(t *testing.T) {
	t.Parallel()
	a := clienttest.Start(t)
	c := connect(t, a)
	plan, err := c.DryRun(t.Context(), clienttest.Protect("one", "testshare"))
	require.NoError(t, err)
	require.True(t, plan.Valid)
	require.Equal(t, "check-policy", plan.Steps[0])
	list, err := c.List(t.Context(), api.OperationQuery{})
	require.NoError(t, err)
	require.Empty(t, list.Operations)
}

func TestClient_ListsFlowsAndRejectedRequests(t *testing.T) {
	t.Parallel()
	a := clienttest.Start(t)
	c := connect(t, a)
	flows, err := c.Flows(t.Context())
	require.NoError(t, err)
	require.Equal(t, "protect-file-share", flows.Flows[0].Name)

	for i, id := range []string{"a", "b"} {
		require.NoError(t, a.Store.SaveRejected(t.Context(), rejected.Request{ID: rejected.NewID(clienttest.Began().Add(time.Duration(i)*time.Hour), "", id, nil), MessageID: id, At: clienttest.Began().Add(time.Duration(i) * time.Hour), Source: "requests", Reason: "invalid request"}))
	}
	page, err := c.ListRejected(t.Context(), api.RejectedQuery{PageSize: 1})
	require.NoError(t, err)
	require.Equal(t, "b", page.Rejected[0].MessageID)
	page, err = c.ListRejected(t.Context(), api.RejectedQuery{PageSize: 1, Continue: page.Continue})
	require.NoError(t, err)
	require.Equal(t, "a", page.Rejected[0].MessageID)
	page, err = c.ListRejected(t.Context(), api.RejectedQuery{Since: clienttest.Began().Add(time.Minute)})
	require.NoError(t, err)
	require.Len(t, page.Rejected, 1)
}

func TestClient_ReturnsProblemsOfTheAPI(t *testing.T) {
	t.Parallel()
	a := clienttest.Start(t)
	c := connect(t, a)
	v, err := c.Start(t.Context(), clienttest.Protect("one", "testshare"))
	require.NoError(t, err)
	failing := func(_ any, err error) error { return err }

	for name, tc := range map[string]struct {
		err    error
		status int
		kind   string
	}{
		"no such operation":  {failing(c.Get(t.Context(), "nope")), http.StatusNotFound, "urn:azbackupflow:problem:operation-not-found"},
		"no history":         {failing(c.History(t.Context(), "nope")), http.StatusNotFound, "urn:azbackupflow:problem:operation-not-found"},
		"an id with a slash": {failing(c.Get(t.Context(), "a/b?c")), http.StatusNotFound, "urn:azbackupflow:problem:operation-not-found"},
		"key conflict":       {failing(c.Start(t.Context(), clienttest.Protect("one", "other"))), http.StatusConflict, "urn:azbackupflow:problem:key-conflict"},
		"not retriable":      {failing(c.Retry(t.Context(), v.ID, "")), http.StatusConflict, "urn:azbackupflow:problem:not-retriable"},
		"no such flow":       {failing(c.Start(t.Context(), api.Request{Flow: "x", Parameters: json.RawMessage("{}")})), http.StatusBadRequest, "urn:azbackupflow:problem:invalid-request"},
		"no such status":     {failing(c.List(t.Context(), api.OperationQuery{Status: []api.Status{"x"}})), http.StatusBadRequest, "urn:azbackupflow:problem:invalid-request"},
	} {
		var problem *client.Problem
		require.ErrorAs(t, tc.err, &problem, name)
		require.Equal(t, tc.status, problem.Status, name)
		require.Equal(t, tc.kind, problem.Type, name)
		require.NotContains(t, problem.Error(), "\n", name)
		require.False(t, client.IsUnavailable(tc.err), name)
	}
}

func TestIsUnavailable_SeparatesOutagesFromProblems(t *testing.T) {
	t.Parallel()
	text := func(status int, kind, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.Header().Set("Location", "https://elsewhere.example/")
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	for name, tc := range map[string]struct {
		answer      http.HandlerFunc
		unavailable bool
		says        string
	}{
		"a page instead of JSON":       {text(200, "text/html", "<html>"), true, "a body that is not azbackupflow's JSON"},
		"another app":                  {text(404, "text/html", "<html>"), true, "azbackupflow's API not found"},
		"a gateway without an app":     {text(502, "text/html", "Bad\n\tGateway\x1b[31m"), true, "HTTP 502 Bad Gateway [31m"},
		"too many requests":            {text(429, "", ""), true, "HTTP 429"},
		"a redirect":                   {text(301, "", ""), true, "redirects to https://elsewhere.example/; use that address"},
		"storage unavailable":          {text(503, "application/problem+json", `{"title":"storage unavailable"}`), true, "storage unavailable (HTTP 503)"},
		"a wrong key":                  {text(401, "", ""), false, "denied the call (HTTP 401)"},
		"a body that the host rejects": {text(413, "text/plain", "too large"), false, "too large"},
		"a problem that is not JSON":   {text(400, "application/problem+json", "{"), false, "Bad Request (HTTP 400)"},
		"a connection that breaks":     {func(w http.ResponseWriter, _ *http.Request) { hangUp(w) }, true, "the connection broke before the response was complete"},
		"a truncated response": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "99")
			_, _ = w.Write([]byte("{"))
		}, true, "the connection broke before the response was complete"},
	} {
		a := clienttest.Start(t)
		a.Instead(tc.answer)
		_, err := connect(t, a).Get(t.Context(), "id")
		require.ErrorContains(t, err, tc.says, name)
		require.Equal(t, tc.unavailable, client.IsUnavailable(err), name)
	}
}

func hangUp(w http.ResponseWriter) {
	if h, ok := w.(http.Hijacker); ok {
		if conn, _, err := h.Hijack(); err == nil {
			_ = conn.Close()
		}
	}
}

func TestClient_ReturnsTheCauseOfACanceledContext(t *testing.T) {
	t.Parallel()
	a := clienttest.Start(t)
	why := errors.New("why")
	ctx, cancel := context.WithCancelCause(t.Context())
	a.Instead(func(w http.ResponseWriter, _ *http.Request) {
		cancel(why)
		hangUp(w)
	})
	_, err := connect(t, a).Get(ctx, "id")
	require.ErrorIs(t, err, why)
	require.False(t, client.IsUnavailable(err))
}

func TestClient_SendsTheFunctionKeyToTheAppOnly(t *testing.T) {
	t.Parallel()
	a := clienttest.Start(t)
	c := connect(t, a, func(cfg *client.Config) { cfg.FunctionKey = "secret" })
	_, err := c.Flows(t.Context())
	require.NoError(t, err)
	require.Equal(t, "secret", a.Requests()[0].Header.Get("x-functions-key"))

	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the key went to another server") }))
	defer other.Close()
	a.Instead(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect).ServeHTTP)
	_, err = c.Flows(t.Context())
	require.True(t, client.IsUnavailable(err))
}

func TestNew_ChecksTheAddress(t *testing.T) {
	t.Parallel()
	build := func(url, key string) (*client.Client, error) {
		return client.New(client.Config{URL: url, FunctionKey: key, Now: time.Now, Sleep: func(context.Context, time.Duration) error { return nil }})
	}
	for given, want := range map[string]string{
		"https://name.azurewebsites.net":      "https://name.azurewebsites.net",
		"https://name.azurewebsites.net/":     "https://name.azurewebsites.net",
		"https://name.azurewebsites.net/api/": "https://name.azurewebsites.net",
		"http://127.0.0.1:7071":               "http://127.0.0.1:7071",
		"http://[::1]:7071":                   "http://[::1]:7071",
		"http://localhost:7071":               "http://localhost:7071",
	} {
		c, err := build(given, "key")
		require.NoError(t, err, given)
		require.Equal(t, want, c.URL())
	}
	for _, given := range []string{"", "name.azurewebsites.net", "ftp://name", "https://", "https://user:pw@name", "https://name?code=x", "://", "http://name.azurewebsites.net"} {
		_, err := build(given, "key")
		require.Error(t, err, given)
	}
	_, err := build("http://gateway.internal", "")
	require.NoError(t, err, "without a key http is allowed")
	_, err = client.New(client.Config{URL: "https://name.azurewebsites.net"})
	require.ErrorContains(t, err, "clock")
}
