package main

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli"
)

func TestPreflight_ShowsFailedChecksAndRemedies(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	report := api.Preflight{Findings: []api.Finding{
		{
			Check: "permissions", Subject: "/subscriptions/s/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/v",
			Problem: "the app's managed identity may not do what the role azbackupflow Backup Operator is for",
			Missing: []string{"Microsoft.RecoveryServices/Vaults/backupJobs/cancel/action"}, Do: "Assign the role.",
		},
		{Check: "vault identity", Subject: "https://a.blob.core.windows.net/c", NotChecked: true, Problem: "the app does not see the account", Do: "Check the role."},
		{Check: "tables", Subject: "AzureWebJobsStorage", OK: true},
	}}
	s.api.Instead(func(w http.ResponseWriter, _ *http.Request) {
		body, err := json.MarshalIndent(report, "", "  ")
		assert.NoError(t, err)
		_, _ = w.Write(append(body, '\n'))
	})
	r := s.run("preflight", "--all")
	require.Equal(t, cli.ExitFailed, r.code)
	s.golden("preflight", r.stdout)
	require.Contains(t, r.stderr, "cannot do all of its work yet")

	report = api.Preflight{OK: true, Findings: report.Findings[1:]}
	require.Contains(t, s.succeeds("preflight"), "1 of 1 checks passed\n1 could not be made\n", "it does not fail the command")
	report = api.Preflight{OK: true, Findings: report.Findings[1:]}
	require.Equal(t, "1 of 1 checks passed\n", s.succeeds("preflight"))
	require.Equal(t, s.fetch("/preflight"), s.succeeds("preflight", "-o", "json"))
}
