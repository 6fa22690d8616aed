package flow_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/flow"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/operation"
)

const (
	demoRestores = demoGroups + "restored"
	demoNewDisk  = demoRestores + "/providers/Microsoft.Compute/disks/restored1"
)

// demoRestoresOf are requests to restore the datasources of the demo, without the
// instance.
func demoRestoresOf() map[string]source {
	latest := object{"latest": true}
	return map[string]source{
		"PostgreSQL server": {"restore-postgres", object{"recoveryPoint": latest, "asFiles": asFiles("x")}, demoContainer},
		"MySQL server":      {"restore-mysql", object{"recoveryPoint": latest, "asFiles": asFiles("x")}, demoContainer},
		"disk":              {"restore-disk", object{"recoveryPoint": latest, "targetDiskId": demoNewDisk}, demoNewDisk},
		"operational blobs": {"restore-blobs", object{"pointInTime": latest, "targetAccountId": demoBlobs}, demoBlobs},
		"vaulted blobs":     {"restore-blobs", object{"recoveryPoint": latest, "targetAccountId": demoRestored, "paths": []string{"invoices", "images/2026/"}}, demoRestored},
		"data lake": {"restore-blobs", object{
			"recoveryPoint": latest, "targetAccountId": demoRestored, "paths": []string{"raw"}, "renames": object{"raw": "raw-restored"},
		}, demoRestored},
		"cluster": {"restore-cluster", object{"recoveryPoint": latest, "targetClusterId": demoCluster2, "namespaceMappings": object{"shop": "shop-restored"}}, demoCluster2},
	}
}

func (s source) of(instance string) object {
	p := maps.Clone(s.parameters)
	p["backupInstanceId"] = instance
	return p
}

func TestRestore_RestoresEveryDatasource(t *testing.T) {
	t.Parallel()
	for name, s := range demoRestoresOf() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, sim, id := protectedSourceOf(t, name)
			if name == "operational blobs" {
				r.failsWith("BackupContinuous", "backup-now", object{"backupInstanceId": id})
			} else {
				r.failsWith("NoRecoveryPoint", s.flow, s.of(id))
				r.succeeds("backup-now", object{"backupInstanceId": id})
			}

			op := r.succeeds(s.flow, s.of(id))

			require.Len(t, sim.Restores(), 1)
			restore := sim.Restores()[0]
			require.True(t, strings.EqualFold(s.id, restore.Target), restore.Target)
			require.Equal(t, s.id, op.Learned["restoreTarget"])
			require.Equal(t, op.Learned["jobId"], restore.JobID)
			require.Equal(t, op.Learned["attempt"], restore.ActivityID)
			require.Equal(t, op.Learned["recoveryPointId"], restore.RecoveryPoint)
			require.NotEmpty(t, op.Learned["recoveryPointTime"])
		})
	}
}

// sentRestore returns the body of the only restore, and its api-version.
func sentRestore(t *testing.T, sim *armsim.Simulator) (body object, version string) {
	t.Helper()
	for _, request := range sim.Requests() {
		if request.Kind != "POST restore" {
			continue
		}
		require.Nil(t, body, "one restore")
		require.NoError(t, json.Unmarshal([]byte(request.Body), &body))
		version = request.Query.Get("api-version")
	}
	require.NotNil(t, body)
	return body, version
}

// A whole cluster is restored with exactly one criterion, too.
func TestRestoreCluster_AlwaysHasOneCriterionAndTheClusterAsSet(t *testing.T) {
	t.Parallel()
	r, sim, id := protectedSourceOf(t, "cluster")
	r.succeeds("backup-now", object{"backupInstanceId": id})
	r.succeeds("restore-cluster", object{"backupInstanceId": id, "recoveryPoint": object{"latest": true}, "targetClusterId": demoCluster2})
	body, _ := sentRestore(t, sim)
	require.Equal(t, "ItemLevelRestoreTargetInfo", at(t, body, "restoreTargetInfo.objectType"))
	require.Equal(t, demoCluster2, at(t, body, "restoreTargetInfo.datasourceSetInfo.resourceID"))
	require.Equal(t, "Microsoft.ContainerService/managedclusters", at(t, body, "restoreTargetInfo.datasourceInfo.resourceType"))
	require.Equal(t, []any{object{
		"objectType": "KubernetesClusterRestoreCriteria", "conflictPolicy": "Skip", "includeClusterScopeResources": true,
		"persistentVolumeRestoreMode": "RestoreWithVolumeData",
	}}, at(t, body, "restoreTargetInfo.restoreCriteria"))
}

func TestRestoreBlobs_RestoresADataLakeWithItsSetAndARenameAtANewerVersion(t *testing.T) {
	t.Parallel()
	r, sim, id := protectedSourceOf(t, "data lake")
	r.succeeds("backup-now", object{"backupInstanceId": id})
	r.succeeds("restore-blobs", demoRestoresOf()["data lake"].of(id))
	body, version := sentRestore(t, sim)
	require.Equal(t, "2025-07-01", version)
	require.Equal(t, demoRestored, at(t, body, "restoreTargetInfo.datasourceSetInfo.resourceID"))
	require.Equal(t, "raw-restored", at(t, body, "restoreTargetInfo.restoreCriteria.0.renameTo"))
}

func TestRestoreBlobs_RestoresPrefixesInPlaceAsRanges(t *testing.T) {
	t.Parallel()
	r, sim, id := protectedSourceOf(t, "operational blobs")
	when := morning().Add(30 * time.Minute)
	r.pass(morning().Add(time.Hour))
	r.succeeds("restore-blobs", object{
		"backupInstanceId": id, "pointInTime": object{"at": when}, "targetAccountId": demoBlobs, "paths": []string{"invoices", "images/2026"},
	})
	body, version := sentRestore(t, sim)
	require.Equal(t, "2024-04-01", version)
	require.Equal(t, "AzureBackupRecoveryTimeBasedRestoreRequest", body["objectType"])
	require.Equal(t, when.Format("2006-01-02T15:04:05.0000000Z"), body["recoveryPointTime"])
	require.Equal(t, "ItemLevelRestoreTargetInfo", at(t, body, "restoreTargetInfo.objectType"))
	require.Equal(t, []any{
		object{"objectType": "RangeBasedItemLevelRestoreCriteria", "minMatchingValue": "invoices", "maxMatchingValue": "invoices-0"},
		object{"objectType": "RangeBasedItemLevelRestoreCriteria", "minMatchingValue": "images/2026", "maxMatchingValue": "images/2027"},
	}, at(t, body, "restoreTargetInfo.restoreCriteria"))
}

func TestRestoreBlobs_PicksOnlyARestorableTime(t *testing.T) {
	t.Parallel()
	r, sim, id := protectedSourceOf(t, "operational blobs")
	r.pass(morning().Add(2 * time.Hour))
	before := object{"backupInstanceId": id, "targetAccountId": demoBlobs, "pointInTime": object{"at": morning().Add(-time.Hour)}}
	err := r.fails("restore-blobs", before)
	require.Equal(t, "NoRecoveryPoint", err.Code)
	require.Contains(t, err.Message, "its restorable times are")
	require.Empty(t, sim.Restores())
	before["pointInTime"] = object{"latestBefore": morning().Add(time.Hour)}
	op := r.succeeds("restore-blobs", before)
	require.Equal(t, morning().Add(time.Hour).Format(time.RFC3339), op.Learned["recoveryPointTime"])
}

func TestRestoreBlobs_RestoresAContinuousBackupInPlaceOnly(t *testing.T) {
	t.Parallel()
	r, sim, id := protectedSourceOf(t, "operational blobs")
	r.failsWith("RestoreNotPossible", "restore-blobs", object{"backupInstanceId": id, "targetAccountId": demoRestored, "pointInTime": object{"latest": true}})
	require.Empty(t, sim.Restores())
}

func TestRestore_RejectsAnInstanceOfAnotherDatasource(t *testing.T) {
	t.Parallel()
	r, sim, id := protectedSourceOf(t, "MySQL server")
	r.succeeds("backup-now", object{"backupInstanceId": id})
	for name, s := range demoRestoresOf() {
		if name != "MySQL server" {
			r.failsWith("DatasourceNotSupported", s.flow, s.of(id))
		}
	}
	require.Empty(t, sim.Restores())
}

// A second restore of a disk would need the name that the first one took.
func TestRestoreDisk_ReportsADiskThatExists(t *testing.T) {
	t.Parallel()
	r, sim, id := protectedSourceOf(t, "disk")
	r.succeeds("backup-now", object{"backupInstanceId": id})
	p := demoRestoresOf()["disk"].of(id)
	r.succeeds("restore-disk", p)
	r.failsWith("UserErrorTargetDiskAlreadyExists", "restore-disk", p)
	require.Len(t, sim.Restores(), 1, "the validation fails first")
}

// An operator may revoke a target after the operation started.
func TestRestore_ChecksTheTargetAgainBeforeTheCall(t *testing.T) {
	t.Parallel()
	for name, s := range demoRestoresOf() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			allowed := flow.ExampleGuardrails()
			b, err := flow.New(flow.Config{Now: morning, Guardrails: allowed})
			require.NoError(t, err)
			f, _ := b.Newest(s.flow)
			raw, err := json.Marshal(s.of(demoInstance))
			require.NoError(t, err)
			normal, err := f.Check(raw)
			require.NoError(t, err)
			azure := &stub{t: t, answer: func(*http.Request) reply {
				t.Error("nothing may be sent")
				return reply{status: http.StatusTeapot}
			}}
			_, err = azure.run(s.flow, "restore", operation.Operation{
				Identity:   operation.Identity{Flow: s.flow, Version: 1, Parameters: normal},
				AzureState: operation.AzureState{Learned: map[string]string{"recoveryPointId": "p", "recoveryPointTime": "2026-01-01T00:00:00Z"}},
			})
			var failure *operation.Error
			require.ErrorAs(t, err, &failure)
			require.Equal(t, "NotAllowed", failure.Code)
		})
	}
}
