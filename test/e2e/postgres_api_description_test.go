package e2e

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/stack"
)

// TestRequests_OfRareCasesMatchTheAPIDescription validates requests that the
// examples do not need, such as the search for a restore whose answer was lost
// and the cancel of a job.
func TestRequests_OfRareCasesMatchTheAPIDescription(t *testing.T) {
	t.Parallel()
	world := armsim.DemoWorld()
	share := fileShare{world.AddFileShares(1, 1, "schedule1")[0], "share0000"}
	s := newServerSite(&world, "described")
	l := startInTurn(t, stack.Config{SpeedFactor: faultSpeed, World: &world, Settings: allow(s)})
	makeEveryRequest(l, s, share)

	operations, absent := validateRequests(t, l)
	require.Subset(t, undescribed(), absent)
	for _, needed := range []string{
		"BackupInstances_StopProtection", "BackupInstances_ResumeProtection", "BackupInstances_Delete", "DeletedBackupInstances_Get",
		"BackupVaults_Get", "RecoveryPoints_List", "RecoveryPoints_Get", "Jobs_List", "Jobs_Get", "JobCancellations_Trigger",
		"ProtectedItems_CreateOrUpdate", "ProtectedItems_Delete",
	} {
		require.Contains(t, operations, needed)
	}
}

// makeEveryRequest runs the flows so that they send all kinds of requests.
func makeEveryRequest(l *local, s serverSite, share fileShare) {
	l.t.Helper()
	server := l.protectedServer(s)
	l.succeeds(l.begin(about("backup-now", "", server)))
	archive := map[string]any{"tier": "archive", "rehydration": map[string]any{"priority": "High", "retention": "P15D"}}
	byID := s.asDatabase("described")
	byID["recoveryPoint"] = map[string]any{"id": s.point("older")}
	before := map[string]any{"recoveryPoint": map[string]any{"latestBefore": "2099-01-01T00:00:00Z"}}
	// After a lost answer the flow searches the job list of the vault.
	l.ARM.Inject(armsim.Rule{Kind: "POST restore", Match: s.concerns, Times: 1, Effect: armsim.ResetAfter()})
	l.succeeds(l.begin(s.restore("files", "files", before)))
	for _, id := range []string{l.begin(s.restore("archive", "archive", archive)), l.begin(s.restore("database", "", byID))} {
		job := l.succeeds(id).JobID
		l.succeeds(l.begin(follow(job, s.vault.ID()+"/backupJobs/"+job)))
	}

	l.ARM.AddOutcome(armsim.Outcome{Item: "vm1", KeepsRunning: true})
	canceled := l.begin(map[string]any{"flow": "backup-now", "key": "vm", "parameters": map[string]any{"itemId": itemID(l.t, l, "vm1")}})
	l.reaches(canceled, "await-backup-job")
	_, status := l.change(http.MethodDelete, canceled)
	require.Equal(l.t, http.StatusAccepted, status)
	l.await(canceled)

	item := map[string]any{"vaultId": demoVault, "storageAccountId": share.account, "name": share.name}
	for _, flow := range []string{"stop-protection", "resume-protection", "delete-protection"} {
		l.succeeds(l.begin(about(flow, "-server", server)))
		ofShare := map[string]any{"fileShare": item}
		if flow == "resume-protection" {
			ofShare["policy"] = "schedule1"
		}
		l.succeeds(l.begin(map[string]any{"flow": flow, "key": flow + "-share", "parameters": ofShare}))
	}
}
