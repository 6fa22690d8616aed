// Package compat reads what earlier releases have written. Each folder in testdata is
// one release, recorded by TestRelease_IsRecorded in test/e2e: the rows of operations
// in flight at most steps and at their ends, wake-ups, requests, and the names of the
// settings. The files of a tagged release are not changed; see docs/compatibility.md.
package compat

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/flow"
	"azbackupflow/internal/handlers/intake"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/request"
	"azbackupflow/internal/settings"
	"azbackupflow/internal/state"
	"azbackupflow/internal/step"
)

// releases returns the folders of the recorded releases.
func releases(t *testing.T) []string {
	t.Helper()
	folders, err := filepath.Glob("testdata/*")
	require.NoError(t, err)
	require.NotEmpty(t, folders)
	return folders
}

// lines returns the lines of a file of a release.
func lines(t *testing.T, release, name string) (all [][]byte) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(release, name))
	require.NoError(t, err)
	scanner := bufio.NewScanner(bytes.NewReader(raw))
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		all = append(all, bytes.Clone(scanner.Bytes()))
	}
	require.NoError(t, scanner.Err())
	require.Greater(t, len(all), 10, "%s/%s", release, name)
	return all
}

func rows(t *testing.T, release string) (all []operation.Operation) {
	t.Helper()
	for _, line := range lines(t, release, "operations.jsonl") {
		op, err := state.Decode(line)
		require.NoError(t, err)
		all = append(all, op)
	}
	return all
}

func registry(t *testing.T) *flow.Registry {
	t.Helper()
	now := func() time.Time { return time.Date(2040, time.January, 1, 0, 0, 0, 0, time.UTC) } // long after every record
	definitions, err := flow.Definitions(flow.Config{Now: now, Guardrails: flow.ExampleGuardrails()})
	require.NoError(t, err)
	r, err := flow.RegistryOf(definitions)
	require.NoError(t, err)
	return r
}

// A field that this release does not know is lost at the next save, and with it, for
// example, the claim of a call that must happen once.
func TestRows_KeepEveryFieldWhenTheyAreSavedAgain(t *testing.T) {
	t.Parallel()
	for _, release := range releases(t) {
		for _, line := range lines(t, release, "operations.jsonl") {
			op, err := state.Decode(line)
			require.NoError(t, err)
			saved, err := state.Encode(op)
			require.NoError(t, err)
			var before, after map[string]any
			require.NoError(t, json.Unmarshal(line, &before))
			require.NoError(t, json.Unmarshal(saved, &after))
			requireKept(t, release+" "+op.Flow+" "+op.Step, before, after)
		}
	}
}

// requireKept compares all values of before with those of after, which may have more.
func requireKept(t *testing.T, path string, before, after any) {
	t.Helper()
	switch old := before.(type) {
	case map[string]any:
		now, ok := after.(map[string]any)
		require.True(t, ok, path)
		for name, value := range old {
			require.Contains(t, now, name, path)
			requireKept(t, path+"."+name, value, now[name])
		}
	case []any:
		now, ok := after.([]any)
		require.True(t, ok, path)
		require.Len(t, now, len(old), path)
		for i := range old {
			requireKept(t, path, old[i], now[i])
		}
	default:
		require.Equal(t, before, after, path)
	}
}

func TestRows_ContinueAtTheirStep(t *testing.T) {
	t.Parallel()
	flows := registry(t)
	for _, release := range releases(t) {
		inFlight := map[string]bool{}
		for _, op := range rows(t, release) {
			f, ok := flows.Find(op.Flow, op.Version)
			require.True(t, ok, "%s: flow %s version %d is gone, and operations use it", release, op.Flow, op.Version)
			require.True(t, slices.ContainsFunc(f.Steps, func(s step.Step) bool { return s.Name == op.Step }),
				"%s: flow %s version %d has no step %s any more; declare a new version of the flow", release, op.Flow, op.Version, op.Step)
			_, err := f.Check(op.Parameters)
			require.NoError(t, pastTimes(err), "%s: %s: the stored parameters became invalid", release, op.Flow)
			if !op.Status.Terminal() {
				inFlight[op.Flow] = true
			}
		}
		require.Greater(t, len(inFlight), 5, "flows with operations in flight")
	}
}

func TestWakeups_AreRead(t *testing.T) {
	t.Parallel()
	for _, release := range releases(t) {
		known := map[string]bool{}
		for _, op := range rows(t, release) {
			known[op.ID] = true
		}
		for _, line := range lines(t, release, "wakeups.jsonl") {
			w, err := intake.DecodeWakeup(line)
			require.NoError(t, err)
			require.True(t, known[w.OperationID], "the wake-up of a row")
			require.Positive(t, w.Seq)
		}
	}
}

func TestRequests_AreAccepted(t *testing.T) {
	t.Parallel()
	flows := registry(t)
	for _, release := range releases(t) {
		for _, line := range lines(t, release, "requests.jsonl") {
			content, err := request.Unwrap(line)
			require.NoError(t, err)
			if request.IsBulk(content.Body) {
				bulk, err := request.ReadBulk(content.Body)
				require.NoError(t, err)
				require.NoError(t, bulk.Check())
				continue
			}
			r, err := request.Read(content.Body)
			require.NoError(t, err, "%s", line)
			f, ok := flows.Newest(r.Flow)
			require.True(t, ok, r.Flow)
			_, err = f.Check(r.Parameters)
			require.NoError(t, pastTimes(err), "%s: %s", release, r.Flow)
		}
	}
}

// pastTimes returns the error without the fields that were in the future when the
// release was recorded.
func pastTimes(err error) error {
	var invalid *step.Invalid
	if !errors.As(err, &invalid) {
		return err
	}
	for _, f := range invalid.Fields {
		if !strings.Contains(f.Problem+f.Want, "future") && !strings.Contains(f.Problem, "past") {
			return err
		}
	}
	return nil
}

func TestSettings_KeepTheirNames(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, row := range settings.Table() {
		names[row.Name] = true
	}
	for _, release := range releases(t) {
		for _, line := range lines(t, release, "settings.txt") {
			require.True(t, names[string(line)], "%s: the setting %s is gone", release, line)
		}
	}
}
