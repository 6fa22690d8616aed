package flow_test

import (
	"encoding/json"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/flow"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/operation"
)

func databaseRestore(more object) object {
	p := object{"itemId": demoDatabase, "recoveryPoint": object{"latest": true}, "toOriginal": true}
	maps.Copy(p, more)
	return p
}

func otherDatabase(more object) object {
	d := object{"virtualMachineId": demoMachines + "sqlvm", "instance": "MSSQLSERVER", "database": "orders2"}
	maps.Copy(d, more)
	return databaseRestore(object{"toOriginal": false, "toDatabase": d})
}

// objectOf returns a value that must be an object.
func objectOf(t *testing.T, v any) object {
	t.Helper()
	o, ok := v.(object)
	require.True(t, ok)
	return o
}

// lastRestore returns the properties of the last request that started a restore.
func lastRestore(t *testing.T, sim *armsim.Simulator) object {
	t.Helper()
	var body struct{ Properties object }
	for _, request := range sim.Requests() {
		if request.Kind == "POST restore" {
			body.Properties = nil
			require.NoError(t, json.Unmarshal([]byte(request.Body), &body))
		}
	}
	require.NotNil(t, body.Properties)
	return body.Properties
}

func TestRestoreDatabase_RestoresIntoItself(t *testing.T) {
	t.Parallel()
	r, sim := simulated(t, armsim.DemoWorld())
	op := r.succeeds("restore-database", databaseRestore(nil))
	require.Equal(t, "sqlvm/MSSQLSERVER/orders", op.Learned["restoreDestination"])
	require.NotContains(t, lastRestore(t, sim), "targetInfo")
	require.NotContains(t, r.path(op.ID), "place-files")
	hana := r.succeeds("restore-database", databaseRestore(object{"itemId": demoHana}))
	require.Equal(t, "hanavm/HDB/SYSTEMDB", hana.Learned["restoreDestination"])
	require.Equal(t, "AzureWorkloadSAPHanaRestoreRequest", lastRestore(t, sim)["objectType"])
	require.NotContains(t, lastRestore(t, sim), "shouldUseAlternateTargetLocation")
}

// The paths of the files are read from Azure, and their names are new.
func TestRestoreDatabase_PlacesTheFilesOfAnotherDatabase(t *testing.T) {
	t.Parallel()
	r, sim := simulated(t, armsim.DemoWorld())
	op := r.succeeds("restore-database", otherDatabase(nil))
	require.Equal(t, "sqlvm/MSSQLSERVER/orders2", op.Learned["restoreDestination"])
	p := lastRestore(t, sim)
	require.Equal(t, "MSSQLSERVER/orders2", objectOf(t, p["targetInfo"])["databaseName"])
	require.Equal(t, "FailOnConflict", objectOf(t, p["targetInfo"])["overwriteOption"])
	paths, ok := p["alternateDirectoryPaths"].([]any)
	require.True(t, ok)
	require.Len(t, paths, 2)
	require.Regexp(t, `^C:\\Program Files\\.*\\DATA\\orders_\d+\.mdf$`, objectOf(t, paths[0])["targetPath"])
	require.Regexp(t, `\\orders_log_\d+\.ldf$`, objectOf(t, paths[1])["targetPath"])
}

func TestRestoreDatabase_RestoresFiles(t *testing.T) {
	t.Parallel()
	r, sim := simulated(t, armsim.DemoWorld())
	op := r.succeeds("restore-database", databaseRestore(object{"toOriginal": false, "toFiles": object{"virtualMachineId": demoMachines + "sqlvm", "directory": `F:\restored`, "overwrite": true}}))
	require.NotContains(t, r.path(op.ID), "place-files")
	p := lastRestore(t, sim)
	require.Equal(t, "FileRecovery", p["recoveryMode"])
	require.Equal(t, "Overwrite", objectOf(t, p["targetInfo"])["overwriteOption"])
}

func TestRestoreDatabase_RestoresATimeOfTheLogChain(t *testing.T) {
	t.Parallel()
	r, sim := simulated(t, armsim.DemoWorld())
	before := r.clock.Now()
	require.Equal(t, "NoRecoveryPoint", r.fails("restore-database", databaseRestore(object{"recoveryPoint": object{"pointInTime": before}})).Code, "there is no log backup")
	r.clock.Advance(time.Hour)
	r.succeeds("backup-now", object{"itemId": demoDatabase, "backupType": "Log"})
	at := before.Add(30 * time.Minute)
	op := r.succeeds("restore-database", databaseRestore(object{"recoveryPoint": object{"pointInTime": at}}))
	require.Equal(t, "DefaultRangeRecoveryPoint", op.Learned["recoveryPointId"])
	require.Equal(t, at.Format(time.RFC3339), lastRestore(t, sim)["pointInTime"])
	elsewhere := otherDatabase(object{"database": "orders3"})
	elsewhere["recoveryPoint"] = object{"pointInTime": at}
	r.succeeds("restore-database", elsewhere)
	require.Len(t, lastRestore(t, sim)["alternateDirectoryPaths"], 2)
	late := r.fails("restore-database", databaseRestore(object{"recoveryPoint": object{"pointInTime": before.Add(-time.Hour)}}))
	require.Equal(t, "NoRecoveryPoint", late.Code)
	require.Contains(t, late.Message, "it contains 2026-03-01T08:00:00Z to 2026-03-01T0")
	require.Len(t, sim.ItemRestores(), 2)
}

// DefaultRangeRecoveryPoint is in every list of a database, even without a
// backup: it is never treated as the latest one.
func TestRestoreDatabase_NeverTakesTheLogChainForTheLatest(t *testing.T) {
	t.Parallel()
	chain := object{"name": "DefaultRangeRecoveryPoint", "properties": object{
		"objectType": "AzureWorkloadSQLPointInTimeRecoveryPoint", "type": "Log", "timeRanges": []object{{"startTime": "2026-02-28T00:00:00Z", "endTime": "2026-03-01T07:59:59Z"}},
	}}
	old := object{"name": "1", "properties": object{"objectType": "AzureWorkloadSQLRecoveryPoint", "recoveryPointTimeInUTC": "2026-02-01T00:00:00Z", "type": "Full"}}
	deleted := object{"name": "2", "properties": object{
		"objectType": "AzureWorkloadSQLRecoveryPoint", "recoveryPointTimeInUTC": "2026-02-02T00:00:00Z", "type": "Full", "recoveryPointProperties": object{"isSoftDeleted": true},
	}}
	r, _ := simulated(t, armsim.DemoWorld())
	op := r.operation(r.begin("restore-database", databaseRestore(nil)))
	op.Learned = map[string]string{"itemId": demoDatabase}
	azure := &stub{t: t, answers: map[string]reply{"GET recoveryPoints": list(chain, deleted, old)}}
	out, err := azure.run("restore-database", "pick-recovery-point", op)
	require.NoError(t, err)
	require.Equal(t, "1", out.Learned["recoveryPointId"])
	azure.answers["GET recoveryPoints"] = list(chain)
	_, err = azure.run("restore-database", "pick-recovery-point", op)
	requireError(t, err, "NoRecoveryPoint", operation.Fatal)
}

// A restore job is named "Restore (Full)" once it has ended: a lost answer is
// still reconciled with it.
func TestRestoreDatabase_FindsItsJobByTheNameOfAWorkload(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]armsim.Effect{
		"the answer is lost": armsim.ResetAfter(), "the request is lost": armsim.ResetBefore(), "the status is gone at once": armsim.ExpiredStatus(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, sim := simulated(t, armsim.DemoWorld())
			sim.Inject(armsim.Rule{Kind: "POST restore", Times: 1, Effect: effect})
			op := r.succeeds("restore-database", otherDatabase(nil))
			require.Len(t, sim.ItemRestores(), 1, "%v", r.story(op.ID))
			require.Equal(t, sim.ItemRestores()[0].JobID, op.Learned["jobId"])
		})
	}
}

func TestRestoreDatabase_RejectsATargetThatTheVaultDoesNotKnow(t *testing.T) {
	t.Parallel()
	r, sim := simulated(t, armsim.DemoWorld())
	require.Equal(t, "InstanceNotFound", r.fails("restore-database", otherDatabase(object{"instance": "OTHER"})).Code)
	require.Equal(t, "TargetNotRegistered", r.fails("restore-database", otherDatabase(object{"virtualMachineId": demoMachines + "vm1"})).Code)
	require.Empty(t, sim.ItemRestores())
	azure := &stub{t: t, allows: flow.Guardrails{RestoreTargets: []string{demoAccount}}}
	op := r.operation(r.begin("restore-database", databaseRestore(nil)))
	op.Learned = map[string]string{"itemId": demoDatabase, "sourceResourceId": demoMachines + "sqlvm", "itemType": "AzureVmWorkloadSQLDatabase", "recoveryPointId": "1"}
	_, err := azure.run("restore-database", "restore", op)
	requireError(t, err, "NotAllowed", operation.Fatal)
	require.Empty(t, azure.asked)
}
