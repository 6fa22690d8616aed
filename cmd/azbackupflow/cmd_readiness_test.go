package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli"
	"azbackupflow/internal/client/clienttest"
	"azbackupflow/internal/drill/evidence"
	"azbackupflow/internal/readiness/readinesstest"
)

// drafts is the item of the report that no drill has proven.
const drafts = readinesstest.Vault + "/backupFabrics/Azure/protectionContainers/c/protectedItems/AzureFileShare;drafts"

// drillOfDrafts returns evidence of the item drafts.
func drillOfDrafts(s *shell, change func(*evidence.Evidence)) (file, key string) {
	s.t.Helper()
	return signedEvidence(s.t, func(e *evidence.Evidence) {
		e.Item.ID, e.Item.VaultID = drafts, readinesstest.Vault
		later := s.api.Clock.Now().Add(-48 * time.Hour).Sub(e.Started).Truncate(time.Second)
		e.Started, e.Ended, e.Point.Time = e.Started.Add(later), e.Ended.Add(later), e.Point.Time.Add(later)
		for i := range e.Phases {
			e.Phases[i].Started, e.Phases[i].Ended = e.Phases[i].Started.Add(later), e.Phases[i].Ended.Add(later)
		}
		change(e)
	})
}

func (s *shell) readiness(flags ...string) (report api.Readiness) {
	s.t.Helper()
	require.NoError(s.t, json.Unmarshal([]byte(s.succeeds(append([]string{"-o", "json", "readiness"}, flags...)...)), &report))
	return report
}

func stateOf(report api.Readiness, name string) api.ReadinessState {
	for _, i := range report.Items {
		if i.Name == name {
			return i.State
		}
	}
	return ""
}

func TestReadiness_ShowsTheReport(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.golden("readiness", s.succeeds("readiness", "--max-point-age", "1d", "--tag", "env"))
	s.golden("readiness-wide", s.succeeds("-o", "wide", "readiness", "--max-point-age", "1d", "--state", "notprotected", "--state", "ObjectivesMissed"))
}

func TestReadiness_NeedsEvidenceForAProof(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	before := s.readiness()
	require.Equal(t, api.ReadinessNotProven, stateOf(before, "drafts"))
	file, key := drillOfDrafts(s, func(*evidence.Evidence) {})
	got := s.readiness("--evidence", file, "--key", key)
	require.Equal(t, api.ReadinessProven, stateOf(got, "drafts"))
	require.Equal(t, before.Scores[0].Proven+1, got.Scores[0].Proven)
	require.Equal(t, api.ReadinessProven, stateOf(got, "accounts"), "the evidence of the app counts too")
	require.Equal(t, api.ReadinessNotProven, stateOf(s.readiness("--evidence", file, "--key", key, "--max-proof-age", "1d"), "drafts"))
	require.Equal(t, api.ReadinessObjectivesMissed, stateOf(s.readiness("--evidence", file, "--key", key, "--max-point-age", "4h"), "drafts"))
	require.Len(t, s.readiness("--evidence", file, "--key", key, "--state", "Proven").Items, 2)

	file, key = drillOfDrafts(s, func(e *evidence.Evidence) { e.Objectives.RTO.Maximum = "PT1S" })
	require.Equal(t, api.ReadinessObjectivesMissed, stateOf(s.readiness("--evidence", file, "--key", key), "drafts"))
}

// The command repeats the request until the app has read Azure, and reads all pages.
func TestReadiness_WaitsUntilTheReportIsComplete(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.api.Readiness.Incomplete(3)
	got := s.run("-o", "json", "readiness")
	require.Zero(t, got.code, got.stderr)
	require.Contains(t, got.stderr, "1 of 3 parts are read; waiting 2s")
	require.Len(t, s.api.Readiness.Requests(), 4)

	items := readinesstest.Items(s.api.Clock.Now())
	var many []api.ReadinessItem
	for n := range 1201 {
		i := items[2]
		i.ItemID, i.Name = i.ItemID+strings.Repeat("x", n%7)+time.Duration(n).String(), "many"
		many = append(many, i)
	}
	s.api.Readiness.Show(many...)
	require.Len(t, s.readiness().Items, 1201)

	s.api.Readiness.Incomplete(1000)
	got = s.run("readiness", "--timeout", "10s")
	require.Equal(t, cli.ExitFailed, got.code)
	require.Empty(t, got.stdout)
	require.Contains(t, got.stderr, "the report is not complete after 10s: 1 of 3 parts are read; repeat the command, which continues, or use a longer --timeout")
}

// A report that lacks a vault or a drill would look better than the truth.
func TestReadiness_FailsRatherThanBeingIncomplete(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	file, _ := drillOfDrafts(s, func(*evidence.Evidence) {})
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--evidence", file}, cli.ExitUsage, "--evidence is set without --key; add --key"},
		{[]string{"--evidence", file, "--key", sampleEvidenceKey}, cli.ExitFailed, "is not verified: the signature names the key"},
		{[]string{"--max-proof-age", "0h"}, cli.ExitUsage, `--max-proof-age "0h" is too short; use a positive duration such as 365d`},
		{[]string{"--max-point-age", "0h"}, cli.ExitUsage, `--max-point-age "0h" is too short; use a positive duration such as 1d`},
		{[]string{"--max-point-age", "soon"}, cli.ExitUsage, "--max-point-age"},
		{[]string{"--max-age", "1m"}, cli.ExitUsage, "at least PT5M"},
		{[]string{"--state", "good"}, cli.ExitUsage, `--state "good" is not a state; use one of Proven, NotProven`},
		{[]string{"--csv", "-", "--html", "-"}, cli.ExitUsage, "--csv and --html both name standard output (-); write one of them to a file"},
		{[]string{"--csv", file}, cli.ExitUsage, "--csv: file " + file + " exists; name a new file"},
		{[]string{"--html", filepath.Join(file, "x")}, cli.ExitUsage, "cannot be written"},
	} {
		got := s.run(append([]string{"readiness", clienttest.Vault}, c.args...)...)
		require.Equal(t, c.code, got.code, got.stderr)
		require.Contains(t, got.stderr, c.want)
		require.Empty(t, got.stdout)
	}
	s.api.Readiness.Fail(api.ReadinessProblem{Part: "vault", Subject: readinesstest.Vault, Code: "AuthorizationFailed", Message: "no access"})
	got := s.run("readiness")
	require.Equal(t, cli.ExitFailed, got.code)
	require.Empty(t, got.stdout)
	require.Contains(t, got.stderr, "vault "+readinesstest.Vault+" cannot be read: AuthorizationFailed: no access")
	require.Contains(t, got.stderr, "1 of 3 parts of the report cannot be read; solve the problems above, or add --partial to see the rest")
	got = s.run("readiness", "--partial")
	require.Zero(t, got.code)
	require.Contains(t, got.stdout, "accounts")
	require.Contains(t, got.stderr, "no access")

	s.api.Readiness.Err = errors.New("away")
	require.Equal(t, cli.ExitUnavailable, s.run("readiness").code)
	gone := httptest.NewServer(nil)
	gone.Close()
	s.urlFlag = false
	got = s.run("--url", gone.URL, "readiness", clienttest.Vault)
	require.Equal(t, cli.ExitUnavailable, got.code)
	require.Empty(t, got.stdout)
	require.Contains(t, got.stderr, "make the readiness report")
}

func TestReadiness_WritesFiles(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	folder := t.TempDir()
	list, page := filepath.Join(folder, "report.csv"), filepath.Join(folder, "report.html")
	require.Contains(t, s.succeeds("readiness", "--csv", list, "--html", page), "accounts")
	raw, err := os.ReadFile(list)
	require.NoError(t, err)
	require.Equal(t, string(raw), s.succeeds("readiness", "--csv", "-"))
	lines, err := csv.NewReader(strings.NewReader(string(raw))).ReadAll()
	require.NoError(t, err)
	require.Len(t, lines, 7)
	written, err := os.ReadFile(page)
	require.NoError(t, err)
	require.Equal(t, string(written), s.succeeds("readiness", "--html", "-"))
	require.Contains(t, string(written), "Content-Security-Policy")
}

// A shell and the parser accept each command that the report recommends.
func TestReadiness_RecommendsCommandsThatExist(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	items := readinesstest.Items(s.api.Clock.Now())
	for _, state := range []string{"SoftDeleted", "ProtectionError", "IRPending"} {
		i := items[2]
		i.ProtectionState, i.ItemID = state, i.ItemID+state
		items = append(items, i)
	}
	unmatched := items[0]
	unmatched.RuleOutcome, unmatched.ResourceID = "none", unmatched.ResourceID+"2"
	s.api.Readiness.Show(append(items, unmatched)...)
	seen := map[string]bool{}
	for _, i := range s.readiness("--max-point-age", "1d").Items {
		for _, command := range i.Next {
			words := wordsOf(t, command)
			require.Equal(t, "azbackupflow", words[0])
			got := s.run(append(words[1:], "--help")...)
			require.Zero(t, got.code, command+": "+got.stderr)
			seen[strings.Join(words[1:3], " ")] = true
			if words[1] == "start" && (words[2] == "backup-now" || words[2] == "protect-file-share") { // the flows of this API
				got := s.run(append(words[1:len(words)-1], "--dry-run")...) // without --wait
				require.Zero(t, got.code, "%s: %s", command, got.stderr)
			}
		}
	}
	for _, command := range []string{"start backup-now", "start protect-file-share", "start resume-protection", "start undelete", "items list", "protect explain", "drills list"} {
		require.True(t, seen[command], command)
	}
}

// wordsOf returns the words of a command as a real shell reads them.
func wordsOf(t *testing.T, command string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "sh", "-c", "set -- "+command+"; printf '%s\\n' \"$@\"").Output()
	require.NoError(t, err)
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}
