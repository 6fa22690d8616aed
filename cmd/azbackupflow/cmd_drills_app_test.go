package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli"
	"azbackupflow/internal/client/clienttest"
	"azbackupflow/internal/drill/evidence"
)

// provenDrills returns the arguments of a command, in an app with evidence.
func provenDrills(args ...string) func(*shell) []string {
	return func(s *shell) []string {
		at := clienttest.Began().Add(-time.Hour)
		s.api.Prove(s.t, "jh3kd7qpl2mvn5xw4rtz6bycea", "orders-eu", at, nil)
		s.api.Prove(s.t, "q2wx8rt5yz3nbv7cm4lk6jhgfd", "a-share-with-a-rather-long-name", at, func(e *evidence.Evidence) {
			e.Checks[0].Result = evidence.CheckFailed
			e.Phases = append(e.Phases, evidence.Phase{Name: evidence.CleanUp, Result: evidence.PhaseFailed, Started: e.Ended, Ended: e.Ended, Error: "locked"})
		})
		s.api.Prove(s.t, "p5lo9ik3ujm7yhn2tgb4rfv6ed", "orders-us", at.AddDate(0, -1, 0), nil)
		return args
	}
}

func TestDrillsRun_StartsARunOnce(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	shown := s.succeeds("drills", "run", "monthly-files", "--key", "audit-{date}", "--reason", "audit")
	var got struct{ Runs []drillRun }
	require.NoError(t, json.Unmarshal([]byte(s.succeeds("drills", "runs", "-o", "json")), &got))
	require.Equal(t, []drillRun{{Drill: "monthly-files", Run: "run-audit-2026-11-21", Operations: 1, Status: map[string]int{"Pending": 1}}}, got.Runs)
	require.Contains(t, shown, "Run run-audit-2026-11-21 of drill monthly-files is requested.")
	require.Contains(t, shown, "azbackupflow list --label drill=monthly-files --label slot=run-audit-2026-11-21")
	require.Equal(t, shown, s.succeeds("drills", "run", "monthly-files", "--key", "audit-{date}"))
	require.Equal(t, "Drill monthly-files is paused.\n", s.succeeds("drills", "pause", "monthly-files", "--reason", "migration"))
	var list api.DrillList
	require.NoError(t, json.Unmarshal([]byte(s.succeeds("drills", "list", "-o", "json")), &list))
	require.Equal(t, "migration", list.Drills[0].PauseReason)
	require.Equal(t, "run-audit-2026-11-21", list.Drills[0].LastRequested)
	require.Contains(t, s.succeeds("drills", "resume", "monthly-files"), "Drill monthly-files is enabled; its next run is 2026-12-01 03:00:00 UTC.")
	unknown := s.run("drills", "run", "nightly")
	require.NotZero(t, unknown.code)
	require.Contains(t, unknown.stderr, `drill "nightly" not found`)
}

func TestDrillsEvidence_FiltersTheList(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	require.Equal(t, "No evidence.\n", s.succeeds("drills", "evidence"))
	require.Equal(t, "No runs.\n", s.succeeds("drills", "runs", "monthly-files"))
	provenDrills()(s)
	for _, c := range []struct {
		want int
		args []string
	}{
		{3, nil}, {1, []string{"--result", "failed"}}, {2, []string{"--since", "7d"}}, {1, []string{"--until", "7d"}}, {0, []string{"--drill", "none"}}, {1, []string{"--limit", "1"}},
	} {
		var page api.EvidencePage
		require.NoError(t, json.Unmarshal([]byte(s.succeeds(append([]string{"drills", "evidence", "-o", "json"}, c.args...)...)), &page))
		require.Len(t, page.Evidence, c.want, c.args)
	}
	for want, args := range map[string][]string{
		`--result "good" is not a result; use one of Proven, ObjectivesMissed, NotValidated, Failed`: {"--result", "good"},
		"--since": {"--since", "never"},
		"--until": {"--until", "never"},
	} {
		got := s.run(append([]string{"drills", "evidence"}, args...)...)
		require.Equal(t, cli.ExitUsage, got.code)
		require.Contains(t, got.stderr, want)
	}
}

func TestDrillsDownload_WritesAVerifiedFile(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	doc := s.api.Prove(t, "a1", "orders-eu", clienttest.Began(), nil)
	s.api.Prove(t, "b2", "orders-us", clienttest.Began(), nil)
	dir := t.TempDir()
	key, file := filepath.Join(dir, "key.pem"), filepath.Join(dir, "a1.json")
	require.Contains(t, s.succeeds("drills", "key", "--to", key), "is written to "+key)
	text, err := os.ReadFile(key)
	require.NoError(t, err)
	require.Equal(t, string(text), s.succeeds("drills", "key"))
	require.Equal(t, "The evidence of drill a1 is verified, and written to "+file+".\n", s.succeeds("drills", "download", "a1", "--key", key, "--to", file))
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, doc.File, raw, "byte for byte")
	require.Contains(t, s.succeeds("drills", "verify", file, "--key", key), "is verified")

	got := s.run("drills", "download", "a1", "--to", file)
	require.Equal(t, cli.ExitUsage, got.code)
	require.Contains(t, got.stderr, "exists; name a new file")
	unverified := filepath.Join(dir, "unverified.json")
	require.Contains(t, s.succeeds("drills", "download", "b2", "--to", unverified), "It is not verified:  azbackupflow drills verify "+unverified+" --key FILE")

	got = s.run("drills", "download", "b2", "--key", sampleEvidenceKey, "--to", filepath.Join(dir, "other.json"))
	require.Equal(t, cli.ExitFailed, got.code)
	require.Contains(t, got.stderr, "the evidence of drill b2 is not verified, and not written")
	require.NoFileExists(t, filepath.Join(dir, "other.json"))
	s.api.ChangeEvidence(t, "b2", "1200 files", "1201 files")
	got = s.run("drills", "download", "b2", "--to", filepath.Join(dir, "changed.json"))
	require.NotZero(t, got.code)
	require.Contains(t, got.stderr, "the file was changed after it was signed")
	require.NoFileExists(t, filepath.Join(dir, "changed.json"))
	got = s.run("drills", "download", "nobody")
	require.NotZero(t, got.code)
	require.Contains(t, got.stderr, "Evidence not found")
}

func TestDrillsList_SaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.api.BreakEvidence()
	got := s.run("drills", "list")
	require.Zero(t, got.code)
	require.Contains(t, got.stderr, "the results are missing: list the years of the evidence: EvidenceStoreUnavailable")
	require.Contains(t, got.stdout, "monthly-files")
	s.api.RemoveEvidenceKey()
	got = s.run("drills", "key")
	require.NotZero(t, got.code)
	require.Contains(t, got.stderr, "this app has no key that signs evidence")
}
