package main

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/client/clienttest"
	"azbackupflow/internal/operation"
)

func TestExitCodeOfWaitSaysHowTheOperationEnded(t *testing.T) {
	t.Parallel()
	fatal := &operation.Error{Code: "PolicyNotFound", Message: "no such policy", Class: operation.Fatal, RecommendedAction: []string{"Name another one."}}
	for name, tc := range map[string]struct {
		answer     clienttest.Answer
		deadline   string
		cancel     bool
		code       int
		says, told string
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
			v := s.begins(r)
			if tc.cancel {
				s.succeeds("cancel", v.ID)
			}
			got := s.run(append(command, v.ID)...)
			require.Equal(t, tc.code, got.code, "%s: %s", name, got.stderr)
			require.Contains(t, got.stderr, tc.told, name)
			require.LessOrEqual(t, strings.Count(got.stderr, "\n"), 1, name)
			if len(command) == 1 && command[0] == "wait" {
				require.Contains(t, got.stdout, tc.says, name)
			}
		}
	}
}

func TestWaitIsCutByItsTimeout(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	v := s.begins(clienttest.Protect("one", "testshare"))
	r := s.run("wait", v.ID, "--timeout", "1ns")
	require.Equal(t, exitCut, r.code)
	require.Equal(t, "azbackupflow: operation "+v.ID+" has not ended yet; it goes on: azbackupflow watch "+v.ID+"\n", r.stderr)
}

func TestInterruptedCommandSaysThatOperationsGoOn(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	v := s.begins(clienttest.Protect("one", "testshare"))
	ctx, cancel := context.WithCancel(t.Context())
	s.change = func(w *world) {
		w.sleep = func(ctx context.Context, d time.Duration) error {
			cancel()
			return s.api.Clock.Sleep(ctx, d)
		}
	}
	r := s.runWith(ctx, "wait", v.ID)
	require.Equal(t, exitInterrupted, r.code)
	require.Equal(t, "azbackupflow: interrupted; operations go on\n", r.stderr)
}

func TestAPIOutOfReachHasAnExitCodeOfItsOwn(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.api.Instead(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	for _, args := range [][]string{{"list"}, {"status", "id"}, {"wait", "id"}, {"flows"}, {"refused"}, {"cancel", "id"}, {"history", "id"}, {"watch", "id"}} {
		r := s.run(args...)
		require.Equal(t, exitAway, r.code, args)
		require.Contains(t, r.stderr, "is the local stack up", args)
	}

	var listen net.ListenConfig
	closed, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	r := s.run("list", "--url", "http://"+closed.Addr().String())
	require.Equal(t, exitAway, r.code)
	require.Contains(t, r.stderr, "connection refused")
}

func TestErrorsSayWhatToDo(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		args []string
		says string
	}{
		"no such operation": {[]string{"status", "nope"}, "Operation not found (HTTP 404): load operation nope: operation not found; azbackupflow list shows the operations"},
		"no such command":   {[]string{"frobnicate"}, "see azbackupflow --help"},
		"no such flag":      {[]string{"list", "--frobnicate"}, "see azbackupflow --help"},
		"no such output":    {[]string{"list", "-o", "yaml"}, `must be one of "table","json"`},
		"no command":        {nil, "see azbackupflow --help"},
		"a wrong address":   {[]string{"list", "--url", "nowhere"}, `"nowhere" is not the address of a Functions app; use one such as`},
		"an open wire":      {[]string{"list", "--url", "http://name.example", "--function-key", "key"}, "use https"},
		"a wrong time":      {[]string{"list", "--since", "yesterday"}, `--since "yesterday" is not a time; want one such as`},
		"a wrong time too":  {[]string{"refused", "--since=-3d"}, "is not a time"},
		"no limit":          {[]string{"list", "--limit", "0"}, "--limit wants at least 1"},
		"no limit either":   {[]string{"refused", "--limit", "0"}, "--limit wants at least 1"},
		"a wrong label":     {[]string{"list", "--label", "team"}, "is not NAME=VALUE"},
		"a wrong status":    {[]string{"list", "--status", "x"}, `"x" is not a status`},
		"a wrong speed":     {[]string{"local", "--speed", "0"}, "--speed wants a number above 0"},
		"no request":        {[]string{"demo", "-f", "nope.json"}, "run it in the project's folder"},
		"a broken request":  {[]string{"demo", "-f", file(t, "{")}, "is not JSON"},
	} {
		r := newShell(t).run(tc.args...)
		require.Equal(t, exitUsage, r.code, name)
		require.Contains(t, r.stderr, tc.says, name)
		require.Equal(t, 1, strings.Count(r.stderr, "\n"), name)
	}
}

func TestMissingFunctionKeyIsNamed(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.api.Instead(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	r := s.run("list")
	require.Equal(t, exitUsage, r.code)
	require.Contains(t, r.stderr, "give a key with --function-key or AZBACKUPFLOW_FUNCTION_KEY")
}

func TestHelpDocumentsTheExitCodes(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.golden("help", s.succeeds("--help"))
	s.golden("help-wait", s.succeeds("wait", "--help"))
	s.golden("help-start", s.succeeds("start", "--help"))
}

func TestAddressAndKeyMayComeFromTheEnvironment(t *testing.T) {
	s := newShell(t)
	t.Setenv("AZBACKUPFLOW_URL", s.api.URL)
	t.Setenv("AZBACKUPFLOW_FUNCTION_KEY", "secret")
	var stdout, stderr buffer
	w := world{stdout: &stdout, stderr: &stderr, lookup: func(string) (string, bool) { return "", false }, now: s.api.Clock.Now, sleep: s.api.Clock.Sleep}
	require.Zero(t, run(t.Context(), []string{"list"}, w), stderr.String())
	requests := s.api.Requests()
	require.Equal(t, "secret", requests[len(requests)-1].Header.Get("x-functions-key"))
	require.NotContains(t, s.succeeds("--help"), "secret")
}
