package main

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/cli"
	"azbackupflow/internal/client/clienttest"
)

// escapes matches the escape sequences of colors.
func escapes() *regexp.Regexp { return regexp.MustCompile("\x1b\\[[0-9;]*m") }

// watched returns the output of watch.
func watched(t *testing.T, terminal bool, variables map[string]string) string {
	t.Helper()
	s := newShell(t)
	s.change = func(w *environment) {
		w.stdoutTerminal = terminal
		w.lookup = func(name string) (string, bool) { v, ok := variables[name]; return v, ok }
	}
	s.api.Backup()
	return s.succeeds("watch", s.start(clienttest.Protect("one", "testshare")).ID)
}

func TestColor_IsForTerminalsThatSupportIt(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		terminal  bool
		variables map[string]string
		colored   bool
	}{
		"at a terminal":             {true, map[string]string{"TERM": "xterm-256color"}, true},
		"an empty NO_COLOR":         {true, map[string]string{"NO_COLOR": ""}, true},
		"into a file":               {false, nil, false},
		"NO_COLOR":                  {true, map[string]string{"NO_COLOR": "1"}, false},
		"a terminal without colors": {true, map[string]string{"TERM": "dumb"}, false},
	} {
		require.Equal(t, tc.colored, escapes().MatchString(watched(t, tc.terminal, tc.variables)), name)
	}
}

func TestColor_ChangesNothingElse(t *testing.T) {
	t.Parallel()
	colored := watched(t, true, nil)
	require.Equal(t, watched(t, false, nil), escapes().ReplaceAllString(colored, ""))
}

func TestSpinner_ShowsProgressAndDisappears(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.api.Backup()
	v := s.start(clienttest.Protect("one", "testshare"))
	ticks := make(chan time.Time)
	stopped := false
	s.change = func(w *environment) {
		w.stderrTerminal = true
		w.ticks = func(time.Duration) (<-chan time.Time, func()) { return ticks, func() { stopped = true } }
		w.sleep = func(ctx context.Context, d time.Duration) error {
			ticks <- s.api.Clock.Now()
			return s.api.Clock.Sleep(ctx, d)
		}
	}
	r := s.run("watch", v.ID)
	require.Zero(t, r.code)
	require.True(t, stopped)
	require.Contains(t, r.stderr, "step 5 of 5, await-backup-job: InProgress, 63 %, next in 24 min")
	require.Contains(t, r.stderr, "step 1 of at most 5, check-policy: running")
	turns := strings.Split(r.stderr, "\r")
	require.Empty(t, strings.TrimSpace(turns[len(turns)-1]), "the line is left empty")
	require.Empty(t, strings.TrimSpace(turns[len(turns)-2]), "the line is left empty")
	s.golden("watch", r.stdout)
}

func TestSpinner_ShowsAPausedOperation(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	v := s.start(clienttest.Protect("one", "testshare"))
	s.succeeds("pause", v.ID)
	ctx, cancel := context.WithCancel(t.Context())
	ticks := make(chan time.Time)
	s.change = func(w *environment) {
		w.stderrTerminal = true
		w.ticks = func(time.Duration) (<-chan time.Time, func()) { return ticks, func() {} }
		w.sleep = func(ctx context.Context, d time.Duration) error {
			ticks <- s.api.Clock.Now()
			ticks <- s.api.Clock.Now() // the first turn has ended
			cancel()
			return s.api.Clock.Sleep(ctx, d)
		}
	}
	r := s.runWith(ctx, "wait", v.ID)
	require.Equal(t, cli.ExitInterrupted, r.code)
	require.Contains(t, r.stderr, "step 1 of at most 5, check-policy: paused")
}
