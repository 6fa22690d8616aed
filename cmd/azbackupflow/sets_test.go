package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli"
	"azbackupflow/internal/client/clienttest"
	"azbackupflow/internal/operation"
)

// failing makes the next n operations fail in their first step.
func (s *shell) failing(n int) {
	for range n {
		s.api.Script("check-policy", clienttest.Answer{Err: &operation.Error{Code: "StorageUnavailable", Message: "the storage account does not respond", Class: operation.Fatal}})
	}
}

// bulkFile returns a bulk of n file shares, half of which belong to a second vault.
func bulkFile(n int) string {
	var targets []string
	for i := range n {
		vault := clienttest.Vault
		if i%2 == 1 {
			vault += "-two"
		}
		targets = append(targets, fmt.Sprintf(`{"fileShare":"share-%04d","vaultId":%q}`, i, vault))
	}
	return `{"template":{"flow":"protect-file-share","labels":{"team":"files"},"parameters":` + parametersOfTestshare + `},"targets":[` + strings.Join(targets, ",") + `]}`
}

func (s *shell) bulkStatus(key string) (status api.BulkStatus) {
	s.t.Helper()
	require.NoError(s.t, json.Unmarshal([]byte(s.succeeds("bulk", "status", key, "-o", "json")), &status))
	return status
}

// A bulk of 1,000 is started, half of it is canceled by a filter, the others are
// watched, the failed ones are retried and waited for, and the bulk is shown.
func TestBulk_OfAThousandTakesSixCommands(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	const n, failed, key = 1000, 30, "nightly-2026-11-21"
	s.failing(failed)
	for range n { // the others wait for Azure
		s.api.Script("register", clienttest.Answer{Outcome: operation.Outcome{Kind: operation.Advance, After: 2 * time.Minute, Note: "registered"}})
	}
	s.stdin = bulkFile(n)
	require.Contains(t, s.succeeds("bulk", "-f", "-", "--key", "nightly-{date}"), "Started: 1000, with key "+key)
	s.stdin = ""
	s.api.Clock.Pass(2 * time.Second)
	running := s.bulkStatus(key)
	require.Equal(t, failed, running.Status[api.Failed])
	require.Equal(t, n-failed, running.Status[api.Running])

	// The targets start in any order, so any may be among those that failed.
	failedOfTwo := len(strings.Fields(s.succeeds("list", "--bulk", key, "--vault", "azurefilesvault-two", "--errors", "--limit", "1000", "-o", "id")))
	ofTwo := n/2 - failedOfTwo
	canceled := s.succeeds("cancel", "--bulk", key, "--vault", "azurefilesvault-two", "--yes", "--reason", "maintenance of vault two")
	require.Equal(t, fmt.Sprintf("Cancel requested: %d of %d.\n", ofTwo, ofTwo), canceled)

	watched := s.run("watch", "--bulk", key)
	require.Equal(t, cli.ExitFailed, watched.code)
	require.Contains(t, watched.stdout, fmt.Sprintf("1000 operations: %d Succeeded, %d Failed, %d Canceled", n-failed-ofTwo, failed, ofTwo))
	require.Contains(t, watched.stdout, "StorageUnavailable")
	require.Contains(t, watched.stderr, "did not succeed")

	require.Equal(t, fmt.Sprintf("Retried: %d of %d.\n", failed, failed), s.succeeds("retry", "--bulk", key, "--yes"))
	waited := s.run("wait", "--bulk", key, "--timeout", "1h")
	require.Equal(t, cli.ExitCanceled, waited.code, "all others succeeded")
	require.Equal(t, fmt.Sprintf("1000 operations: %d Succeeded, %d Canceled\n", n-ofTwo, ofTwo), waited.stdout)

	final := s.bulkStatus(key)
	require.True(t, final.Done)
	require.Zero(t, final.Status[api.Failed])
	require.Empty(t, final.Problems)
}

func TestChange_ByFilterAsksFirst(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	for i := range 3 {
		s.start(clienttest.Protect(fmt.Sprint(i), "testshare"))
	}
	r := s.run("cancel", "--label", "team=files")
	require.Equal(t, cli.ExitUsage, r.code)
	require.Contains(t, r.stderr, "Cancel 3 operations (3 protect-file-share)? The command needs a confirmation, and standard input is not a terminal; add --yes")

	terminal := func(answer string) {
		s.stdin = answer
		s.change = func(e *environment) { e.stdinTerminal = true }
	}
	terminal("no\n")
	r = s.run("cancel", "--label", "team=files")
	require.Equal(t, cli.ExitUsage, r.code)
	require.Contains(t, r.stderr, "nothing was changed")
	terminal("")
	require.Equal(t, cli.ExitUsage, s.run("cancel", "--label", "team=files").code, "the end of the input is a no")
	require.NotContains(t, s.succeeds("list"), "cancel requested")

	terminal("yes\n")
	r = s.run("cancel", "--label", "team=files")
	require.Zero(t, r.code, r.stderr)
	require.Equal(t, "Cancel requested: 3 of 3.\n", r.stdout)
	require.Equal(t, "No operation that matches can be changed.\n", s.succeeds("retry", "--label", "team=files", "--yes"))
	require.Equal(t, "No operation that matches can be changed.\n", s.succeeds("cancel", "--label", "team=others", "--yes"))
}

func TestChange_TakesSeveralIDs(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	a, b := s.start(clienttest.Protect("1", "one")), s.start(clienttest.Protect("2", "two"))
	require.Equal(t, "Paused: 2 of 2.\n", s.succeeds("pause", a.ID[:8], b.ID, a.ID))
	require.Equal(t, "Resumed: 2 of 2.\n", s.succeeds("resume", "--label", "team=files", "-y"))
	r := s.run("pause", a.ID, "nothing", "-o", "json")
	require.Equal(t, cli.ExitUsage, r.code)
	require.Contains(t, r.stderr, "1 of 2 operations were not changed; the first: Operation not found")
	var result changed
	require.NoError(t, json.Unmarshal([]byte(r.stdout), &result))
	require.Len(t, result.Operations, 1)
	require.Equal(t, "nothing", result.Failed[0].ID)
}

func TestChange_TriesAgainWhileTheAPIIsUnavailable(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.failing(1)
	v := s.start(clienttest.Protect("1", "one"))
	s.api.Clock.Pass(time.Second)
	// The app retries the operation, but its response is lost.
	var calls atomic.Int32
	s.change = func(e *environment) {
		e.http = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			res, err := http.DefaultTransport.RoundTrip(r)
			if strings.HasSuffix(r.URL.Path, "/retry") && calls.Add(1) == 1 {
				return &http.Response{StatusCode: http.StatusBadGateway, Body: http.NoBody, Request: r}, nil
			}
			return res, err
		})}
		e.sleep = func(context.Context, time.Duration) error { return nil } // the operation stays as it is
	}
	require.Contains(t, s.succeeds("retry", v.ID), "Operation "+v.ID+" is ")
	require.Equal(t, int32(2), calls.Load())
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestPause_OfAnEndedOperationIsAnError(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.api.Backup()
	v := s.start(clienttest.Protect("1", "one"))
	s.api.Clock.Pass(time.Hour)
	for _, command := range []string{"pause", "resume"} {
		r := s.run(command, v.ID)
		require.Equal(t, cli.ExitUsage, r.code, command)
		require.Contains(t, r.stderr, "ended", command)
		require.Empty(t, r.stdout)
	}
}

func TestID_MayBeABeginningOrLast(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	r := s.run("status", "--last")
	require.Contains(t, r.stderr, "--last finds no operation")
	first := s.start(clienttest.Protect("1", "one"))
	s.api.Clock.Pass(time.Minute)
	second := s.start(clienttest.Protect("2", "two"))
	for _, command := range []string{"status", "history", "describe"} {
		require.NotEmpty(t, s.succeeds(command, first.ID[:6]), command)
		require.NotEmpty(t, s.succeeds(command, "--last"), command)
	}
	require.Contains(t, s.succeeds("status", "--last"), second.ID)
	require.Contains(t, s.succeeds("status", strings.ToUpper(first.ID[:6])), first.ID)
	for _, x := range []struct {
		args []string
		says string
	}{
		{[]string{"status"}, "the operation is missing; add an ID, or --last"},
		{[]string{"status", first.ID, "--last"}, "an ID and --last exclude each other"},
		{[]string{"cancel"}, "the operation is missing; add an ID, --last, or a filter"},
		{[]string{"cancel", first.ID, "--flow", "backup-now"}, "IDs and filters exclude each other"},
		{[]string{"wait"}, "the operation is missing; add an ID, --last, --bulk KEY, or a filter"},
		{[]string{"wait", "--label", "team=nobody"}, "no operation matches the filter"},
	} {
		r := s.run(x.args...)
		require.Equal(t, cli.ExitUsage, r.code, x.args)
		require.Contains(t, r.stderr, x.says, x.args)
	}
	// Of many operations, some begin with the same letter.
	for i := range 40 {
		s.start(clienttest.Protect(fmt.Sprintf("more-%d", i), "more"))
	}
	several := false
	for _, letter := range strings.Split("abcdefghijklmnopqrstuvwxyz234567", "") {
		r := s.run("status", letter)
		several = several || strings.Contains(r.stderr, "several operations begin with") && strings.Contains(r.stderr, "use more of the ID: ")
	}
	require.True(t, several)
}

func TestWait_TakesSeveralOperations(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.failing(1)
	a := s.start(clienttest.Protect("1", "one"))
	s.api.Clock.Pass(time.Second)
	b, c := s.start(clienttest.Protect("2", "two")), s.start(clienttest.Protect("3", "three"))

	r := s.run("wait", b.ID, c.ID[:8])
	require.Zero(t, r.code, r.stderr)
	require.Equal(t, "2 operations: 2 Succeeded\n", r.stdout)

	r = s.run("wait", "--label", "team=files")
	require.Equal(t, cli.ExitFailed, r.code)
	require.Contains(t, r.stdout, "3 operations: 2 Succeeded, 1 Failed")
	require.Contains(t, r.stdout, a.ID)
	require.Contains(t, r.stderr, "1 of 3 operations did not succeed; azbackupflow list --errors")

	d := s.start(clienttest.Protect("4", "four"))
	s.succeeds("pause", d.ID)
	r = s.run("wait", b.ID, d.ID, "--timeout", "0.0001ms")
	require.Equal(t, cli.ExitWaitTimeout, r.code)
	s.succeeds("cancel", d.ID)
	s.succeeds("resume", d.ID)
	require.Equal(t, cli.ExitCanceled, s.run("wait", b.ID, d.ID).code, "the only status of those that did not succeed")

	var page api.OperationPage
	require.NoError(t, json.Unmarshal([]byte(s.succeeds("wait", b.ID, c.ID, "-o", "json")), &page))
	require.Len(t, page.Operations, 2)
}

func TestCancel_OfAnEndedOperationSaysSo(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.api.Backup()
	v := s.start(clienttest.Protect("1", "one"))
	s.api.Clock.Pass(time.Hour)
	require.Equal(t, "Operation "+v.ID+" had ended as Succeeded; nothing was canceled.\n", s.succeeds("cancel", v.ID))
}

func TestWait_OutlastsAnOutageOfMinutes(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		outage time.Duration
		code   int
	}{"of a minute": {time.Minute, cli.ExitDone}, "of ten minutes": {10 * time.Minute, cli.ExitUnavailable}} {
		s := newShell(t)
		a, b := s.start(clienttest.Protect("1", "one")), s.start(clienttest.Protect("2", "two"))
		s.succeeds("pause", a.ID, b.ID)
		s.succeeds("resume", a.ID, b.ID)
		s.api.Script("check-policy", clienttest.Answer{Outcome: operation.Outcome{Kind: operation.Wait, After: 20 * time.Minute}})
		began, reads := s.api.Clock.Now(), 0
		s.change = func(e *environment) {
			e.http = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
				if reads++; reads > 2 && s.api.Clock.Now().Sub(began) < x.outage {
					return &http.Response{StatusCode: http.StatusBadGateway, Body: http.NoBody, Request: r}, nil
				}
				return http.DefaultTransport.RoundTrip(r)
			})}
		}
		r := s.run("wait", a.ID, b.ID)
		require.Equal(t, x.code, r.code, "%s: %s", name, r.stderr)
		if x.code == cli.ExitUnavailable {
			require.Contains(t, r.stderr, "API unavailable for 5 min", name)
		}
	}
}

func TestWatch_ShowsASet(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.stdin = bulkFile(4)
	s.failing(1)
	s.succeeds("bulk", "-f", "-", "--key", "nightly", "--reason", "test")
	s.stdin = ""
	r := s.run("watch", "--bulk", "nightly")
	require.Equal(t, cli.ExitFailed, r.code)
	require.Contains(t, r.stdout, "4 operations: 4 not started yet")
	require.Contains(t, r.stdout, "4 operations: 3 Succeeded, 1 Failed")
	require.Contains(t, r.stdout, "StorageUnavailable")
	require.Equal(t, 1, s.bulkStatus("nightly").Status[api.Failed])

	r = s.run("watch", "--bulk", "nightly", "-o", "json")
	require.Equal(t, 1, strings.Count(r.stdout, "\n"), "one line for each change")
	require.Contains(t, s.run("wait", "--bulk", "nope").stderr, "nope")
}

func TestList_FiltersAndSorts(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.failing(1)
	a := s.start(clienttest.Protect("1", "one"))
	s.api.Clock.Pass(time.Second)
	b := s.start(clienttest.Protect("2", "two"))
	for _, x := range []struct {
		args []string
		want []string
	}{
		{[]string{"--key", "2"}, []string{b.ID}},
		{[]string{"--errors"}, []string{a.ID}},
		{[]string{"--vault", "azurefilesvault"}, []string{b.ID, a.ID}},
		{[]string{"--vault", "other"}, nil},
		{[]string{"--label", "team=files", "--label", "env=prod"}, nil},
		{[]string{"--schedule", "nightly"}, nil},
		{[]string{"--sort", "createdAt"}, []string{a.ID, b.ID}},
		{[]string{"--sort=-createdAt"}, []string{b.ID, a.ID}},
	} {
		got := strings.Fields(s.succeeds(append([]string{"list", "-o", "id"}, x.args...)...))
		require.ElementsMatch(t, x.want, got, x.args)
		if len(x.args) == 1 && strings.HasPrefix(x.args[0], "--sort") || x.args[0] == "--sort" {
			require.Equal(t, x.want, got, x.args)
		}
	}
}

func TestList_WatchShowsChanges(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		terminal bool
		args     []string
		want     []string
	}{
		"into a file":   {false, nil, []string{"Pending", "Succeeded"}},
		"at a terminal": {true, nil, []string{clearScreen, "Succeeded"}},
		"as JSON lines": {false, []string{"-o", "jsonl"}, []string{`"status":"Succeeded"`}},
	} {
		s := newShell(t)
		s.start(clienttest.Protect("1", "one"))
		ctx, cancel := context.WithCancel(t.Context())
		looks := 0
		s.change = func(e *environment) {
			e.stdoutTerminal = x.terminal
			e.sleep = func(ctx context.Context, d time.Duration) error {
				if looks++; looks == 20 {
					cancel()
				}
				return s.api.Clock.Sleep(ctx, time.Hour)
			}
		}
		r := s.runWith(ctx, append([]string{"list", "--watch"}, x.args...)...)
		require.Equal(t, cli.ExitInterrupted, r.code, name)
		for _, want := range x.want {
			require.Contains(t, r.stdout, want, name)
		}
		require.LessOrEqual(t, strings.Count(r.stdout, "protect-file-share"), 4, "%s: only changes: %s", name, r.stdout)
	}
}
