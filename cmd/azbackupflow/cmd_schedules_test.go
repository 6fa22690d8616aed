package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/cli"
)

const someSchedules = `version: 1
schedules:
  - name: nightly-files
    cron: 30 2 * * *
    timeZone: Europe/Berlin
    select:
      vaultId: /subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/azurefiles/providers/Microsoft.RecoveryServices/vaults/azurefilesvault
    request: {flow: backup-now, parameters: {}}
  - name: drill
    cron: 0 12 1 * *
    timeZone: UTC
    enabled: false
    request:
      flow: backup-now
      parameters:
        backupInstanceId: /subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/g/providers/Microsoft.DataProtection/backupVaults/TestBkpVault/backupInstances/i
        rule: {name: BackupWeekly}
`

// declared writes a file and returns its path.
func declared(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// bare removes the folder of a file from output.
func bare(path, text string) string {
	return strings.ReplaceAll(text, filepath.Dir(path)+string(filepath.Separator), "")
}

func TestSchedulesNext_ShowsRunsAcrossAClockChange(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	file := declared(t, "schedules.yaml", someSchedules)
	s.golden("schedules-check", bare(file, s.succeeds("schedules", "check", "-f", file)))
	s.golden("schedules-next", s.succeeds("schedules", "next", "-f", file, "--after", "2026-03-27T12:00:00Z", "-n", "3"))
	s.golden("schedules-next-json", s.succeeds("-o", "json", "schedules", "next", "-f", file, "drill", "--after", "2026-03-27T12:00:00Z", "-n", "1"))
}

func TestSchedulesCheck_ShowsProblems(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	file := declared(t, "bad.yaml", `version: 1
schedules:
  - {name: nowhere, cron: 30 2 * * *, timeZone: Europe/Atlantis, request: {flow: backup-now, parameters: {}}}
  - {name: never, cron: 0 0 30 2 *, timeZone: UTC, request: {flow: back-up, parameters: {}}}
  - {name: delete, cron: 0 0 1 1 *, timeZone: UTC, request: {flow: delete-protection, parameters: {}}}
`)
	got := s.run("schedules", "check", "-f", file)
	require.Equal(t, cli.ExitUsage, got.code)
	s.golden("schedules-bad", bare(file, got.stdout+got.stderr))
	got = s.run("schedules", "check", "-f", "none.yaml")
	require.Equal(t, cli.ExitUsage, got.code)
	require.Contains(t, got.stderr, "none.yaml does not exist")
}
