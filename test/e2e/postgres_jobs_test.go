package e2e

import (
	"net/http"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/local/armsim"
)

func TestJobs_AreTrackedAndCanceledWhereAzureSupportsIt(t *testing.T) {
	t.Parallel()
	runServerCases(t, "jobs", []serverCase{
		{name: "the answer to a backup is lost", run: instanceBackupAnswerLost},
		{name: "a backup's job fails", run: instanceBackupFails},
		{name: "a backup by a rule that the policy does not have", run: noSuchRule},
		{name: "a canceled backup of a virtual machine cancels its job", run: machineBackupCanceled},
		{name: "a canceled backup of a server reports that its job continues", run: serverBackupCanceled},
		{name: "jobs that something else started are followed", run: jobsFollowed},
		{name: "a job that something else started fails", run: failedJobFollowed},
	})
}

func instanceBackupAnswerLost(l *local, s serverSite) {
	id := l.protectedServer(s)
	l.ARM.Inject(armsim.Rule{Kind: "POST backup", Match: s.concerns, Times: 1, Effect: armsim.ResetAfter()})
	done := l.succeeds(l.begin(about("backup-now", s.name, id)))
	require.Equal(l.t, 1, l.askedOf(s, "POST backup"))
	require.Equal(l.t, 1, l.jobsOf(s, "Backup"))
	require.Equal(l.t, "Completed", l.job(done.JobID).Status)
}

func instanceBackupFails(l *local, s serverSite) {
	id := l.protectedServer(s)
	l.ARM.AddOutcome(armsim.Outcome{Item: l.instance(id).Name, JobStatus: "Failed", Code: "UserErrorServerNeverHeardOf", ErrorText: "The server hides.", Recommendation: advice})
	end := l.await(l.begin(about("backup-now", s.name, id)))
	require.Equal(l.t, api.Failed, end.Status)
	explained("The server hides.")(l.t, end)
}

func noSuchRule(l *local, s serverSite) {
	id := l.protectedServer(s)
	request := about("backup-now", s.name, id)
	object(request, "parameters")["rule"] = map[string]any{"name": "BackupNever"}
	end := l.await(l.begin(request))
	require.Equal(l.t, api.Failed, end.Status)
	require.Equal(l.t, "RuleNotFound", end.Error.Code)
	require.Contains(l.t, strings.Join(end.Error.RecommendedAction, " "), "BackupWeekly")
	require.Zero(l.t, l.askedOf(s, "POST backup"))
}

func machineBackupCanceled(l *local, s serverSite) {
	l.ARM.AddOutcome(armsim.Outcome{Item: "vm1", KeepsRunning: true})
	id := l.begin(map[string]any{"flow": "backup-now", "key": "vm-" + s.name, "parameters": map[string]any{"itemId": itemID(l.t, l, "vm1")}})
	waits := l.reaches(id, "await-backup-job")
	_, status := l.change(http.MethodDelete, id)
	require.Equal(l.t, http.StatusAccepted, status)
	end := l.await(id)
	require.Equal(l.t, api.Canceled, end.Status, say(l.history(id)))
	require.Equal(l.t, "Cancelled", l.job(waits.JobID).Status)
}

func serverBackupCanceled(l *local, s serverSite) {
	server := l.protectedServer(s)
	l.ARM.AddOutcome(armsim.Outcome{Item: l.instance(server).Name, KeepsRunning: true})
	id := l.begin(about("backup-now", s.name, server))
	waits := l.reaches(id, "await-instance-job")
	_, status := l.change(http.MethodDelete, id)
	require.Equal(l.t, http.StatusAccepted, status)
	end := l.await(id)
	require.Equal(l.t, api.Canceled, end.Status, say(l.history(id)))
	require.Equal(l.t, "InProgress", l.job(path.Base(waits.JobID)).Status)
	require.Len(l.t, end.Warnings, 1)
	require.Contains(l.t, end.Warnings[0], "work that Azure has already begun continues: job "+waits.JobID)
}

// follow requests the tracking of a job.
func follow(key, job string) map[string]any {
	return map[string]any{"flow": "track-job", "key": "track-" + key, "parameters": map[string]any{"jobId": job}}
}

func jobsFollowed(l *local, s serverSite) {
	// A restore from the archive takes long enough to track it while it runs.
	restore := l.begin(s.restore("", "followed", map[string]any{
		"tier": "archive", "rehydration": map[string]any{"priority": "High", "retention": "P15D"},
	}))
	restoring := path.Base(l.reaches(restore, "await-restore-job").JobID)
	require.Equal(l.t, "InProgress", l.job(restoring).Status)
	require.Equal(l.t, restoring, l.succeeds(l.begin(follow("restore-"+s.name, s.vault.ID()+"/backupJobs/"+restoring))).JobID)
	require.Equal(l.t, restoring, l.succeeds(restore).JobID)

	backedUp := l.succeeds(l.begin(map[string]any{"flow": "backup-now", "key": "db-" + s.name, "parameters": map[string]any{
		"itemId": itemID(l.t, l, "orders"), "backupType": "CopyOnlyFull",
	}})).JobID
	require.Equal(l.t, backedUp, l.succeeds(l.begin(follow("backup-"+s.name, demoVault+"/backupJobs/"+backedUp))).JobID)
}

func failedJobFollowed(l *local, s serverSite) {
	l.ARM.AddOutcome(armsim.Outcome{
		Operation: "Restore", Item: "orders-" + s.name, JobStatus: "Failed", Code: "UserErrorTargetNeverHeardOf", ErrorText: "The target hides.", Recommendation: advice,
	})
	require.Equal(l.t, api.Failed, l.await(l.begin(s.restore("", "followed", nil))).Status)
	made := l.restoresTo(s)
	require.Len(l.t, made, 1)
	end := l.await(l.begin(follow(s.name, s.vault.ID()+"/backupJobs/"+made[0].JobID)))
	require.Equal(l.t, api.Failed, end.Status)
	explained("The target hides.")(l.t, end)
}
