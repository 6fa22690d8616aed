package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/armsim/replay"
	"azbackupflow/internal/local/stack"
)

const (
	clitest       = "/subscriptions/" + armsim.DemoSubscription + "/resourceGroups/clitest-dpp-rg"
	clitestVaults = clitest + "/providers/Microsoft.DataProtection/backupVaults/"
	clitestECY    = "/subscriptions/" + armsim.DemoSubscription + "/resourceGroups/clitest-dpp-ecy-rg/providers/"
)

// replayedStory is a recording of Backup vaults, and the requests that make the
// program send what was recorded.
type replayedStory struct {
	file     string
	from, to int
	targets  string
	requests []map[string]any
	// unfinished means that the end of the last job was not recorded.
	unfinished bool
	writes     []string
}

func replayedStories() map[string]replayedStory {
	const (
		disk          = "clitest-disk-donotdelete-clitest-disk-donotdelete-b7e6f082-b310-11eb-8f55-9cfce85d4fa1"
		oldDisk       = "clitest-disk-persistent-bi-donotdelete-clitest-disk-persistent-bi-donotdelete-e33c80ba-0bf8-11ee-aaa6-002b670b472e"
		blobs         = "clitestsadonotdelete-clitestsadonotdelete-b7e6f082-b310-11eb-8f55-9cfce85d4fa1"
		cluster       = "clitest-cluster1-donotdelete-clitest-cluster1-donotdelete-faec6818-0720-11ec-bd1b-c8f750f92764"
		mysql         = "clitest-mysql-server-faec6818-0720-11ec-bd1b-c8f750f92764"
		vault         = clitestVaults + "clitest-bkp-vault-donotdelete"
		persistent    = clitestVaults + "clitest-bkp-vault-persistent-bi-donotdelete/backupInstances/"
		clusterVault  = clitestVaults + "clitest-bkp-vault-aks-donotdelete"
		mysqlVault    = clitestECY + "Microsoft.DataProtection/backupVaults/clitest-bkp-vault-ecy-donotdelete"
		clusterSource = "/subscriptions/" + armsim.DemoSubscription + "/resourceGroups/oss-clitest-rg/providers/Microsoft.ContainerService/managedClusters/clitest-cluster1-donotdelete"
		accounts      = clitest + "/providers/Microsoft.Storage/storageAccounts/"
		files         = "https://clitestecysa.blob.core.windows.net/clitestmysqlblob"
	)
	ask := func(flow string, parameters map[string]any) map[string]any {
		return map[string]any{"flow": flow, "key": flow, "parameters": parameters}
	}
	of := func(vault, instance string, more map[string]any) map[string]any {
		p := map[string]any{"backupInstanceId": vault + "/backupInstances/" + instance}
		for k, v := range more {
			p[k] = v
		}
		return p
	}
	rule := func(name string) map[string]any { return map[string]any{"rule": map[string]any{"name": name}} }
	tags := map[string]any{"Owner": "dppclitest", "Purpose": "Testing"}
	point := func(id string) map[string]any { return map[string]any{"id": id} }
	return map[string]replayedStory{
		"disk_backup": {
			file: "disk_backup", from: 11, writes: []string{"validateForBackup", disk, "backup", disk},
			requests: []map[string]any{
				ask("protect-disk", map[string]any{
					"vaultId": vault, "diskId": clitest + "/providers/Microsoft.Compute/disks/clitest-disk-donotdelete", "location": "centraluseuap",
					"policy": "diskpolicy", "snapshotResourceGroupId": clitest, "instanceName": disk, "tags": tags,
				}),
				ask("backup-now", of(vault, disk, rule("BackupHourly"))), ask("delete-protection", of(vault, disk, nil)),
			},
		},
		"disk_restore": {
			file: "disk_restore", to: 28, targets: clitest, writes: []string{"validateRestore", "restore"},
			requests: []map[string]any{ask("restore-disk", map[string]any{
				"backupInstanceId": persistent + oldDisk, "recoveryPoint": point("f65f6e16a51f44a8b66a76fa33b35ad5"), "location": "centraluseuap",
				"targetDiskId": clitest + "/providers/Microsoft.Compute/disks/clitest-disk-restored",
			})},
		},
		"blob_backup": {
			file: "blob_backup", from: 7, writes: []string{"validateForBackup", blobs},
			requests: []map[string]any{ask("protect-blobs", map[string]any{
				"vaultId": vault, "storageAccountId": accounts + "clitestsadonotdelete", "location": "centraluseuap", "policy": "blobpolicy",
				"containers": []string{"testcontainer"}, "instanceName": blobs, "tags": tags,
			})},
		},
		"blob_restore_point_in_time": {
			file: "blob_restore_point_in_time", targets: accounts + "clitestsabidonotdelete", unfinished: true,
			writes: []string{"findRestorableTimeRanges", "validateRestore", "restore"},
			requests: []map[string]any{ask("restore-blobs", map[string]any{
				"backupInstanceId": persistent + "clitestsabidonotdelete-clitestsabidonotdelete-887c3538-0bfc-11ee-acd3-002b670b472e",
				"pointInTime":      map[string]any{"at": "2024-06-11T07:58:54Z"}, "targetAccountId": accounts + "clitestsabidonotdelete", "location": "centraluseuap",
			})},
		},
		"blob_restore_vaulted": {
			file: "blob_restore_vaulted", targets: accounts + "clitestvsdonotdelete", unfinished: true, writes: []string{"restore"},
			requests: []map[string]any{ask("restore-blobs", map[string]any{
				"backupInstanceId": persistent + "clitestsavltdonotdelete-clitestsavltdonotdelete-65176b0a-64ad-4247-9866-19204633c0d5",
				"recoveryPoint":    point("2aac77d8011a4f0e8d458da58212e6c6"), "targetAccountId": accounts + "clitestvsdonotdelete",
				"paths": []string{"container1"}, "location": "centraluseuap",
			})},
		},
		"aks": {
			file: "aks", from: 6, targets: clusterSource, writes: []string{"validateForBackup", cluster, "backup", "validateRestore", "restore", cluster},
			requests: []map[string]any{
				ask("protect-cluster", map[string]any{
					"vaultId": clusterVault, "clusterId": clusterSource, "location": "eastus2euap", "policy": "akspolicy", "snapshotResourceGroupId": clitest,
					"friendlyName": "clitest-friendly-aks", "instanceName": cluster,
				}),
				ask("backup-now", of(clusterVault, cluster, rule("BackupHourly"))),
				ask("restore-cluster", of(clusterVault, cluster, map[string]any{
					"recoveryPoint": point("7df0f23f38384ea1af4e24bc5e3feaba"), "targetClusterId": clusterSource, "location": "eastus2euap",
				})),
				ask("delete-protection", of(clusterVault, cluster, nil)),
			},
		},
		"mysql": {
			file: "mysql", from: 6, targets: files, writes: []string{"validateForBackup", mysql, "backup", "validateRestore", "restore", mysql},
			requests: []map[string]any{
				ask("protect-mysql", map[string]any{
					"vaultId": mysqlVault, "serverId": clitestECY + "Microsoft.DBforMySQL/flexibleServers/clitest-mysql-server", "location": "eastus2euap",
					"policy": "mysqlpolicy", "instanceName": mysql,
				}),
				ask("backup-now", of(mysqlVault, mysql, rule("BackupWeekly"))),
				ask("restore-mysql", of(mysqlVault, mysql, map[string]any{
					"recoveryPoint": point("cf3589cb240e4c5a8f8356014e0f9ac8"), "asFiles": map[string]any{"containerUrl": files, "prefix": "targetmysql"},
				})),
				ask("delete-protection", of(mysqlVault, mysql, nil)),
			},
		},
	}
}

// TestReplay_DatasourcesSendTheRecordedRequests runs the deployed program against
// Azure's answers to the Azure CLI in June 2024: its writes are the recorded ones,
// in order.
func TestReplay_DatasourcesSendTheRecordedRequests(t *testing.T) {
	t.Parallel()
	shared := os.Getenv("AZBACKUPFLOW_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "shared")
	}
	for name, story := range replayedStories() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(shared, "recordings", "azure-cli-dataprotection_"+story.file+".yaml")
			if _, err := os.Stat(file); err != nil {
				t.Skip("the recording is missing; set AZBACKUPFLOW_SHARED: " + err.Error())
			}
			replayDatasource(t, file, story)
		})
	}
}

func replayDatasource(t *testing.T, file string, story replayedStory) {
	t.Helper()
	var identity atomic.Pointer[armsim.Simulator]
	azure, err := replay.New(replay.Config{
		File: file, From: story.from, To: story.to, Shorten: true,
		CheckToken: func(token string) bool { s := identity.Load(); return s != nil && s.ValidToken(token) },
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, azure.Close()) })
	l := startInTurn(t, stack.Config{
		SpeedFactor: 120, ARMEndpoint: azure.Endpoint(),
		Settings: map[string]string{"AZBACKUPFLOW_RESTORE_TARGETS": story.targets, "AZBACKUPFLOW_ALLOW_DELETE": "true"},
	})
	identity.Store(l.ARM)
	var last string
	for i, request := range story.requests {
		last = l.begin(request)
		if story.unfinished && i == len(story.requests)-1 {
			l.reaches(last, "await-restore-job")
			continue
		}
		l.succeeds(last)
	}
	require.Empty(t, azure.Mismatches(), say(l.history(last)))
	var made []string
	for _, w := range azure.Writes() {
		require.True(t, w.Matched)
		require.Equal(t, w.RecordedMethod, w.Method)
		require.True(t, strings.EqualFold(w.RecordedPath, w.Path), "%s, recorded was %s", w.Path, w.RecordedPath)
		made = append(made, w.Path[strings.LastIndexByte(w.Path, '/')+1:])
	}
	require.Equal(t, story.writes, made)
}
