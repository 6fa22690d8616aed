package main

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/client/clienttest"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/step"
)

func TestStatus_ShowsProgress(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.api.Backup()
	v := s.start(clienttest.Protect("one", "testshare"))
	s.api.Clock.Pass(5 * time.Second)
	s.golden("status-throttled", s.succeeds("status", v.ID))
	s.api.Clock.Pass(10 * time.Minute)
	s.golden("status-waiting", s.succeeds("status", v.ID))
	s.api.Clock.Pass(time.Hour)
	s.golden("status-succeeded", s.succeeds("status", v.ID))
}

func TestStatus_ShowsErrorAndRecommendedAction(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.api.Script("check-policy", clienttest.Answer{Err: &operation.Error{
		Code: "PolicyNotFound", Class: operation.Fatal, HTTPStatus: 404, CorrelationID: "dde57505-80d7-45f0-80c4-00829001b16d",
		Message:           "vault azurefilesvault or its policy schedule1 does not exist,\nor may not be read by the identity that azbackupflow runs as\x1b[2J",
		RecommendedAction: []string{"Check parameters.policy.", "Look at the vault's policies."},
	}})
	v := s.start(clienttest.Protect("one", "testshare"))
	s.api.Clock.Pass(time.Second)
	s.golden("status-failed", s.succeeds("status", v.ID))
	s.golden("history-failed", s.succeeds("history", v.ID))
}

func TestHistory_ShowsEveryStep(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.api.Backup()
	v := s.start(clienttest.Protect("one", "testshare"))
	s.api.Clock.Pass(time.Hour)
	s.golden("history", s.succeeds("history", v.ID))
}

func TestWatch_ShowsTimelineAndResult(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.api.Backup()
	v := s.start(clienttest.Protect("one", "testshare"))
	watched := s.succeeds("watch", v.ID)
	s.golden("watch", watched)
	for line := range strings.Lines(watched) {
		require.LessOrEqual(t, text.StringWidth(strings.TrimSuffix(line, "\n")), outputWidth)
	}
}

func TestWatch_ReportsAvailabilityOfTheAPI(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.api.Backup()
	v := s.start(clienttest.Protect("one", "testshare"))
	looks := 0
	s.api.Instead(func(w http.ResponseWriter, _ *http.Request) {
		if looks++; looks == 3 {
			s.api.Instead(nil)
		}
		w.WriteHeader(http.StatusBadGateway)
	})
	watched := s.succeeds("watch", v.ID)
	require.Contains(t, watched, "-- the API is unavailable, retrying: "+s.api.URL+": HTTP 502")
	require.Contains(t, watched, "-- the API is available again")
	require.Contains(t, watched, "Succeeded")
}

func TestWatch_WritesOneEventPerLineAsJSON(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.api.Backup()
	v := s.start(clienttest.Protect("one", "testshare"))
	var last operation.Event
	for line := range strings.Lines(s.succeeds("watch", v.ID, "-o", "json")) {
		require.NoError(t, json.Unmarshal([]byte(line), &last))
	}
	require.Equal(t, operation.Succeeded, last.Status)
}

func TestList_HasTheColumnsOfAz(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.golden("list-empty", s.succeeds("list"))
	s.api.Backup()
	s.start(clienttest.Protect("one", "testshare"))
	s.api.Clock.Pass(time.Hour)
	v := s.start(clienttest.Protect("two", "logs"))
	s.succeeds("pause", v.ID)
	s.api.Clock.Pass(90 * time.Second)
	s.golden("list", s.succeeds("list"))
	s.golden("list-limit", s.succeeds("list", "--limit", "1"))
}

func TestList_AppliesFilters(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.api.Backup()
	done := s.start(clienttest.Protect("one", "testshare"))
	s.api.Clock.Pass(3 * 24 * time.Hour)
	fresh := s.start(clienttest.Protect("two", "testshare"))
	s.succeeds("pause", fresh.ID)
	for _, tc := range []struct {
		filters []string
		want    []string
	}{
		{nil, []string{fresh.ID, done.ID}},
		{[]string{"--status", "succeeded,failed"}, []string{done.ID}},
		{[]string{"--status", "Pending", "--status", "Running"}, []string{fresh.ID}},
		{[]string{"--flow", "backup-now"}, nil},
		{[]string{"--label", "team=files"}, []string{fresh.ID, done.ID}},
		{[]string{"--label", "team=others"}, nil},
		{[]string{"--since", "2d"}, []string{fresh.ID}},
		{[]string{"--since", "80h"}, []string{fresh.ID, done.ID}},
		{[]string{"--until", "2026-11-22"}, []string{done.ID}},
		{[]string{"--until", "2026-11-21T03:00:00Z"}, nil},
	} {
		found := s.succeeds(append([]string{"list"}, tc.filters...)...)
		require.Equal(t, len(tc.want), strings.Count(found, "protect-file-share"), "%v: %s", tc.filters, found)
		for _, id := range tc.want {
			require.Contains(t, found, id)
		}
	}
}

func TestList_JoinsPages(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	pages := 0
	s.api.Instead(func(w http.ResponseWriter, r *http.Request) {
		pages++
		switch r.URL.Query().Get("continue") {
		case "": // an empty page is not always the last
			_, _ = w.Write([]byte(`{"operations":[],"continue":"a"}`))
		case "a":
			_, _ = w.Write([]byte(`{"operations":[{"id":"one"},{"id":"two"}],"continue":"b"}`))
		default:
			assert.Equal(t, "1", r.URL.Query().Get("pageSize"), "only as many as needed")
			_, _ = w.Write([]byte(`{"operations":[{"id":"three"}],"continue":"c"}`))
		}
	})
	found := s.succeeds("list", "--limit", "3")
	require.Equal(t, 3, pages)
	require.Contains(t, found, "three")
	require.Contains(t, found, "There are more")
}

func TestFlows_ListsFlows(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.golden("flows", s.succeeds("flows"))
}

func TestRejected_ShowsProblems(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.golden("rejected-none", s.succeeds("rejected", "list"))
	id := rejected.NewID(clienttest.Began(), "", "a", nil)
	require.NoError(t, s.api.Store.SaveRejected(t.Context(), rejected.Request{
		ID: id, At: clienttest.Began(), Source: "requests", MessageID: "m1", Key: "nightly", Flow: "protect-file-share", Reason: "invalid request: …",
		Fields: []step.FieldError{
			{Field: "parameters.vaultId", Problem: `"x" is not a resource id`, Want: "/subscriptions/{id}/resourceGroups/{group}/providers/Microsoft.RecoveryServices/vaults/{name}"},
			{Field: "parameters.policy", Problem: "is missing"},
		},
	}))
	require.NoError(t, s.api.Store.SaveRejected(t.Context(), rejected.Request{ID: rejected.NewID(clienttest.Began().Add(time.Hour), "", "b", nil), At: clienttest.Began().Add(time.Hour), Source: "steps", Reason: "is not JSON"}))
	s.golden("rejected-list", s.succeeds("rejected", "list"))
	require.Contains(t, s.succeeds("rejected", "list", "--limit", "1"), "There are more")
	require.NotContains(t, s.succeeds("rejected", "list", "--since", "2026-11-21T03:30:00Z"), "protect-file-share")
	s.golden("rejected-show", s.succeeds("rejected", "show", id))
}

func TestChange_PausesResumesRetriesAndCancels(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.api.Script("check-policy", clienttest.Answer{Err: &operation.Error{Code: "PolicyNotFound", Class: operation.Fatal}})
	v := s.start(clienttest.Protect("one", "testshare"))
	require.Equal(t, "Operation "+v.ID+" is Pending (paused).\n", s.succeeds("pause", v.ID))
	require.Equal(t, "Operation "+v.ID+" is Pending.\n", s.succeeds("resume", v.ID))
	s.api.Clock.Pass(time.Second)
	require.Equal(t, "Operation "+v.ID+" is Running.\n", s.succeeds("retry", v.ID))
	require.Equal(t, "Operation "+v.ID+" is Running (cancel requested).\n", s.succeeds("cancel", v.ID))
	s.api.Clock.Pass(time.Second)
	require.Equal(t, "Operation "+v.ID+" is Canceled.\n", s.succeeds("cancel", v.ID))
}

func TestOutput_IsTheJSONOfTheAPI(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.api.Backup()
	v := s.start(clienttest.Protect("one", "testshare"))
	s.api.Clock.Pass(time.Hour)
	require.NoError(t, s.api.Store.SaveRejected(t.Context(), rejected.Request{ID: rejected.NewID(clienttest.Began(), "", "a", nil), At: clienttest.Began(), Source: "requests", Reason: "<&>"}))
	for path, args := range map[string][]string{
		"/operations/" + v.ID:              {"status", v.ID},
		"/operations/" + v.ID + "?":        {"wait", v.ID},
		"/operations/" + v.ID + "/history": {"history", v.ID},
		"/operations":                      {"list"},
		"/flows":                           {"flows"},
		"/rejected":                        {"rejected", "list"},
	} {
		require.Equal(t, s.fetch(path), s.succeeds(append(args, "-o", "json")...), path)
	}
	require.Contains(t, s.succeeds("version", "-o", "json"), `"version"`)
	require.Contains(t, s.succeeds("version"), "azbackupflow ")
}

// fetch returns a response of the API.
func (s *shell) fetch(path string) string {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.api.URL+"/api"+path, nil)
	require.NoError(s.t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(s.t, err)
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	require.NoError(s.t, err)
	return string(raw)
}
