package main

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/handlers"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/preflight"
)

// found is a preflight that has been made.
type found preflight.Report

func (f found) Check(context.Context) preflight.Report { return preflight.Report(f) }

// nobody controls operations: only the preflight is asked for.
type nobody struct{ handlers.Controller }

func (nobody) Cancel(context.Context, string) (o operation.Operation, err error) { return o, err }
func (nobody) Pause(context.Context, string) (o operation.Operation, err error)  { return o, err }
func (nobody) Resume(context.Context, string) (o operation.Operation, err error) { return o, err }
func (nobody) Retry(context.Context, string) (o operation.Operation, err error)  { return o, err }

func TestPreflightShowsWhatIsMissingAndHowToMendIt(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	report := found{Findings: []preflight.Finding{
		{
			Check: "permissions", Subject: "/subscriptions/s/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/v",
			Problem: "the app's managed identity may not do what the role azbackupflow Backup Operator is for",
			Missing: []string{"Microsoft.RecoveryServices/Vaults/backupJobs/cancel/action"}, Do: "Assign the role.",
		},
		{Check: "tables", Subject: "AzureWebJobsStorage", OK: true},
	}}
	s.api.Instead(func(w http.ResponseWriter, r *http.Request) {
		handlers.API(handlers.APIConfig{Control: nobody{}, Preflight: &report}).ServeHTTP(w, r)
	})
	r := s.run("preflight", "--all")
	require.Equal(t, exitFailed, r.code)
	s.golden("preflight", r.stdout)
	require.Contains(t, r.stderr, "cannot do all of its work yet")

	report = found{OK: true, Findings: report.Findings[1:]}
	require.Equal(t, "1 of 1 checks are as they should be\n", s.succeeds("preflight"))
	require.Equal(t, s.fetch("/preflight"), s.succeeds("preflight", "-o", "json"))
}
