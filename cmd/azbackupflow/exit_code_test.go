package main

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/cli"
	"azbackupflow/internal/client/clienttest"
	"azbackupflow/internal/operation"
)

func TestExitCode_ShowsTheResultOfAnOperation(t *testing.T) {
	t.Parallel()
	fatal := &operation.Error{Code: "PolicyNotFound", Message: "no such policy", Class: operation.Fatal, RecommendedAction: []string{"Name another one."}}
	for name, tc := range map[string]struct {
		answer         clienttest.Answer
		deadline       string
		cancel         bool
		code           int
		stdout, stderr string
	}{
		"succeeded":      {clienttest.Answer{Outcome: operation.Outcome{Kind: operation.Finish}}, "", false, 0, "Succeeded after ", ""},
		"with a warning": {clienttest.Answer{Outcome: operation.Outcome{Kind: operation.Finish, Warnings: []string{"some files were open"}}}, "", false, 0, "Warning: some files were open", ""},
		"failed":         {clienttest.Answer{Err: fatal}, "", false, 1, "Failed after ", "is Failed: PolicyNotFound: no such policy; what to do: Name another one."},
		"canceled":       {clienttest.Answer{}, "", true, 3, "Canceled after ", "is Canceled"},
		"timed out":      {clienttest.Answer{Outcome: operation.Outcome{Kind: operation.Wait, After: time.Hour}}, "PT1M", false, 4, "TimedOut after 1 min", "is TimedOut: DeadlinePassed"},
		"parked":         {clienttest.Answer{Outcome: operation.Outcome{Kind: operation.Unclear, Err: &operation.Error{Code: "BackupUnclear", Message: "whose job is it", Class: operation.UserAction}}}, "", false, 5, "Parked after ", "retry"},
	} {
		for _, command := range [][]string{{"wait"}, {"wait", "-o", "json"}, {"watch"}} {
			s := newShell(t)
			s.api.Script("check-policy", tc.answer)
			r := clienttest.Protect("one", "testshare")
			r.Deadline = tc.deadline
			v := s.start(r)
			if tc.cancel {
				s.succeeds("cancel", v.ID)
			}
			got := s.run(append(command, v.ID)...)
			require.Equal(t, tc.code, got.code, "%s: %s", name, got.stderr)
			require.Contains(t, got.stderr, tc.stderr, name)
			require.LessOrEqual(t, strings.Count(got.stderr, "\n"), 1, name)
			if len(command) == 1 && command[0] == "wait" {
				require.Contains(t, got.stdout, tc.stdout, name)
			}
		}
	}
}

func TestWait_EndsAtTimeout(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	v := s.start(clienttest.Protect("one", "testshare"))
	r := s.run("wait", v.ID, "--timeout", "0.0001ms")
	require.Equal(t, cli.ExitWaitTimeout, r.code)
	require.Equal(t, "azbackupflow: operation "+v.ID+" has not ended before --timeout; it continues: azbackupflow watch "+v.ID+"\n", r.stderr)
}

func TestInterrupt_ReportsThatOperationsContinue(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	v := s.start(clienttest.Protect("one", "testshare"))
	ctx, cancel := context.WithCancel(t.Context())
	s.change = func(w *environment) {
		w.sleep = func(ctx context.Context, d time.Duration) error {
			cancel()
			return s.api.Clock.Sleep(ctx, d)
		}
	}
	r := s.runWith(ctx, "wait", v.ID)
	require.Equal(t, cli.ExitInterrupted, r.code)
	require.Equal(t, "azbackupflow: interrupted; operations continue\n", r.stderr)
}

func TestExitCode_ReportsAnUnavailableAPI(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.api.Instead(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	for _, args := range [][]string{{"list"}, {"status", "id"}, {"wait", "id"}, {"flows"}, {"rejected", "list"}, {"cancel", "id"}, {"history", "id"}, {"watch", "id"}} {
		r := s.run(args...)
		require.Equal(t, cli.ExitUnavailable, r.code, args)
		require.Contains(t, r.stderr, "the app, or a proxy in front of it, responded before", args)
	}

	var listen net.ListenConfig
	closed, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	r := s.run("list", "--url", "http://"+closed.Addr().String())
	require.Equal(t, cli.ExitUnavailable, r.code)
	require.Contains(t, r.stderr, "connection refused")
}

func TestErrors_IncludeARemedy(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		args []string
		says string
	}{
		"no such operation":  {[]string{"status", "nope"}, "Operation not found (HTTP 404): load operation nope: operation not found; azbackupflow list shows the operations"},
		"no such command":    {[]string{"frobnicate"}, "azbackupflow --help"},
		"no such flag":       {[]string{"list", "--frobnicate"}, "--frobnicate is not a flag of this command; azbackupflow list --help"},
		"no such output":     {[]string{"list", "-o", "xml"}, `--output "xml" is not a valid value; use one of table, wide, json, yaml, jsonl, id`},
		"no command":         {nil, "azbackupflow --help"},
		"an invalid address": {[]string{"list", "--url", "nowhere"}, `"nowhere" is not the address of a Functions app; use one such as`},
		"an unencrypted key": {[]string{"list", "--url", "http://name.example", "--function-key", "key"}, "use https"},
		"an invalid time":    {[]string{"list", "--since", "yesterday"}, `--since "yesterday" is not a time; use a time such as`},
		"an invalid age":     {[]string{"rejected", "list", "--since=-3d"}, "is not a time"},
		"no limit":           {[]string{"list", "--limit", "0"}, "--limit 0 is too small; use at least 1"},
		"no limit either":    {[]string{"rejected", "list", "--limit", "0"}, "--limit 0 is too small; use at least 1"},
		"an invalid label":   {[]string{"list", "--label", "team"}, "is not NAME=VALUE"},
		"an invalid status":  {[]string{"list", "--status", "x"}, `"x" is not a status`},
		"an invalid speed":   {[]string{"local", "--speed", "0"}, "--speed 0 is too small; use a number above 0"},
		"no request":         {[]string{"demo", "-f", "nope.json"}, "run the command in the folder of the project"},
		"no examples":        {[]string{"demo", "--examples", t.TempDir()}, "set --examples"},
		"a broken request":   {[]string{"demo", "-f", file(t, "{")}, "is not JSON"},
	} {
		r := newShell(t).run(tc.args...)
		require.Equal(t, cli.ExitUsage, r.code, name)
		require.Contains(t, r.stderr, tc.says, name)
		require.Equal(t, 1, strings.Count(r.stderr, "\n"), name)
	}
}

func TestErrors_NameAMissingFunctionKey(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.api.Instead(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	r := s.run("list")
	require.Equal(t, cli.ExitUsage, r.code)
	require.Contains(t, r.stderr, "set a function key in AZBACKUPFLOW_FUNCTION_KEY, or set --sign-in")
}

func TestHelp_DocumentsExitCodes(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.golden("help", s.succeeds("--help"))
	s.golden("help-wait", s.succeeds("wait", "--help"))
	s.golden("help-start", s.succeeds("start", "--help"))
	s.golden("help-cancel", s.succeeds("cancel", "--help"))
	s.golden("help-rejected", s.succeeds("rejected", "--help"))
}

func TestFlags_ReadTheEnvironment(t *testing.T) {
	s := newShell(t)
	t.Parallel()
	set := map[string]string{"AZBACKUPFLOW_URL": s.api.URL, "AZBACKUPFLOW_FUNCTION_KEY": "secret"}
	var stdout, stderr buffer
	w := environment{stdout: &stdout, stderr: &stderr, lookup: func(name string) (string, bool) { v, ok := set[name]; return v, ok }, configDir: t.TempDir(), now: s.api.Clock.Now, sleep: s.api.Clock.Sleep}
	require.Zero(t, run(t.Context(), []string{"list"}, w), stderr.String())
	requests := s.api.Requests()
	require.Equal(t, "secret", requests[len(requests)-1].Header.Get("x-functions-key"))
	require.NotContains(t, s.succeeds("--help"), "secret")
}
