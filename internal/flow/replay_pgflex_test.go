package flow_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/armsim/replay"
)

// The recording of the Azure CLI's test of 26 June 2024 protects a flexible
// server, backs it up, restores it as files and deletes its backups. The client
// validates twice: in the interactions 1 to 5 with a separate command, and in 6
// to 10 as a part of protecting. A flow validates once, as the latter.
const (
	firstServerInteraction = 6

	recordedServerGroup  = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/clitest-dpp-ecy-rg/providers/"
	recordedBackupVault  = recordedServerGroup + "Microsoft.DataProtection/backupVaults/clitest-bkp-vault-ecy-donotdelete"
	recordedServer       = recordedServerGroup + "Microsoft.DBforPostgreSQL/flexibleServers/clitest-pgflex-server-2"
	recordedInstanceName = "clitest-pgflex-server-faec6818-0720-11ec-bd1b-c8f750f92764"
	recordedInstance     = recordedBackupVault + "/backupInstances/" + recordedInstanceName
	recordedContainer    = "https://clitestecysa.blob.core.windows.net/clitestpgflexblob"

	recordedServerBackup  = "53f3012a-aa0c-4317-a9c6-eda498ddee55"
	recordedServerRestore = "cab20de7-2f2a-420b-9f0d-236a5d2da889"
	recordedServerPoint   = "72f990c41eb8498bbf13b915b1521f77"
	// recordedJobReads is the number of times that the client read the backup's
	// job.
	recordedJobReads = 83
)

// recordedPostgres returns a rig over the recording, with the clock at a time
// of its day. It skips the test if the recording is missing.
func recordedPostgres(t *testing.T, at time.Time, from, to int) (*rig, *replay.Server) {
	t.Helper()
	file := filepath.Join(filepath.Dir(recording(t)), "azure-cli-dataprotection_pgflex.yaml")
	if _, err := os.Stat(file); err != nil {
		t.Skip("the recording is not here; AZBACKUPFLOW_SHARED says where it is: " + err.Error())
	}
	var server *replay.Server
	r := newRig(t, at, func(*rig) (string, func() string) {
		var err error
		server, err = replay.New(replay.Config{File: file, From: from, To: to})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, server.Close()) })
		return server.Endpoint(), func() string { return "token" }
	})
	return r, server
}

func recordedProtection() object {
	return object{
		"vaultId": recordedBackupVault, "serverId": recordedServer, "location": "eastus2euap",
		"policy": "pgflexpolicy", "instanceName": recordedInstanceName,
	}
}

func TestReplay_PostgresFlowsSendTheRecordedRequests(t *testing.T) {
	t.Parallel()
	r, server := recordedPostgres(t, time.Date(2024, 6, 26, 7, 50, 48, 0, time.UTC), firstServerInteraction, 0)

	protected := r.succeeds("protect-postgres", recordedProtection())
	require.Equal(t, recordedInstance, protected.Learned["backupInstanceId"])
	require.Contains(t, r.path(protected.ID), "await-protection", "the answer to the PUT is not the end")

	backedUp := r.succeeds("backup-now", object{"backupInstanceId": recordedInstance, "rule": object{"name": "BackupWeekly"}})
	require.Equal(t, recordedServerBackup, backedUp.Learned["jobId"])

	restored := r.succeeds("restore-postgres", object{
		"backupInstanceId": recordedInstance, "recoveryPoint": object{"latest": true},
		"asFiles": object{"containerUrl": recordedContainer, "prefix": "targetpgflex"},
	})
	require.Equal(t, recordedServerPoint, restored.Learned["recoveryPointId"])
	require.Equal(t, recordedServerRestore, restored.Learned["jobId"])

	deleted := r.succeeds("delete-protection", object{"backupInstanceId": recordedInstance})
	require.Equal(t, "gone", deleted.Learned["deletion"])

	require.Empty(t, server.Mismatches(), "%v", r.story(deleted.ID))
	require.True(t, server.Done(), "every recorded operation and job was followed to its end")
	require.Equal(t, []string{
		"POST validateForBackup", "PUT " + recordedInstanceName, "POST backup", "POST validateRestore", "POST restore", "DELETE " + recordedInstanceName,
	}, sentAsRecorded(t, server))
}

// The client's first validation is the same request with other casing.
func TestReplay_FirstValidationIsTheRecordedOne(t *testing.T) {
	t.Parallel()
	r, server := recordedPostgres(t, time.Date(2024, 6, 26, 7, 49, 42, 0, time.UTC), 1, firstServerInteraction-1)
	r.until(r.begin("protect-postgres", recordedProtection()), "configure")
	require.Empty(t, server.Mismatches())
	require.True(t, server.Done())
	require.Equal(t, []string{"POST validateForBackup"}, sentAsRecorded(t, server))
}

// A backup that takes as long as the recorded one is polled less often than the
// client polled it.
func TestReplay_ReadsJobsLessOftenThanTheRecordedClient(t *testing.T) {
	t.Parallel()
	r, sim := simulated(t, armsim.DemoWorld())
	id := r.succeeds("protect-postgres", protectServer()).Learned["backupInstanceId"]
	r.succeeds("backup-now", object{"backupInstanceId": id})
	reads := 0
	for _, request := range sim.Requests() {
		if request.Kind == "GET backupJobs" {
			reads++
		}
	}
	require.Positive(t, reads)
	require.Less(t, reads, recordedJobReads/2)
}

// sentAsRecorded compares each write with the recorded one, and returns the
// writes.
func sentAsRecorded(t *testing.T, server *replay.Server) (made []string) {
	t.Helper()
	for _, w := range server.Writes() {
		require.True(t, w.Matched)
		require.Equal(t, w.RecordedMethod, w.Method)
		require.True(t, strings.EqualFold(w.RecordedPath, w.Path), "%s is not the recorded %s", w.Path, w.RecordedPath)
		require.Equal(t, said(t, w.RecordedBody), said(t, w.Body), w.Path)
		made = append(made, w.Method+" "+w.Path[strings.LastIndexByte(w.Path, '/')+1:])
	}
	return made
}

// said decodes a body for a comparison, without empty values (an absent field,
// null and {} are equal) and without the casing of names: the client wrote
// resourceId once and resourceID later.
func said(t *testing.T, text string) any {
	t.Helper()
	if text == "" {
		return nil
	}
	var all any
	require.NoError(t, json.Unmarshal([]byte(text), &all))
	return meaning(all)
}

func meaning(value any) any {
	if list, ok := value.([]any); ok {
		all := make([]any, len(list))
		for i, element := range list {
			all[i] = meaning(element)
		}
		return all
	}
	fields, ok := value.(map[string]any)
	if !ok {
		return value
	}
	kept := map[string]any{}
	for name, field := range fields {
		if field = meaning(field); field != nil {
			kept[strings.ToLower(name)] = field
		}
	}
	if len(kept) == 0 {
		return nil
	}
	return kept
}
