package flow_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/flow"
	"azbackupflow/internal/step"
)

var update = flag.Bool("update", false, "write golden files")

// registry returns the flows without an Azure.
func registry(t *testing.T, now time.Time) *flow.Registry {
	t.Helper()
	b, err := flow.New(flow.Config{
		Now:        func() time.Time { return now },
		Guardrails: flow.Guardrails{Delete: true, RestoreTargets: append(itemTargets(), flow.ExampleGuardrails().RestoreTargets...), DrillTargets: flow.ExampleGuardrails().DrillTargets},
	})
	require.NoError(t, err)
	return b
}

// Rows of operations in flight name their flow's version and step. The list of
// a released version must never change: -update adds versions and changes none.
// Before the release of a version, delete its lines from the file by hand to
// write them again.
func TestSteps_OfAReleasedVersionNeverChange(t *testing.T) {
	t.Parallel()
	file := filepath.Join("testdata", "steps.golden")
	raw, err := os.ReadFile(file)
	require.True(t, err == nil || *update && os.IsNotExist(err), err)
	frozen := readSteps(string(raw))
	text := string(raw)
	b := registry(t, morning())
	known := map[string]bool{}
	for _, name := range b.Names() {
		newest, _ := b.Newest(name)
		for version := 1; version <= newest.Version; version++ {
			f, ok := b.Find(name, version)
			title := fmt.Sprintf("%s version %d", name, version)
			known[title] = true
			require.True(t, ok, "%s is gone; operations may still follow it", title)
			list := stepLines(f)
			want, published := frozen[title]
			switch {
			case published:
				require.Equal(t, want, list, "%s is released and has changed: restore it and add a new version next to it", title)
			case *update:
				text += title + "\n" + list + "\n"
			default:
				require.Fail(t, title+" is not in "+file+": run the test with -update")
			}
		}
	}
	for title := range frozen {
		require.True(t, known[title], "%s is gone; operations may still follow it", title)
	}
	if text != string(raw) {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	}
}

// stepLines returns a flow's steps: the name, the effect, and the step that a
// cancel continues with.
func stepLines(f step.Flow) string {
	var b strings.Builder
	for _, s := range f.Steps {
		fmt.Fprintf(&b, "  %s %s", s.Name, s.Effect)
		if s.OnCancel != "" {
			fmt.Fprintf(&b, ", on cancel %s", s.OnCancel)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// readSteps reads the golden file: a title without indentation, then its steps.
func readSteps(text string) map[string]string {
	all := map[string]string{}
	title := ""
	for line := range strings.Lines(text) {
		switch {
		case strings.TrimSpace(line) == "":
		case strings.HasPrefix(line, " "):
			all[title] += line
		default:
			title = strings.TrimSpace(line)
			all[title] = ""
		}
	}
	return all
}

// golden compares text with a file below testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}
