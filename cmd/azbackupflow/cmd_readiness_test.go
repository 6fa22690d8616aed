package main

import (
	"encoding/json"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/cli"
	"azbackupflow/internal/client/clienttest"
	"azbackupflow/internal/drill/evidence"
	"azbackupflow/internal/readiness"
)

// drillOfTheMachine returns evidence of the item that the app of the tests lists.
func drillOfTheMachine(s *shell, change func(*evidence.Evidence)) (file, key string) {
	s.t.Helper()
	return signedEvidence(s.t, func(e *evidence.Evidence) {
		e.Item.ID, e.Item.VaultID, e.Item.Type = clienttest.Vault, clienttest.Vault, "VM"
		later := s.api.Clock.Now().Add(-48 * time.Hour).Sub(e.Started).Truncate(time.Second)
		e.Started, e.Ended, e.Point.Time = e.Started.Add(later), e.Ended.Add(later), e.Point.Time.Add(later)
		for i := range e.Phases {
			e.Phases[i].Started, e.Phases[i].Ended = e.Phases[i].Started.Add(later), e.Phases[i].Ended.Add(later)
		}
		change(e)
	})
}

func TestReadiness_NeedsEvidenceForAProof(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.golden("readiness-unproven", s.succeeds("readiness", clienttest.Vault))

	file, key := drillOfTheMachine(s, func(*evidence.Evidence) {})
	report := func(flags ...string) (report readinessReport) {
		t.Helper()
		args := append([]string{"-o", "json", "readiness", clienttest.Vault, "--evidence", file, "--key", key}, flags...)
		require.NoError(t, json.Unmarshal([]byte(s.succeeds(args...)), &report))
		require.Len(t, report.Items, 1)
		return report
	}
	got := report()
	require.Equal(t, readiness.Proven, got.Items[0].State)
	require.Equal(t, []readiness.Score{{VaultID: clienttest.Vault, Items: 1, Proven: 1}}, got.Scores)
	require.Equal(t, readiness.NotProven, report("--max-proof-age", "1d").Items[0].State)
	require.Equal(t, readiness.NotProven, report("--max-point-age", "1d").Items[0].State, "the app does not know the last point")

	file, key = drillOfTheMachine(s, func(e *evidence.Evidence) { e.Objectives.RTO.Maximum = "PT1S" })
	require.Equal(t, readiness.ObjectivesMissed, report().Items[0].State)
}

// A report that lacks a vault or a drill would look better than the truth.
func TestReadiness_FailsRatherThanBeingIncomplete(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	file, _ := drillOfTheMachine(s, func(*evidence.Evidence) {})
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--evidence", file}, cli.ExitUsage, "--evidence is set without --key; add --key"},
		{[]string{"--evidence", file, "--key", sampleEvidenceKey}, cli.ExitFailed, "is not verified: the signature names the key"},
		{[]string{"--max-proof-age", "0h"}, cli.ExitUsage, `--max-proof-age "0h"`},
		{[]string{"--max-point-age", "0h"}, cli.ExitUsage, `--max-point-age "0h"`},
		{[]string{"--max-point-age", "soon"}, cli.ExitUsage, "--max-point-age"},
		{[]string{clienttest.Vault + "/"}, cli.ExitUsage, "is named twice; name each vault once"},
	} {
		got := s.run(append([]string{"readiness", clienttest.Vault}, c.args...)...)
		require.Equal(t, c.code, got.code, got.stderr)
		require.Contains(t, got.stderr, c.want)
		require.Empty(t, got.stdout)
	}
	gone := httptest.NewServer(nil)
	gone.Close()
	s.urlFlag = false
	got := s.run("--url", gone.URL, "readiness", clienttest.Vault)
	require.Equal(t, cli.ExitUnavailable, got.code)
	require.Empty(t, got.stdout)
	require.Contains(t, got.stderr, "list the items of "+clienttest.Vault)
}
