package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/cli"
	"azbackupflow/internal/client/clienttest"
	"azbackupflow/internal/operation"
)

func TestCancel_OfABulkReportsTargetsThatHaveNotStarted(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.stdin = bulkFile(4)
	s.succeeds("bulk", "-f", "-", "--key", "nightly")
	s.stdin = ""
	for _, command := range []string{"cancel", "pause"} {
		r := s.run(command, "--bulk", "nightly", "--yes")
		require.Equal(t, cli.ExitFailed, r.code)
		require.Contains(t, r.stderr, "4 targets of bulk nightly have not started yet")
	}
	s.api.Clock.Pass(time.Hour)
	s.succeeds("cancel", "--bulk", "nightly", "--yes")
}

func TestChange_LeavesOutWhatItCannotChange(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.api.Backup()
	one, two := s.start(clienttest.Protect("1", "one")), s.start(clienttest.Protect("2", "two"))
	s.api.Clock.Pass(5 * time.Hour)
	require.Equal(t, "Cancel requested: 0 of 2.\nHad ended before: 2.\n", s.succeeds("cancel", one.ID, two.ID))
	for _, command := range []string{"cancel", "retry", "pause"} {
		require.Equal(t, "No operation that matches can be changed.\n", s.succeeds(command, "--status", "Succeeded", "--yes"))
	}
}

func TestConfirmation_IsInterrupted(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.start(clienttest.Protect("1", "one"))
	ctx, cancel := context.WithCancel(t.Context())
	s.change = func(e *environment) {
		e.stdinTerminal = true
		e.stdin = readerFunc(func([]byte) (int, error) {
			cancel()
			<-t.Context().Done() // no answer comes
			return 0, t.Context().Err()
		})
	}
	require.Equal(t, cli.ExitInterrupted, s.runWith(ctx, "cancel", "--label", "team=files").code)
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestIDs_AreTakenInEachForm(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	op := s.start(clienttest.Protect("1", "one"))
	for _, form := range []string{strings.ToUpper(op.ID), op.ID + " ", op.ID[:8]} {
		require.Contains(t, s.succeeds("status", form), op.ID)
		require.NotContains(t, s.run("drills", "answer", form, "--result", "Successful").stderr, "not found", form)
	}
}

func TestList_SaysThatASortedListIsCut(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	for i := range 3 {
		s.start(clienttest.Protect(fmt.Sprint(i), "one"))
	}
	require.Contains(t, s.succeeds("list", "--sort=-createdAt", "--limit", "2"), "There are more results")
	require.NotContains(t, s.succeeds("list", "--sort=-createdAt", "--limit", "3"), "There are more results")
	r := s.run("list", "--sort=-createdAt", "--limit", "2", "-o", "json")
	require.Zero(t, r.code)
	require.Contains(t, r.stderr, "there are more results")
	require.Equal(t, cli.ExitUsage, s.run("list", "--sort=-createdAt", "--limit", "500").code)
}

func TestList_WatchedShowsThatOperationsLeftIt(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.api.Backup()
	s.start(clienttest.Protect("1", "one"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	looks := 0
	s.change = func(e *environment) {
		e.stdoutTerminal, e.stdoutColumns = true, func() int { return 120 }
		e.sleep = func(ctx context.Context, _ time.Duration) error {
			if looks++; looks == 20 {
				cancel()
			}
			return s.api.Clock.Sleep(ctx, time.Hour)
		}
	}
	r := s.runWith(ctx, "list", "--status", "Pending,Running", "--watch")
	require.True(t, strings.HasSuffix(r.stdout, clearScreen+"No operations.\n"), r.stdout)
}

func TestWatch_ShowsABulkThatSucceedsAsData(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.stdin = bulkFile(4)
	s.succeeds("bulk", "-f", "-", "--key", "nightly")
	s.stdin = ""
	require.Contains(t, s.succeeds("watch", "--bulk", "nightly", "-o", "json"), `"Succeeded":4`)
}

func TestStart_InterruptedWaitShowsTheOperation(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.api.Script("check-policy", clienttest.Answer{Outcome: operation.Outcome{Kind: operation.Wait, After: 20 * time.Minute}})
	r := clienttest.Protect("k1", "one")
	file := filepath.Join(t.TempDir(), "r.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"flow":"`+r.Flow+`","key":"k1","parameters":`+string(r.Parameters)+`}`), 0o600))
	ctx, cancel := context.WithCancel(t.Context())
	s.change = func(e *environment) {
		e.sleep = func(ctx context.Context, d time.Duration) error {
			cancel()
			return s.api.Clock.Sleep(ctx, d)
		}
	}
	started := s.runWith(ctx, "start", file, "--wait", "-o", "json")
	require.Equal(t, cli.ExitInterrupted, started.code)
	require.Contains(t, started.stdout, `"created": true`)
}

func TestRun_NamesItsKeyIfTheAnswerIsLost(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.api.Instead(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	for _, command := range []string{"schedules", "drills"} {
		r := s.run(command, "run", "nightly")
		require.Equal(t, cli.ExitUnavailable, r.code)
		require.Contains(t, r.stderr, "--key made-up-key")
	}
}
