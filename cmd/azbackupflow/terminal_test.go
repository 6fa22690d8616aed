package main

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/client/clienttest"
)

// escapes are the sequences that colour a terminal.
func escapes() *regexp.Regexp { return regexp.MustCompile("\x1b\\[[0-9;]*m") }

// watched is what watch writes at a terminal with such an environment.
func watched(t *testing.T, terminal bool, environment map[string]string) string {
	t.Helper()
	s := newShell(t)
	s.change = func(w *world) {
		w.terminal = terminal
		w.lookup = func(name string) (string, bool) { v, ok := environment[name]; return v, ok }
	}
	s.api.Backup()
	return s.succeeds("watch", s.begins(clienttest.Protect("one", "testshare")).ID)
}

func TestColourIsForTerminalsThatWantIt(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		terminal    bool
		environment map[string]string
		coloured    bool
	}{
		"at a terminal":          {true, map[string]string{"TERM": "xterm-256color"}, true},
		"an empty NO_COLOR":      {true, map[string]string{"NO_COLOR": ""}, true},
		"into a file":            {false, nil, false},
		"NO_COLOR":               {true, map[string]string{"NO_COLOR": "1"}, false},
		"a terminal that cannot": {true, map[string]string{"TERM": "dumb"}, false},
	} {
		require.Equal(t, tc.coloured, escapes().MatchString(watched(t, tc.terminal, tc.environment)), name)
	}
}

func TestColourChangesNothingElse(t *testing.T) {
	t.Parallel()
	coloured := watched(t, true, nil)
	require.Equal(t, watched(t, false, nil), escapes().ReplaceAllString(coloured, ""))
}

func TestSpinnerSaysWhatIsWaitedForAndGoesAway(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.api.Backup()
	v := s.begins(clienttest.Protect("one", "testshare"))
	ticks := make(chan time.Time)
	stopped := false
	s.change = func(w *world) {
		w.errorTerminal = true
		w.ticks = func(time.Duration) (<-chan time.Time, func()) { return ticks, func() { stopped = true } }
		w.sleep = func(ctx context.Context, d time.Duration) error {
			ticks <- s.api.Clock.Now()
			return s.api.Clock.Sleep(ctx, d)
		}
	}
	r := s.run("watch", v.ID)
	require.Zero(t, r.code)
	require.True(t, stopped)
	require.Contains(t, r.stderr, "await-backup-job (step 5 of 5): looks again in 24 min")
	require.Contains(t, r.stderr, "check-policy (step 1 of 5): at work")
	turns := strings.Split(r.stderr, "\r")
	require.Empty(t, strings.TrimSpace(turns[len(turns)-1]), "the line is left empty")
	require.Empty(t, strings.TrimSpace(turns[len(turns)-2]), "the line is left empty")
	s.golden("watch", r.stdout)
}

func TestSpinnerSaysThatAnOperationIsPaused(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	v := s.begins(clienttest.Protect("one", "testshare"))
	s.succeeds("pause", v.ID)
	ctx, cancel := context.WithCancel(t.Context())
	ticks := make(chan time.Time)
	s.change = func(w *world) {
		w.errorTerminal = true
		w.ticks = func(time.Duration) (<-chan time.Time, func()) { return ticks, func() {} }
		w.sleep = func(ctx context.Context, d time.Duration) error {
			ticks <- s.api.Clock.Now()
			ticks <- s.api.Clock.Now() // the first turn is over
			cancel()
			return s.api.Clock.Sleep(ctx, d)
		}
	}
	r := s.runWith(ctx, "wait", v.ID)
	require.Equal(t, exitInterrupted, r.code)
	require.Contains(t, r.stderr, "check-policy (step 1 of 5): paused")
}
