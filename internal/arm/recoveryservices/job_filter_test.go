package recoveryservices

import (
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm/armtest"
)

func TestJob_RunsAnOperationInEveryForm(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"Backup": true, "backup": true, "Backup (Full)": true, "Backup (Log)": true,
		"ConfigureBackup": false, "DisableBackup": false, "DeleteBackupData": false, "BackupX": false, "Restore (Full)": false, "": false,
	} {
		require.Equal(t, want, Job{Operation: name}.Runs(OperationBackup), name)
	}
}

func TestListJobs_FiltersTheOperationInTheClient(t *testing.T) {
	t.Parallel()
	server, requests := armtest.Serve(t, armtest.Says(`{"value":[
		{"name":"a","properties":{"operation":"Backup (Full)"}},{"name":"b","properties":{"operation":"Restore"}},{"name":"c","properties":{"operation":"Backup"}}]}`))
	jobs, err := New(armtest.Client(t, server)).ListJobs(t.Context(), demoVault(), JobFilter{Operation: OperationBackup})
	require.NoError(t, err)
	require.Len(t, jobs, 2)
	require.Equal(t, "a", jobs[0].Name)
	require.Equal(t, "c", jobs[1].Name)
	require.NotContains(t, requests()[0].URL, "operation")
}
