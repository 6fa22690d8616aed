package e2e

import (
	"encoding/json"
	"net/http"
	"path"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/local/armsim"
)

func TestPostgres_RestoresBackups(t *testing.T) {
	t.Parallel()
	runServerCases(t, "restore", []serverCase{
		{name: "as files, the latest one", run: restoredAsFiles},
		{name: "as a database, one by its id", run: restoredAsDatabase},
		{name: "from the archive tier", run: restoredFromArchive},
		{name: "a server's own backup, as files only", run: restoredFromFlexible},
		{
			name: "not to a lower version", run: lowerVersion,
			change: func(w *armsim.World) { w.SingleServers[len(w.SingleServers)-1].Version = "10" },
		},
		{name: "once, although the answer is lost", run: restoreAnswerLost},
		{name: "once, although the request never arrived", run: restoreRequestLost},
		{name: "to two targets at the same time", run: restoredTwice},
		{name: "to two targets at the same time, whose answers are lost", run: restoredTwiceUnanswered},
		{name: "not to a target that is not allowed", run: restoreNotAllowed},
		{name: "a failed job is reported", run: restoreJobFails},
		{name: "a canceled restore reports that its job continues", run: restoreCanceled},
	})
}

// restoredOnce waits for the operation and asserts that the site has one
// restore: the one whose job the operation followed.
func (l *local) restoredOnce(s serverSite, id string) armsim.Restore {
	l.t.Helper()
	end := l.succeeds(id)
	made := l.restoresTo(s)
	require.Len(l.t, made, 1, say(l.history(id)))
	require.Equal(l.t, made[0].JobID, end.JobID)
	require.Equal(l.t, 1, l.jobsOf(s, "Restore"))
	return made[0]
}

func restoredAsFiles(l *local, s serverSite) {
	made := l.restoredOnce(s, l.begin(s.restore("", "files", nil)))
	require.Equal(l.t, "RestoreFilesTargetInfo", made.TargetType)
	require.Equal(l.t, s.container(), made.Target)
	require.Equal(l.t, "files", made.FilePrefix)
	require.Equal(l.t, s.point("latest"), made.RecoveryPoint)
}

func restoredAsDatabase(l *local, s serverSite) {
	more := s.asDatabase("back")
	more["recoveryPoint"] = map[string]any{"id": s.point("older")}
	made := l.restoredOnce(s, l.begin(s.restore("", "", more)))
	require.Equal(l.t, s.target.DatabaseID("back"), made.Target)
	require.Equal(l.t, s.point("older"), made.RecoveryPoint)
	require.Equal(l.t, "https://contoso.vault.azure.net/secrets/orders", made.SecretURI)

	// The name is taken now, which Azure detects before anything starts.
	again := l.await(l.begin(s.restore("again", "", more)))
	require.Equal(l.t, api.Failed, again.Status)
	require.Equal(l.t, "UserErrorDatabaseNameAlreadyInUse", again.Error.Code)
	require.Len(l.t, l.restoresTo(s), 1)
}

func restoredFromArchive(l *local, s serverSite) {
	made := l.restoredOnce(s, l.begin(s.restore("", "archived", map[string]any{
		"tier": "archive", "rehydration": map[string]any{"priority": "High", "retention": "P15D"},
	})))
	require.Equal(l.t, s.point("archived"), made.RecoveryPoint)
	require.Equal(l.t, "ArchiveStore", made.SourceDataStore)
	require.Equal(l.t, "High", made.RehydrationPriority)
	require.Equal(l.t, "P15D", made.RehydrationRetention)
}

func restoredFromFlexible(l *local, s serverSite) {
	id := l.protectedServer(s)
	done := l.succeeds(l.begin(about("backup-now", s.name, id)))
	require.Equal(l.t, 1, l.jobsOf(s, "Backup"))
	require.Equal(l.t, "Completed", l.job(done.JobID).Status)

	database := s.asDatabase("back")
	database["backupInstanceId"] = id
	rejected := l.await(l.begin(s.restore("database", "", database)))
	require.Equal(l.t, api.Failed, rejected.Status)
	require.Equal(l.t, "RestoreNotPossible", rejected.Error.Code)

	made := l.restoredOnce(s, l.begin(s.restore("", "flexible", map[string]any{"backupInstanceId": id})))
	require.Equal(l.t, []string{made.RecoveryPoint}, l.instance(id).RecoveryPoints)
}

func lowerVersion(l *local, s serverSite) {
	end := l.await(l.begin(s.restore("", "", s.asDatabase("back"))))
	require.Equal(l.t, api.Failed, end.Status)
	require.Equal(l.t, "UserErrorRestoreToLowerVersion", end.Error.Code)
	require.Equal(l.t, []string{"Restore to the same or a higher PostgreSQL version from which the backup was taken."}, end.Error.RecommendedAction)
	require.Zero(l.t, l.askedOf(s, "POST restore"), "nothing has started")
}

func restoreAnswerLost(l *local, s serverSite) {
	l.ARM.Inject(armsim.Rule{Kind: "POST restore", Match: s.concerns, Times: 1, Effect: armsim.ResetAfter()})
	l.restoredOnce(s, l.begin(s.restore("", "lost", nil)))
	require.Equal(l.t, 1, l.askedOf(s, "POST restore"))
}

func restoreRequestLost(l *local, s serverSite) {
	l.ARM.Inject(armsim.Rule{Kind: "POST restore", Match: s.concerns, Times: 1, Effect: armsim.ResetBefore()})
	l.restoredOnce(s, l.begin(s.restore("", "lost", nil)))
	require.Equal(l.t, 2, l.askedOf(s, "POST restore"))
}

func restoredTwice(l *local, s serverSite) { bothRestored(l, s) }

func restoredTwiceUnanswered(l *local, s serverSite) {
	l.ARM.Inject(armsim.Rule{Kind: "POST restore", Match: s.concerns, Times: 2, Effect: armsim.ResetAfter()})
	bothRestored(l, s)
}

// bothRestored restores one instance as files and as a database at the same
// time. Each operation follows its own job.
func bothRestored(l *local, s serverSite) {
	files, database := l.begin(s.restore("files", "both", nil)), l.begin(s.restore("database", "", s.asDatabase("both")))
	followed := map[string]string{l.succeeds(files).JobID: s.container(), l.succeeds(database).JobID: s.target.DatabaseID("both")}
	started := map[string]string{}
	for _, r := range l.restoresTo(s) {
		started[r.JobID] = r.Target
	}
	require.Len(l.t, l.restoresTo(s), 2)
	require.Equal(l.t, started, followed)
}

func restoreNotAllowed(l *local, s serverSite) {
	for field, more := range map[string]map[string]any{
		"parameters.asFiles.containerUrl": {"asFiles": map[string]any{"containerUrl": "https://elsewhere.blob.core.windows.net/out", "prefix": "x"}},
		"parameters.asDatabase.serverId": {"asFiles": nil, "asDatabase": map[string]any{
			"serverId": s.retired.ID(), "database": "x", "credentialsSecretUri": "https://contoso.vault.azure.net/secrets/orders",
		}},
	} {
		var p api.Problem
		res := l.call(http.MethodPost, "/operations", s.restore(field, "", more), &p)
		require.Equal(l.t, http.StatusBadRequest, res.StatusCode)
		told, err := json.Marshal(p)
		require.NoError(l.t, err)
		require.Contains(l.t, string(told), field)
		require.Contains(l.t, string(told), "AZBACKUPFLOW_RESTORE_TARGETS")
	}
	require.Zero(l.t, l.askedOf(s, "POST validateRestore"))
}

func restoreJobFails(l *local, s serverSite) {
	l.ARM.AddOutcome(armsim.Outcome{
		Operation: "Restore", Item: "orders-" + s.name, JobStatus: "Failed", Code: "UserErrorTargetNeverHeardOf", ErrorText: "The target hides.", Recommendation: advice,
	})
	end := l.await(l.begin(s.restore("", "fails", nil)))
	require.Equal(l.t, api.Failed, end.Status)
	explained("The target hides.")(l.t, end)
	require.Len(l.t, l.restoresTo(s), 1, "a failed restore is not repeated")
}

func restoreCanceled(l *local, s serverSite) {
	l.ARM.AddOutcome(armsim.Outcome{Operation: "Restore", Item: path.Base(s.database()), KeepsRunning: true})
	id := l.begin(s.restore("", "canceled", nil))
	waits := l.reaches(id, "await-restore-job")
	_, status := l.change(http.MethodDelete, id)
	require.Equal(l.t, http.StatusAccepted, status)
	end := l.await(id)
	require.Equal(l.t, api.Canceled, end.Status, say(l.history(id)))
	require.Len(l.t, end.Warnings, 1)
	require.Contains(l.t, end.Warnings[0], "work that Azure has already begun continues: job "+waits.JobID)
	require.Equal(l.t, "InProgress", l.job(path.Base(waits.JobID)).Status)
}
