package flow_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

const (
	statusURL = "https://management.azure.com/subscriptions/x/operationsStatus/o1?api-version=2019-05-13-preview&t=1&c=cert&s=sig&h=hash"
	resultURL = "https://management.azure.com/subscriptions/x/operationResults/o1?api-version=2019-05-13-preview&t=1&c=cert&s=sig&h=hash"
	jobID     = "eeda2c9e-9bc2-4c51-a021-6cb73a172460"
)

func status(word string, more object) reply {
	body := object{"id": "o1", "name": "o1", "status": word, "startTime": "2026-03-01T08:00:00Z", "endTime": "0001-01-01T00:00:00"}
	for k, v := range more {
		body[k] = v
	}
	return reply{status: http.StatusOK, body: body}
}

func TestAwaitOperation_FollowsAcceptedOperations(t *testing.T) {
	t.Parallel()
	withJob := object{"properties": object{"objectType": "OperationStatusJobExtendedInfo", "jobId": jobID}}
	failed := object{"error": object{"code": "UserErrorStorageAccountNotFound", "message": "The account is gone."}}
	for name, c := range map[string]struct {
		flow, step string
		answer     reply
		// out is the outcome in one line, code the code of its error.
		out, code string
		after     time.Duration
		job       string
	}{
		"a refresh that runs": {
			"protect-file-share", "await-refresh", reply{status: http.StatusOK, body: object{"status": "InProgress"}, header: http.Header{"Retry-After": {"30"}}},
			"Wait : the discovery of storage accounts", "", 30 * time.Second, "",
		},
		"a refresh that is done": {"protect-file-share", "await-refresh", status("Succeeded", nil), "Advance : the discovery of storage accounts is done", "", 0, ""},
		"a refresh whose status is gone": {
			"protect-file-share", "await-refresh", azureError(http.StatusNotFound, "ResourceNotFound", "no"),
			"Advance : the discovery of storage accounts: Azure no longer has its status; reading the result instead", "", 0, "",
		},
		"a registration whose status is gone": {
			"protect-file-share", "await-registration", azureError(http.StatusNotFound, "ResourceNotFound", "no"),
			"Advance find-registration: the registration of the storage account: Azure no longer has its status; reading the result instead", "", 0, "",
		},
		"a registration that failed": {
			"protect-file-share", "await-registration", status("Failed", failed),
			"Back register: The account is gone.", "UserErrorStorageAccountNotFound", 0, "",
		},
		"a protection with its job": {
			"protect-file-share", "await-protection", status("Succeeded", withJob),
			"Advance await-protection-job: enabling protection runs as job " + jobID, "", 0, jobID,
		},
		"a protection without a job": {
			"protect-file-share", "await-protection", status("Succeeded", nil),
			"Advance confirm-protection: enabling protection is done", "", 0, "",
		},
		"a backup that starts": {"backup-now", "await-backup", status("InProgress", nil), "Wait : the start of the backup", "", 0, ""},
		"a backup with its job": {
			"backup-now", "await-backup", status("Succeeded", withJob),
			"Advance await-backup-job: the start of the backup runs as job " + jobID, "", 0, jobID,
		},
		// The job's ID is adopted as soon as Azure names it; the job's own end
		// counts.
		"a running status with a job": {"backup-now", "await-backup", status("InProgress", withJob), "Wait : the start of the backup", "", 0, jobID},
		"a backup without a job": {
			"backup-now", "await-backup", status("Succeeded", nil),
			"Advance : the start of the backup is done", "", 0, "",
		},
		"a backup whose status is gone": {
			"backup-now", "await-backup", azureError(http.StatusNotFound, "ResourceNotFound", "no"),
			"Advance : the start of the backup: Azure no longer has its status; reading the result instead", "", 0, "",
		},
		"a backup that was canceled": {
			"backup-now", "await-backup", status("Canceled", nil),
			"Back trigger-backup: the operation was canceled in Azure", "OperationCanceled", 0, "",
		},
		"an unknown status": {"backup-now", "await-backup", status("Pondering", nil), "Wait : the start of the backup", "", 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			azure := &stub{t: t, answers: map[string]reply{"GET o1": c.answer}}
			op := operation.Operation{AzureState: operation.AzureState{Learned: learnedShare(), Tracking: &operation.Tracking{StatusURL: statusURL, SubmittedAt: morning()}}}
			out, err := azure.run(c.flow, c.step, op)
			require.NoError(t, err)
			require.Equal(t, c.out, summary(out))
			require.Equal(t, c.after, out.After)
			if c.code != "" {
				require.Equal(t, c.code, out.Err.Code)
				return
			}
			require.NotNil(t, out.Tracking)
			require.Equal(t, c.job, out.Tracking.JobID)
			require.Equal(t, statusURL, azure.asked[0].URL.String(), "a poll URL is sent unchanged")
		})
	}
}

func TestAwaitOperation_DoesNotFailOnAnUnreadableStatus(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]reply{
		"500":          azureError(http.StatusInternalServerError, "InternalServerError", "oops"),
		"429":          azureError(http.StatusTooManyRequests, "TooManyRequests", "slowly"),
		"an empty 200": {status: http.StatusOK},
		"an HTML page": {status: http.StatusOK, body: "<html>", header: http.Header{"Content-Type": {"text/html"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			azure := &stub{t: t, answers: map[string]reply{"GET o1": answer}}
			_, err := azure.run("backup-now", "await-backup", operation.Operation{AzureState: operation.AzureState{Tracking: &operation.Tracking{StatusURL: statusURL}}})
			var e *operation.Error
			require.ErrorAs(t, err, &e)
			require.Contains(t, []operation.Class{operation.Transient, operation.Throttled}, e.Class, e.Code)
		})
	}
}

func TestAwaitOperation_FallsBackToTheResultOfAValidation(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]reply{
		"400":          azureError(http.StatusBadRequest, "InvalidApiVersionParameter", "no"),
		"404":          azureError(http.StatusNotFound, "ResourceNotFound", "no"),
		"an empty 200": {status: http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			azure := &stub{t: t, answers: map[string]reply{"GET o1": answer, "GET o2": {status: http.StatusAccepted, header: http.Header{"Retry-After": {"7"}}}}}
			result := strings.Replace(resultURL, "/o1?", "/o2?", 1)
			out, err := azure.run("restore-postgres", "await-validation", operation.Operation{AzureState: operation.AzureState{Tracking: &operation.Tracking{StatusURL: statusURL, ResultURL: result}}})
			require.NoError(t, err)
			require.Equal(t, "Wait : the validation of the restore", summary(out))
			require.Equal(t, 7*time.Second, out.After)
			require.Equal(t, result, out.Tracking.ResultURL)
		})
	}
}

func TestAwaitJob_EndsTheOperationAsTheJobEnds(t *testing.T) {
	t.Parallel()
	details := object{"errorDetails": []any{object{"errorCode": 400124, "errorString": "The snapshot could not be taken.", "recommendations": []string{"Look into the log."}}}}
	with := func(word string, more object) reply {
		changes := object{"status": word}
		for k, v := range more {
			changes[k] = v
		}
		return reply{status: http.StatusOK, body: backupJob(jobID, time.Second, changes)}
	}
	const what = "Backup job " + jobID + " of testshare"
	for name, c := range map[string]struct {
		step     string
		answer   reply
		out      string
		code     string
		warnings []string
	}{
		"a job that runs":      {"await-backup-job", with("InProgress", nil), "Wait : " + what + " (InProgress)", "", nil},
		"a job being canceled": {"await-backup-job", with("Cancelling", nil), "Wait : " + what + " (Cancelling)", "", nil},
		"a job that completed": {"await-backup-job", with("Completed", nil), "Finish : " + what + " completed", "", nil},
		"a job with warnings": {
			"await-backup-job", with("CompletedWithWarnings", details),
			"Finish : " + what + " completed with warnings", "", []string{"The snapshot could not be taken."},
		},
		"a job with unnamed warnings": {
			"await-backup-job", with("CompletedWithWarnings", nil),
			"Finish : " + what + " completed with warnings", "", []string{"job " + jobID + " completed with warnings; Azure gave no reason"},
		},
		"a job that failed":       {"await-backup-job", with("Failed", details), "Fail trigger-backup: " + what + " failed: 400124: The snapshot could not be taken.", "400124", nil},
		"a job that was canceled": {"await-backup-job", with("Cancelled", nil), "Fail trigger-backup: " + what + " failed: JobCancelled: job " + jobID + " ended as Cancelled; Azure gave no reason", "JobCancelled", nil},

		"a canceled job, after a cancel":         {"await-cancellation", with("Cancelled", nil), "Stop : " + what + " was canceled", "", nil},
		"a job that completes before its cancel": {"await-cancellation", with("Completed", nil), "Finish : " + what + " completed", "", []string{"too late to cancel: the job completed"}},
		"a running job, after a cancel":          {"await-cancellation", with("Cancelling", nil), "Wait : " + what + " (Cancelling)", "", nil},
		"the job of a protection that completed": {"await-protection-job", with("Completed", nil), "Advance : " + what + " completed", "", nil},
		"the failed job of a protection":         {"await-protection-job", with("Failed", details), "Back enable-protection: The snapshot could not be taken.", "400124", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			azure := &stub{t: t, answers: map[string]reply{"GET " + jobID: c.answer}}
			op := protecting(t, nil)
			op.Learned, op.Tracking = learnedShare(), &operation.Tracking{JobID: jobID}
			out, err := azure.run("protect-file-share", c.step, op)
			require.NoError(t, err)
			require.Equal(t, c.out, summary(out))
			require.Equal(t, c.warnings, out.Warnings)
			if c.code != "" {
				require.Equal(t, c.code, out.Err.Code)
			}
		})
	}
}

func TestAwaitJob_WaitsForAJobThatIsNotVisibleYet(t *testing.T) {
	t.Parallel()
	azure := &stub{t: t, answers: map[string]reply{"GET " + jobID: azureError(http.StatusNotFound, "ResourceNotFound", "no")}}
	_, err := azure.run("backup-now", "await-backup-job", operation.Operation{AzureState: operation.AzureState{Learned: learnedShare(), Tracking: &operation.Tracking{JobID: jobID}}})
	requireError(t, err, "JobNotVisible", operation.NotYet)

	_, err = azure.run("backup-now", "await-backup-job", operation.Operation{AzureState: operation.AzureState{Learned: learnedShare()}})
	requireError(t, err, "JobUnknown", operation.Fatal)
}

func TestCancelJob_EndsWithTheErrorOfAFailedJob(t *testing.T) {
	t.Parallel()
	job := backupJob(jobID, time.Second, object{"status": "Failed"})
	azure := &stub{t: t, answers: map[string]reply{"GET " + jobID: {status: http.StatusOK, body: job}}}
	_, err := azure.run("backup-now", "await-cancellation", operation.Operation{AzureState: operation.AzureState{Learned: learnedShare(), Tracking: &operation.Tracking{JobID: jobID}}})
	requireError(t, err, "JobFailed", operation.Fatal)
}

func TestCancelJob_WaitsForAJobThatAzureDoesNotCancel(t *testing.T) {
	t.Parallel()
	op := operation.Operation{AzureState: operation.AzureState{Learned: learnedShare(), Tracking: &operation.Tracking{JobID: jobID}}}
	for name, c := range map[string]struct {
		answer reply
		note   string
	}{
		"accepted": {reply{status: http.StatusAccepted}, "job " + jobID + " is being canceled"},
		"refused":  {azureError(http.StatusBadRequest, "BMSUserErrorJobNotCancellable", "It has gone too far."), "Azure does not cancel job " + jobID + ": It has gone too far."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			azure := &stub{t: t, answers: map[string]reply{"POST cancel": c.answer}}
			out, err := azure.run("backup-now", "cancel-backup-job", op)
			require.NoError(t, err)
			require.Equal(t, "Advance : "+c.note, summary(out))
		})
	}
	azure := &stub{t: t, answers: map[string]reply{"POST cancel": azureError(http.StatusServiceUnavailable, "ServiceUnavailable", "later")}}
	_, err := azure.run("backup-now", "cancel-backup-job", op)
	requireError(t, err, "ServiceUnavailable", operation.Transient)
}

func TestAwaitOperation_ReadsTheResultIfTheStatusIsLost(t *testing.T) {
	t.Parallel()
	bad := azureError(http.StatusBadRequest, "BadRequest", "no such version")
	foreign := operation.Tracking{StatusURL: "https://evil.example/operationsStatus/o1"}
	azures := operation.Tracking{StatusURL: statusURL}
	for name, c := range map[string]struct {
		flow, step string
		tracking   operation.Tracking
		out        string
	}{
		"a backup, forbidden":          {"backup-now", "await-backup", azures, "Advance : the start of the backup"},
		"a backup, a foreign host":     {"backup-now", "await-backup", foreign, "Advance : the start of the backup"},
		"a protection, forbidden":      {"protect-file-share", "await-protection", azures, "Advance confirm-protection: enabling protection"},
		"a deletion, a foreign host":   {"delete-protection", "await-deletion", foreign, "Advance confirm-gone: the deletion"},
		"a restore, forbidden":         {"restore-postgres", "await-restore", azures, "Advance : the start of the restore"},
		"a registration, foreign host": {"protect-file-share", "await-registration", foreign, "Advance find-registration: the registration of the storage account"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			azure := &stub{t: t, answers: map[string]reply{"GET o1": bad}}
			out, err := azure.run(c.flow, c.step, operation.Operation{AzureState: operation.AzureState{Learned: learnedShare(), Tracking: &c.tracking}})
			require.NoError(t, err)
			require.Equal(t, c.out+": its status cannot be read; reading the result instead", summary(out))
			require.Len(t, out.Warnings, 1)
			require.Empty(t, out.Tracking.StatusURL, "it is not sent again")
		})
	}
	for _, c := range []struct{ flow, step string }{{"protect-postgres", "await-validation"}, {"restore-postgres", "await-validation"}} {
		t.Run("a validation of "+c.flow+" says nothing else", func(t *testing.T) {
			t.Parallel()
			_, err := (&stub{t: t}).run(c.flow, c.step, operation.Operation{AzureState: operation.AzureState{Tracking: &foreign}})
			requireError(t, err, "UntrustedPollHost", operation.Fatal)
		})
	}
}
