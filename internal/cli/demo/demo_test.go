package demo

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli"
	"azbackupflow/internal/flow"
	"azbackupflow/internal/request"
)

const examplesFolder = "../../../examples"

func TestPlan_RunsEveryExampleAndEveryFlow(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(examplesFolder, "*.json"))
	require.NoError(t, err)
	first, rest, err := readPlan(examplesFolder)
	require.NoError(t, err)
	var planned []string
	flows, earlier := map[string]bool{}, map[string]bool{}
	for _, item := range append([]planItem{first}, rest...) {
		r, err := readExample(examplesFolder, item.File)
		require.NoError(t, err)
		planned, flows[r.Flow] = append(planned, filepath.Join(examplesFolder, item.File)), true
		for _, file := range item.After {
			require.True(t, earlier[file], "%s waits for %s, which is not planned before it", item.File, file)
		}
		earlier[item.File] = true
	}
	require.ElementsMatch(t, files, planned)
	registry, err := flow.New(flow.Config{Now: time.Now})
	require.NoError(t, err)
	for _, name := range registry.Names() {
		require.True(t, flows[name], "the demo does not run %s", name)
	}
}

func TestExamples_BackUpTheInstanceThatProtectionCreates(t *testing.T) {
	t.Parallel()
	var protect struct{ VaultID, ServerID string }
	var backup struct{ BackupInstanceID string }
	for file, into := range map[string]any{"protect-postgres.json": &protect, "backup-now-postgres.json": &backup} {
		raw, err := os.ReadFile(filepath.Join(examplesFolder, file))
		require.NoError(t, err)
		r, err := request.Read(raw)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(r.Parameters, into))
	}
	require.Equal(t, protect.VaultID+"/backupInstances/"+flow.InstanceName(protect.ServerID), backup.BackupInstanceID)
}

func TestReadExample_NamesARemedy(t *testing.T) {
	t.Parallel()
	_, err := readExample(t.TempDir(), "protect-file-share.json")
	require.Equal(t, cli.ExitUsage, cli.ExitCode(err))
	require.Contains(t, cli.Remedy(err, cli.Caller{}), "set --examples")
	_, _, err = readPlan(t.TempDir())
	require.Equal(t, cli.ExitUsage, cli.ExitCode(err))
	require.Contains(t, cli.Remedy(err, cli.Caller{}), "set --examples")
}

func TestBatch_FailsWithTheFirstOperationThatDidNotSucceed(t *testing.T) {
	t.Parallel()
	good, bad := api.Operation{Status: api.Succeeded}, api.Operation{ID: "x", Status: api.Failed}
	require.NoError(t, (&batch{items: []*batchItem{{operation: good}}}).err())
	var failed *cli.OperationError
	require.ErrorAs(t, (&batch{items: []*batchItem{{operation: good}, {operation: bad}, {}}}).err(), &failed)
	require.Error(t, (&batch{items: []*batchItem{{operation: good}, {}}}).err(), "an operation that never ran did not succeed")
}

func TestTrackJobOf_UsesTheVaultOfTheItem(t *testing.T) {
	t.Parallel()
	op := api.Operation{JobID: "j", Parameters: json.RawMessage(`{"itemId":"/vaults/v/backupFabrics/Azure/x"}`)}
	r, err := trackJobOf(api.Request{Flow: "track-job"}, op)
	require.NoError(t, err)
	require.JSONEq(t, `{"jobId":"/vaults/v/backupJobs/j"}`, string(r.Parameters))
	op.JobID = ""
	_, err = trackJobOf(r, op)
	require.ErrorContains(t, err, "no job")
}
