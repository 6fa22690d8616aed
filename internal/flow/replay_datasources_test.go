package flow_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim/replay"
)

// The recordings of the Azure CLI's tests of Backup vaults, of 26 and 27 June
// 2024. The client validates twice; the ranges begin with its second validation.
// Where it did not validate, ours is left out of the comparison.

const recordedVaults = recordedServerGroup + "Microsoft.DataProtection/backupVaults/"

const (
	recordedDPPGroup   = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/clitest-dpp-rg"
	recordedDPPVaults  = recordedDPPGroup + "/providers/Microsoft.DataProtection/backupVaults/"
	recordedDisk       = recordedDPPGroup + "/providers/Microsoft.Compute/disks/clitest-disk-donotdelete"
	recordedNewDisk    = recordedDPPGroup + "/providers/Microsoft.Compute/disks/clitest-disk-restored"
	recordedAccounts   = recordedDPPGroup + "/providers/Microsoft.Storage/storageAccounts/"
	recordedCluster    = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/oss-clitest-rg/providers/Microsoft.ContainerService/managedClusters/clitest-cluster1-donotdelete"
	recordedMySQL      = recordedServerGroup + "Microsoft.DBforMySQL/flexibleServers/clitest-mysql-server"
	recordedMySQLFiles = "https://clitestecysa.blob.core.windows.net/clitestmysqlblob"
)

// recordedRun is one operation over a recording.
type recordedRun struct {
	flow       string
	parameters object
	learned    map[string]string
}

// recordedStory is a recording, and what flows make of it.
type recordedStory struct {
	file     string
	from, to int
	day      time.Time
	runs     []recordedRun
	writes   []string
}

func recordedTags() object { return object{"Owner": "dppclitest", "Purpose": "Testing"} }

func recordedStories() map[string]recordedStory {
	const (
		diskInstance    = "clitest-disk-donotdelete-clitest-disk-donotdelete-b7e6f082-b310-11eb-8f55-9cfce85d4fa1"
		oldDisk         = "clitest-disk-persistent-bi-donotdelete-clitest-disk-persistent-bi-donotdelete-e33c80ba-0bf8-11ee-aaa6-002b670b472e"
		blobInstance    = "clitestsadonotdelete-clitestsadonotdelete-b7e6f082-b310-11eb-8f55-9cfce85d4fa1"
		clusterInstance = "clitest-cluster1-donotdelete-clitest-cluster1-donotdelete-faec6818-0720-11ec-bd1b-c8f750f92764"
		mysqlInstance   = "clitest-mysql-server-faec6818-0720-11ec-bd1b-c8f750f92764"
		vault           = recordedDPPVaults + "clitest-bkp-vault-donotdelete"
		persistent      = recordedDPPVaults + "clitest-bkp-vault-persistent-bi-donotdelete"
		clusterVault    = recordedDPPVaults + "clitest-bkp-vault-aks-donotdelete"
		mysqlVault      = recordedVaults + "clitest-bkp-vault-ecy-donotdelete"
	)
	in := func(vault, instance string) string { return vault + "/backupInstances/" + instance }
	latest := object{"latest": true}
	return map[string]recordedStory{
		"disk_backup": {
			file: "disk_backup", from: 11, day: time.Date(2024, 6, 27, 6, 0, 0, 0, time.UTC),
			runs: []recordedRun{
				{"protect-disk", object{
					"vaultId": vault, "diskId": recordedDisk, "location": "centraluseuap", "policy": "diskpolicy",
					"snapshotResourceGroupId": recordedDPPGroup, "instanceName": diskInstance, "tags": recordedTags(),
				}, map[string]string{"backupInstanceId": in(vault, diskInstance)}},
				{"backup-now", object{"backupInstanceId": in(vault, diskInstance), "rule": object{"name": "BackupHourly"}}, map[string]string{"jobId": "9af71274-2cd1-49da-a86e-42ede131a5eb"}},
				{"delete-protection", object{"backupInstanceId": in(vault, diskInstance)}, map[string]string{"deletion": "gone"}},
			},
			writes: []string{"POST validateForBackup", "PUT " + diskInstance, "POST backup", "DELETE " + diskInstance},
		},
		"disk_restore": {
			file: "disk_restore", from: 0, to: 28, day: time.Date(2024, 6, 26, 7, 50, 0, 0, time.UTC),
			runs: []recordedRun{{"restore-disk", object{
				"backupInstanceId": in(persistent, oldDisk), "recoveryPoint": latest, "targetDiskId": recordedNewDisk, "location": "centraluseuap",
			}, map[string]string{"jobId": "0c23e28a-1e93-40c7-bc26-55b9e7001b6a", "recoveryPointId": "f65f6e16a51f44a8b66a76fa33b35ad5"}}},
			writes: []string{"POST validateRestore", "POST restore"},
		},
		"blob_backup": {
			file: "blob_backup", from: 7, day: time.Date(2024, 6, 27, 6, 0, 0, 0, time.UTC),
			runs: []recordedRun{{"protect-blobs", object{
				"vaultId": vault, "storageAccountId": recordedAccounts + "clitestsadonotdelete", "location": "centraluseuap", "policy": "blobpolicy",
				"containers": []string{"testcontainer"}, "instanceName": blobInstance, "tags": recordedTags(),
			}, nil}},
			writes: []string{"POST validateForBackup", "PUT " + blobInstance},
		},
		"aks": {
			file: "aks", from: 6, day: time.Date(2024, 6, 26, 7, 50, 0, 0, time.UTC),
			runs: []recordedRun{
				{"protect-cluster", object{
					"vaultId": clusterVault, "clusterId": recordedCluster, "location": "eastus2euap", "policy": "akspolicy",
					"snapshotResourceGroupId": recordedDPPGroup, "friendlyName": "clitest-friendly-aks", "instanceName": clusterInstance,
				}, nil},
				{"backup-now", object{"backupInstanceId": in(clusterVault, clusterInstance), "rule": object{"name": "BackupHourly"}}, map[string]string{"jobId": "0a11fc24-4d8d-42bd-a8d9-309923d7d994"}},
				{"restore-cluster", object{
					"backupInstanceId": in(clusterVault, clusterInstance), "recoveryPoint": latest, "targetClusterId": recordedCluster, "location": "eastus2euap",
				}, map[string]string{"jobId": "7cfa9212-5d81-45d9-a354-3fd43aca13f6", "recoveryPointId": "7df0f23f38384ea1af4e24bc5e3feaba"}},
				{"delete-protection", object{"backupInstanceId": in(clusterVault, clusterInstance)}, map[string]string{"deletion": "gone"}},
			},
			writes: []string{"POST validateForBackup", "PUT " + clusterInstance, "POST backup", "POST validateRestore", "POST restore", "DELETE " + clusterInstance},
		},
		"mysql": {
			file: "mysql", from: 6, day: time.Date(2024, 6, 26, 7, 50, 0, 0, time.UTC),
			runs: []recordedRun{
				{"protect-mysql", object{
					"vaultId": mysqlVault, "serverId": recordedMySQL, "location": "eastus2euap", "policy": "mysqlpolicy", "instanceName": mysqlInstance,
				}, nil},
				{"backup-now", object{"backupInstanceId": in(mysqlVault, mysqlInstance), "rule": object{"name": "BackupWeekly"}}, map[string]string{"jobId": "79b05053-9b23-45d4-9a11-3096fc8ac442"}},
				{"restore-mysql", object{
					"backupInstanceId": in(mysqlVault, mysqlInstance), "recoveryPoint": latest, "asFiles": object{"containerUrl": recordedMySQLFiles, "prefix": "targetmysql"},
				}, map[string]string{"jobId": "3ae3d504-13c7-4db2-9626-2e470e45e1a7", "recoveryPointId": "cf3589cb240e4c5a8f8356014e0f9ac8"}},
				{"delete-protection", object{"backupInstanceId": in(mysqlVault, mysqlInstance)}, map[string]string{"deletion": "gone"}},
			},
			writes: []string{"POST validateForBackup", "PUT " + mysqlInstance, "POST backup", "POST validateRestore", "POST restore", "DELETE " + mysqlInstance},
		},
	}
}

// replayedVault returns a rig over a part of a recording of a Backup vault.
func replayedVault(t *testing.T, s recordedStory) (*rig, *replay.Server) {
	t.Helper()
	file := filepath.Join(filepath.Dir(recording(t)), "azure-cli-dataprotection_"+s.file+".yaml")
	if _, err := os.Stat(file); err != nil {
		t.Skip("the recording is not here; AZBACKUPFLOW_SHARED says where it is: " + err.Error())
	}
	var server *replay.Server
	r := newRig(t, s.day, func(*rig) (string, func() string) {
		var err error
		server, err = replay.New(replay.Config{File: file, From: s.from, To: s.to})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, server.Close()) })
		return server.Endpoint(), func() string { return "token" }
	})
	return r, server
}

func TestReplay_DatasourceFlowsSendTheRecordedRequests(t *testing.T) {
	t.Parallel()
	for name, story := range recordedStories() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, server := replayedVault(t, story)
			var last string
			for _, run := range story.runs {
				op := r.succeeds(run.flow, run.parameters)
				for fact, want := range run.learned {
					require.Equal(t, want, op.Learned[fact], fact)
				}
				last = op.ID
			}
			require.Empty(t, server.Mismatches(), "%v", r.story(last))
			require.Equal(t, story.writes, sentAsRecorded(t, server))
		})
	}
}

// The ends of the two restores of blobs were not recorded: their jobs are followed
// to the last state that was.
func TestReplay_BlobRestoresSendTheRecordedRequests(t *testing.T) {
	t.Parallel()
	persistent := recordedDPPVaults + "clitest-bkp-vault-persistent-bi-donotdelete/backupInstances/"
	for name, c := range map[string]struct {
		story      recordedStory
		parameters object
		job        string
	}{
		"to a time, in place": {
			recordedStory{file: "blob_restore_point_in_time", day: time.Date(2024, 6, 26, 7, 59, 0, 0, time.UTC), writes: []string{"POST findRestorableTimeRanges", "POST validateRestore", "POST restore"}},
			object{
				"backupInstanceId": persistent + "clitestsabidonotdelete-clitestsabidonotdelete-887c3538-0bfc-11ee-acd3-002b670b472e",
				"pointInTime":      object{"at": "2024-06-11T07:58:54Z"}, "targetAccountId": recordedAccounts + "clitestsabidonotdelete", "location": "centraluseuap",
			}, "b43263b8-5db1-43fb-85fc-1a77193981a8",
		},
		"a container, to another account": {
			recordedStory{file: "blob_restore_vaulted", day: time.Date(2024, 6, 26, 8, 0, 0, 0, time.UTC), writes: []string{"POST restore"}},
			object{
				"backupInstanceId": persistent + "clitestsavltdonotdelete-clitestsavltdonotdelete-65176b0a-64ad-4247-9866-19204633c0d5",
				"recoveryPoint":    object{"id": "2aac77d8011a4f0e8d458da58212e6c6"}, "targetAccountId": recordedAccounts + "clitestvsdonotdelete",
				"paths": []string{"container1"}, "location": "centraluseuap",
			}, "1e8b8d67-ed09-48ed-b243-ae41950a37ec",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, server := replayedVault(t, c.story)
			id := r.begin("restore-blobs", c.parameters)
			r.until(id, "await-restore-job")
			require.Equal(t, c.job, r.operation(id).Tracking.JobID[len(r.operation(id).Tracking.JobID)-len(c.job):])
			require.Empty(t, server.Mismatches(), "%v", r.story(id))
			require.Equal(t, c.story.writes, sentAsRecorded(t, server))
		})
	}
}
