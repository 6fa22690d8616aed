package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/client/clienttest"
	"azbackupflow/internal/request"
)

var update = flag.Bool("update", false, "update golden files")

// outputWidth is the maximum width of text that is not fitted to a terminal.
const outputWidth = 100

// shell runs commands against an API whose clock advances while they wait.
type shell struct {
	t   *testing.T
	api *clienttest.API
	// change changes the environment of later commands.
	change func(*environment)
	stdin  string
	// configDir is the folder of the contexts. Every shell has its own.
	configDir string
	// urlFlag passes --url to every command.
	urlFlag bool
}

func newShell(t *testing.T) *shell {
	t.Helper()
	return &shell{t: t, urlFlag: true, configDir: t.TempDir(), api: clienttest.Start(t), change: func(*environment) {}}
}

// result is the result of a command.
type result struct {
	code           int
	stdout, stderr string
}

// run runs a command to its end.
func (s *shell) run(args ...string) result {
	s.t.Helper()
	return s.runWith(s.t.Context(), args...)
}

func (s *shell) runWith(ctx context.Context, args ...string) result {
	s.t.Helper()
	var stdout, stderr buffer
	w := environment{
		stdin: strings.NewReader(s.stdin), stdout: &stdout, stderr: &stderr,
		lookup: func(string) (string, bool) { return "", false },
		now:    s.api.Clock.Now, sleep: s.api.Clock.Sleep,
		ticks:  func(time.Duration) (<-chan time.Time, func()) { return nil, func() {} },
		newKey: func() string { return "made-up-key" }, configDir: s.configDir,
	}
	s.change(&w)
	if s.urlFlag {
		args = append([]string{"--url", s.api.URL}, args...)
	}
	code := run(ctx, args, w)
	return result{code: code, stdout: stdout.String(), stderr: stderr.String()}
}

// succeeds runs a command that must succeed, and returns its output.
func (s *shell) succeeds(args ...string) string {
	s.t.Helper()
	r := s.run(args...)
	require.Zero(s.t, r.code, r.stderr)
	require.Empty(s.t, r.stderr)
	return r.stdout
}

// start starts an operation and returns it.
func (s *shell) start(r api.Request) api.Operation {
	s.t.Helper()
	req, err := s.api.Engine.Prepare(request.Request(r))
	require.NoError(s.t, err)
	file := filepath.Join(s.t.TempDir(), "request.json")
	raw := `{"key":"` + r.Key + `","parameters":` + string(r.Parameters) + `,"labels":{"team":"files"},"deadline":"` + r.Deadline + `"}`
	require.NoError(s.t, os.WriteFile(file, []byte(raw), 0o600))
	require.Contains(s.t, s.succeeds("start", r.Flow, "-f", file), req.ID)
	var op api.Operation
	require.NoError(s.t, json.Unmarshal([]byte(s.fetch("/operations/"+req.ID)), &op))
	return op
}

// golden compares output with testdata/name.golden.
func (s *shell) golden(name, got string) {
	s.t.Helper()
	got = strings.ReplaceAll(got, s.api.URL, "http://API")
	path := filepath.Join("testdata", name+".golden")
	if *update {
		require.NoError(s.t, os.MkdirAll(filepath.Dir(path), 0o750))
		require.NoError(s.t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(s.t, err)
	require.Equal(s.t, string(want), got)
}

// buffer holds the output of a command; a test may read it while the command runs.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
