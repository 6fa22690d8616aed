package main

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli"
)

func (s *shell) schedule() api.Schedule {
	s.t.Helper()
	var list api.ScheduleList
	require.NoError(s.t, json.Unmarshal([]byte(s.succeeds("schedules", "list", "-o", "json")), &list))
	require.Len(s.t, list.Schedules, 1)
	return list.Schedules[0]
}

func TestSchedules_PauseAndResumeRecordTheReason(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	require.Equal(t, "Schedule nightly is paused.\n", s.succeeds("schedules", "pause", "nightly", "--reason", "maintenance"))
	paused := s.schedule()
	require.True(t, paused.Paused)
	require.Equal(t, "maintenance", paused.PauseReason)
	require.Contains(t, s.succeeds("schedules", "list"), "paused")
	require.Equal(t, "Schedule nightly is paused.\n", s.succeeds("schedules", "pause", "nightly"), "a second pause changes nothing")
	require.Equal(t, "maintenance", s.schedule().PauseReason)
	require.Contains(t, s.succeeds("schedules", "resume", "nightly"), "Schedule nightly is enabled; its next run is 2026-11-22 01:00:00 UTC.")
	require.False(t, s.schedule().Paused)
}

func TestSchedules_RunStartsTheOperationOnce(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	// The first response is lost, so the command repeats the call.
	var calls atomic.Int32
	s.change = func(e *environment) {
		e.http = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			res, err := http.DefaultTransport.RoundTrip(r)
			if strings.HasSuffix(r.URL.Path, "/run") && calls.Add(1) == 1 {
				return &http.Response{StatusCode: http.StatusBadGateway, Body: http.NoBody, Request: r}, nil
			}
			return res, err
		})}
		e.sleep = func(context.Context, time.Duration) error { return nil }
	}
	shown := s.succeeds("schedules", "run", "nightly", "--reason", "before the upgrade")
	require.Equal(t, int32(2), calls.Load())
	require.Contains(t, shown, "azbackupflow list --schedule nightly --label slot=run-made-up-key")
	var page api.OperationPage
	require.NoError(t, json.Unmarshal([]byte(s.succeeds("list", "--schedule", "nightly", "--label", "slot=run-made-up-key", "-o", "json")), &page))
	require.Len(t, page.Operations, 1)
	require.Equal(t, "before the upgrade", page.Operations[0].Reason)
	require.Equal(t, "run-made-up-key", s.schedule().LastRequested)

	s.succeeds("schedules", "run", "nightly", "--key", "upgrade-{date}")
	s.succeeds("schedules", "run", "nightly", "--key", "upgrade-{date}")
	require.Len(t, strings.Fields(s.succeeds("list", "--schedule", "nightly", "-o", "id")), 2, "a run with a key starts once")
}

func TestSchedules_NameWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	for _, x := range []struct {
		args []string
		says []string
	}{
		{[]string{"schedules", "run", "weekly"}, []string{`"weekly"`, "azbackupflow schedules list"}},
		{[]string{"schedules", "pause", "weekly"}, []string{`"weekly"`, "azbackupflow schedules list"}},
		{[]string{"schedules", "resume"}, []string{"<name> is missing", "azbackupflow schedules resume --help"}},
		{[]string{"schedules", "run", "nightly", "--key", "{week}"}, []string{"{week} is not a placeholder", "{date}"}},
		{[]string{"schedules", "run", "nightly", "--key", strings.Repeat("k", 300)}, []string{"run"}},
		{[]string{"schedules", "run", "nightly", "--reason", strings.Repeat("r", 501)}, []string{"reason", "500"}},
	} {
		r := s.run(x.args...)
		require.Equal(t, cli.ExitUsage, r.code, x.args)
		for _, want := range x.says {
			require.Contains(t, r.stderr, want, x.args)
		}
	}
	require.Empty(t, s.schedule().LastRequested)
}

func TestLimits_ShowExactTimesInAPipe(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	require.Contains(t, s.succeeds("limits"), "No limit of Azure is known yet")
	limitsScreen(s)
	shown := s.succeeds("limits")
	require.Contains(t, shown, "2026-11-21 03:20:00")
	require.Contains(t, shown, "f6xcxvhpm2jerhaxsrvbrhkzz2", "IDs are whole")
	var list api.LimitList
	require.NoError(t, json.Unmarshal([]byte(s.succeeds("limits", "-o", "json")), &list))
	require.Len(t, list.Limits, 3)
	require.Equal(t, 1, list.Limits[0].WaitingCount)
}

func TestSummary_CountsSinceATime(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	require.Contains(t, s.succeeds("summary"), "Operations   none")
	s.failed()
	require.Contains(t, s.succeeds("summary"), "Failed       1")
	s.api.Clock.Pass(48 * time.Hour)
	require.NotContains(t, s.succeeds("summary"), "Failed")
	require.Contains(t, s.succeeds("summary", "--since", "3d"), "Failed       1")
	r := s.run("summary", "--since", "yesterday")
	require.Equal(t, cli.ExitUsage, r.code)
	require.Contains(t, r.stderr, `--since "yesterday" is not a time`)
}
