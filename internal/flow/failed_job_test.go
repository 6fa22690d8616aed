package flow_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

const (
	serverBusy   = "PostgreSQLFlexServerError"
	wrongVersion = "UserErrorRestoreToLowerVersion"
	noPermission = "UserErrorMissingRequiredPermissions"
)

// restoreJobs returns the IDs of the restore jobs in the order of their start.
func restoreJobs(sim *armsim.Simulator) (ids []string) {
	for _, restore := range sim.Restores() {
		ids = append(ids, restore.JobID)
	}
	return ids
}

func TestFailedJob_EndsTheOperation(t *testing.T) {
	t.Parallel()
	for _, code := range []string{serverBusy, wrongVersion, noPermission, "NeverHeardOf", "UserErrorBackupOperationInProgress"} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			r, sim := simulated(t, armsim.DemoWorld())
			sim.AddOutcome(armsim.Outcome{Operation: "Restore", JobStatus: "Failed", Code: code, ErrorText: "It broke.", Recommendation: "Look at the server."})
			id := r.begin("restore-postgres", object{"backupInstanceId": demoInstance, "recoveryPoint": object{"latest": true}, "asFiles": asFiles("x")})
			op := r.finish(id)
			require.Equal(t, operation.Failed, op.Status)
			require.Equal(t, code, op.LastError.Code)
			require.Equal(t, []string{"Look at the server."}, op.LastError.RecommendedAction)
			require.Empty(t, op.Warnings)
			require.Len(t, sim.Restores(), 1, "%v", r.story(id))
			require.Equal(t, restoreJobs(sim)[0], op.Learned["failedJobs"])
			require.Equal(t, restoreJobs(sim)[0], op.Tracking.JobID)

			// An operator's retry validates the restore before a new job.
			_, err := r.engine.Retry(t.Context(), id, operation.Cause{})
			require.NoError(t, err)
			again := r.finish(id)
			require.Equal(t, operation.Succeeded, again.Status, "%v", r.story(id))
			require.Len(t, sim.Restores(), 2)
			require.Equal(t, []string{"validate-restore", "await-validation", "restore"}, r.path(id)[7:10])
		})
	}
}

func TestFailedJob_IsStartedAgainAsOftenAsRequested(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		code     string
		failures int
		allowed  int
		jobs     int
		status   operation.Status
	}{
		"once, and that helps":        {serverBusy, 1, 1, 2, operation.SucceededWithWarnings},
		"three times":                 {serverBusy, 3, 3, 4, operation.SucceededWithWarnings},
		"not more often":              {serverBusy, 3, 2, 3, operation.Failed},
		"a conflict":                  {"UserErrorAnotherRestoreInProgressOnSameTarget", 2, 2, 3, operation.SucceededWithWarnings},
		"not if it cannot help":       {wrongVersion, 1, 3, 1, operation.Failed},
		"not if an operator must act": {noPermission, 1, 3, 1, operation.Failed},
		"not with an unknown error":   {"NeverHeardOf", 1, 3, 1, operation.Failed},
		"not by default":              {serverBusy, 1, 0, 1, operation.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, sim := simulated(t, armsim.DemoWorld())
			sim.AddOutcome(armsim.Outcome{Operation: "Restore", Times: c.failures, JobStatus: "Failed", Code: c.code, ErrorText: "It broke."})
			id := r.begin("restore-postgres", object{
				"backupInstanceId": demoInstance, "recoveryPoint": object{"latest": true}, "asFiles": asFiles("x"), "retryFailedJob": c.allowed,
			})
			op := r.finish(id)
			require.Equal(t, c.status, op.Status, "%v", r.story(id))
			ids := restoreJobs(sim)
			require.Len(t, ids, c.jobs)
			failed, restarts := c.jobs, c.jobs-1
			if c.status != operation.Failed {
				failed--
			}
			require.Equal(t, strings.Join(ids[:failed], ","), op.Learned["failedJobs"])
			require.Len(t, op.Warnings, restarts)
			for i, warning := range op.Warnings {
				require.Contains(t, warning, ids[i])
				require.Contains(t, warning, c.code+": It broke.")
			}
			validations := strings.Count(strings.Join(r.path(id), " "), "validate-restore")
			require.Equal(t, c.jobs, validations, "each start is validated")
		})
	}
}

func TestFailedJob_BackupIsStartedAgainOnRequest(t *testing.T) {
	t.Parallel()
	share := object{"vaultId": demoVault, "storageAccountId": demoAccount, "name": "testshare"}
	for allowed, status := range map[int]operation.Status{0: operation.Failed, 1: operation.SucceededWithWarnings} {
		r, sim := simulated(t, armsim.DemoWorld())
		r.succeeds("protect-file-share", demoShare(nil))
		sim.AddOutcome(armsim.Outcome{JobStatus: "Failed", ErrorCode: 400125, ErrorText: "Too busy (FileshareBackupFailedWithAzureRpRequestThrottling)."})
		id := r.begin("backup-now", object{"fileShare": share, "retryFailedJob": allowed})
		op := r.finish(id)
		require.Equal(t, status, op.Status, "%v", r.story(id))
		require.Len(t, op.Warnings, allowed)
		require.Len(t, sim.Backups(), 1+allowed)
	}
}

func TestFailedJob_IsNoCandidateOfTheNextStart(t *testing.T) {
	t.Parallel()
	failed := backupJob("j1", 0, object{"status": "Failed"})
	azure := &stub{t: t, answers: map[string]reply{"GET backupJobs": list(failed, backupJob("j2", 0, nil))}}
	op := operation.Operation{AzureState: operation.AzureState{Learned: learnedShare()}}
	op.Learned["failedJobs"] = "j0,j1"
	out, err := azure.run("backup-now", "find-backup-job", op)
	require.NoError(t, err)
	require.Equal(t, "Advance : found as job j2", summary(out))
}

func TestAwaitOperation_FailedStartThatNamesItsJobFollowsTheJob(t *testing.T) {
	t.Parallel()
	azure := &stub{t: t, answers: map[string]reply{"GET o1": {status: http.StatusOK, body: object{
		"status": "Failed", "properties": object{"jobId": jobID}, "error": object{"code": "CloudInternalError", "message": "m"},
	}}}}
	op := operation.Operation{AzureState: operation.AzureState{Learned: learnedShare(), Tracking: &operation.Tracking{StatusURL: statusURL}}}
	out, err := azure.run("backup-now", "await-backup", op)
	require.NoError(t, err)
	require.Equal(t, "Advance await-backup-job: the start of the backup failed: m; its job shows the result", summary(out))
	require.Equal(t, jobID, out.Tracking.JobID)
}

func TestRetryFailedJob_IsChecked(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{`-1`, `4`, `1.5`, `"2"`} {
		for name, target := range map[string]string{"backup-now": `"itemId":"x"`, "restore-postgres": `"backupInstanceId":"x"`, "track-job": `"jobId":"x"`} {
			_, wrong := checked(t, name, `{`+target+`,"retryFailedJob":`+bad+`}`)
			require.True(t, slices.ContainsFunc(wrong, func(f step.FieldError) bool { return f.Field == "parameters.retryFailedJob" }), "%s %s: %v", name, bad, wrong)
		}
	}
}
