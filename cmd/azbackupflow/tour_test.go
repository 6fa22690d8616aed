package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/flow"
	"azbackupflow/internal/request"
)

func TestDemoRunsEveryExampleAndEveryFlow(t *testing.T) {
	t.Parallel()
	examples := filepath.Join("..", "..", "examples")
	files, err := filepath.Glob(filepath.Join(examples, "*.json"))
	require.NoError(t, err)
	first, err := demoRequest(examples, demoFirst)
	require.NoError(t, err)
	planned, flows := []string{filepath.Join(examples, demoFirst)}, map[string]bool{first.Flow: true}
	before := map[string]bool{}
	for _, item := range demoPlan() {
		r, err := demoRequest(examples, item.file)
		require.NoError(t, err)
		planned, flows[r.Flow] = append(planned, filepath.Join(examples, item.file)), true
		for _, file := range item.after {
			require.True(t, before[file], "%s waits for %s, which never comes before it", item.file, file)
		}
		before[item.file] = true
	}
	require.ElementsMatch(t, files, planned)
	registry, err := flow.New(flow.Config{Now: time.Now})
	require.NoError(t, err)
	for _, name := range registry.Names() {
		require.True(t, flows[name], "the demo does not run %s", name)
	}
}

func TestBackupOfTheServerIsOfTheInstanceThatItsProtectionMakes(t *testing.T) {
	t.Parallel()
	var protect struct{ VaultID, ServerID string }
	var backup struct{ BackupInstanceID string }
	for file, into := range map[string]any{"protect-postgres.json": &protect, "backup-now-postgres.json": &backup} {
		raw, err := os.ReadFile(filepath.Join("..", "..", "examples", file))
		require.NoError(t, err)
		r, err := request.Read(raw)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(r.Parameters, into))
	}
	require.Equal(t, protect.VaultID+"/backupInstances/"+flow.InstanceName(protect.ServerID), backup.BackupInstanceID)
}

func TestDemoWithoutItsExamplesSaysWhatToDo(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	r := s.run("demo", "--examples", t.TempDir())
	require.Equal(t, exitUsage, r.code)
	require.Contains(t, r.stderr, "say with --examples where the requests are")
}

func TestTourFailsWithTheFirstThatDidNotSucceed(t *testing.T) {
	t.Parallel()
	good, bad := api.Operation{Status: api.Succeeded}, api.Operation{ID: "x", Status: api.Failed}
	require.NoError(t, (&tour{stops: []*stop{{view: good}}}).failure())
	var unlucky *unsuccessful
	require.ErrorAs(t, (&tour{stops: []*stop{{view: good}, {view: bad}, {}}}).failure(), &unlucky)
	require.Error(t, (&tour{stops: []*stop{{view: good}, {}}}).failure(), "what never ran did not succeed")
}

func TestJobIsFollowedInTheVaultOfItsItem(t *testing.T) {
	t.Parallel()
	of := api.Operation{JobID: "j", Parameters: json.RawMessage(`{"itemId":"/vaults/v/backupFabrics/Azure/x"}`)}
	r, err := trackJobOf(api.Request{Flow: "track-job"}, of)
	require.NoError(t, err)
	require.JSONEq(t, `{"jobId":"/vaults/v/backupJobs/j"}`, string(r.Parameters))
	of.JobID = ""
	_, err = trackJobOf(r, of)
	require.ErrorContains(t, err, "no job")
}
