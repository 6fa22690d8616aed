package flow_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

func TestResumeProtection_WritesAnItemThatIsInAnError(t *testing.T) {
	t.Parallel()
	for _, state := range []string{"ProtectionError", "ProtectionPaused", "Invalid", "SomethingNew"} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			azure := onItems(t, state)
			out, err := azure.run("resume-protection", "resume-item", onItem(t, "resume-protection"))
			require.NoError(t, err)
			require.Equal(t, "Advance : protection is being resumed with the policy schedule1", summary(out))
			require.Equal(t, []string{"PUT " + shareItemName}, writesOf(azure))

			_, err = onItems(t, state).run("resume-protection", "confirm-resumed", onItem(t, "resume-protection"))
			requireError(t, err, "ProtectionNotResumed", operation.NotYet)
			require.Contains(t, errorOf(t, err).Message, `testshare as "`+state+`"`)
		})
	}
}

func TestResumeProtection_KeepsThePolicyOfAnItemThatIsInAnError(t *testing.T) {
	t.Parallel()
	azure := onItems(t, "ProtectionError")
	op := onItem(t, "resume-protection")
	op.Parameters = []byte(strings.Replace(string(op.Parameters), "{", `{"policy":"another",`, 1))
	_, err := azure.run("resume-protection", "resume-item", op)
	requireError(t, err, "ProtectedByAnotherPolicy", operation.Fatal)
	require.Empty(t, writesOf(azure))
}

func TestStopProtection_DoesNotReportASoftDeletedItemAsStopped(t *testing.T) {
	t.Parallel()
	_, err := onItems(t, "soft-deleted").run("stop-protection", "confirm-stopped", onItem(t, "stop-protection"))
	requireError(t, err, "ItemSoftDeleted", operation.Fatal)
}

// The list of deleted instances may not contain the instance yet.
func TestDeleteProtection_ASoftDeletedInstanceIsNotGone(t *testing.T) {
	t.Parallel()
	azure := onInstances(t, "SoftDeleted")
	azure.answer = deletedInstance(azure)
	out, err := azure.run("delete-protection", "confirm-instance-gone", onInstance(t, "delete-protection"))
	require.NoError(t, err)
	require.Equal(t, "Advance exclude: the instance is soft-deleted", summary(out))
	require.Equal(t, "soft-deleted", out.Learned["deletion"])

	azure.answer = func(*http.Request) reply { return azureError(http.StatusNotFound, "ResourceNotFound", "no") }
	out, err = azure.run("delete-protection", "confirm-instance-gone", onInstance(t, "delete-protection"))
	require.NoError(t, err)
	require.Equal(t, "gone", out.Learned["deletion"])
}

// Azure may list a deleted instance later than it stops showing the live one.
func TestDeleteProtection_WaitsForTheDeletedInstanceOfAVaultWithSoftDelete(t *testing.T) {
	t.Parallel()
	azure := onInstances(t, "SoftDeleted")
	azure.answer = func(*http.Request) reply { return azureError(http.StatusNotFound, "ResourceNotFound", "no") }
	op := onInstance(t, "delete-protection")
	op.Learned["softDelete"] = "on"
	for op.Attempts = range 6 {
		_, err := azure.run("delete-protection", "confirm-instance-gone", op)
		requireError(t, err, "DeletedInstanceNotListed", operation.NotYet)
	}
	op.Attempts = 6
	out, err := azure.run("delete-protection", "confirm-instance-gone", op)
	require.NoError(t, err)
	require.Equal(t, "gone", out.Learned["deletion"], "it was purged, or Azure kept nothing")
}

// Whether an absent instance is soft-deleted must be known before it counts as gone.
func TestDeleteProtection_FailsIfTheDeletedInstanceCannotBeRead(t *testing.T) {
	t.Parallel()
	azure, reads := onInstances(t, "ProtectionConfigured"), 0
	azure.answer = func(r *http.Request) reply {
		switch {
		case strings.Contains(r.URL.Path, "/deletedBackupInstances/"):
			if reads++; reads > 1 {
				return azureError(http.StatusInternalServerError, "InternalServerError", "try again")
			}
			return azureError(http.StatusNotFound, "ResourceNotFound", "no")
		case strings.Contains(r.URL.Path, "/backupInstances/"):
			return azureError(http.StatusNotFound, "ResourceNotFound", "no")
		}
		return reply{status: http.StatusOK, body: object{"id": demoBackupVault, "name": "TestBkpVault"}}
	}
	out, err := azure.run("delete-protection", "read-instance", onInstance(t, "delete-protection"))
	require.Equal(t, operation.Transient, errorOf(t, err).Class)
	require.Empty(t, out.Learned)
	require.Equal(t, 2, reads, "the read that failed is the one that decides")
}

// The process ended after Azure had accepted the deletion, and before that was
// saved: the deletion may have had an effect.
func TestDeleteProtection_DoesNotClaimThatNothingWasDeleted(t *testing.T) {
	t.Parallel()
	changed := map[string]func() (operation.Outcome, error){
		"an instance whose recovery point is gone": func() (operation.Outcome, error) {
			azure := onInstances(t, "ProtectionConfigured")
			azure.answers["GET r1"] = azureError(http.StatusNotFound, "ResourceNotFound", "no")
			op := onInstance(t, "delete-protection")
			op.Learned["recoveryPointId"] = "r1"
			return azure.run("delete-protection", "delete-instance", op)
		},
		"an instance with another policy": func() (operation.Outcome, error) {
			op := onInstance(t, "delete-protection")
			op.Learned["policyId"] = "p"
			return onInstances(t, "ProtectionConfigured").run("delete-protection", "delete-instance", op)
		},
		"an item with another policy": func() (operation.Outcome, error) {
			op := onItem(t, "delete-protection")
			op.Learned["policyId"] = "p"
			return onItems(t, "Protected").run("delete-protection", "delete-item", op)
		},
	}
	for name, run := range changed {
		_, err := run()
		requireError(t, err, "ChangedMeanwhile", operation.Fatal)
		require.NotContains(t, errorOf(t, err).Message, "nothing was deleted", name)
		require.Contains(t, errorOf(t, err).RecommendedAction[0], "may have deleted backups", name)
	}
}

func TestDeleteProtection_DoesNotDeleteAfterAProtectionOfUnknownTime(t *testing.T) {
	t.Parallel()
	azure := onItems(t, "Protected")
	azure.answers["GET backupJobs"] = list(backupJob("j1", 0, object{"operation": "ConfigureBackup", "startTime": "soon"}))
	_, err := azure.run("delete-protection", "delete-item", onItem(t, "delete-protection"))
	requireError(t, err, "ChangedMeanwhile", operation.Fatal)
	require.Empty(t, writesOf(azure))
}

// A validation has no other result than its status: without it, nothing may be
// configured or restored.
func TestAwaitOperation_ValidatesAgainIfTheResultIsLost(t *testing.T) {
	t.Parallel()
	for name, retry := range map[string]string{"protect-postgres": "validate", "protect-cluster": "validate", "restore-postgres": "validate-restore"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gone := azureError(http.StatusNotFound, "ResourceNotFound", "no")
			for _, tracking := range []operation.Tracking{
				{StatusURL: statusURL}, {ResultURL: strings.Replace(resultURL, "/o1?", "/o2?", 1)},
				{StatusURL: statusURL, ResultURL: strings.Replace(resultURL, "/o1?", "/o2?", 1)},
			} {
				azure := &stub{t: t, answers: map[string]reply{"GET o1": gone, "GET o2": gone}}
				out, err := azure.run(name, "await-validation", operation.Operation{AzureState: operation.AzureState{Tracking: &tracking}})
				require.NoError(t, err)
				require.Equal(t, operation.Back, out.Kind)
				require.Equal(t, retry, out.Next)
				require.Equal(t, "ValidationLost", out.Err.Code)
				require.Equal(t, []string{"Send the request again."}, out.Err.RecommendedAction)
				require.Equal(t, operation.NotYet, out.Err.Class)
			}
			out, err := (&stub{t: t}).run(name, "await-validation", operation.Operation{AzureState: operation.AzureState{Tracking: &operation.Tracking{SubmittedAt: morning()}}})
			require.NoError(t, err)
			require.Equal(t, operation.Advance, out.Kind, "an immediate 200 is valid")
			require.Contains(t, out.Note, "answered without a status to wait for")
		})
	}
}

func TestRestorePostgres_ValidatesAgainAfterAnAcceptedValidationWithoutStatus(t *testing.T) {
	t.Parallel()
	op := onInstance(t, "restore-postgres")
	op.Learned["recoveryPointId"] = "r1"
	for status, kind := range map[int]operation.Kind{http.StatusAccepted: "", http.StatusOK: operation.Advance} {
		azure := &stub{t: t, answers: map[string]reply{"POST validateRestore": {status: status}}}
		out, err := azure.run("restore-postgres", "validate-restore", op)
		require.Equal(t, kind, out.Kind)
		if kind == "" {
			requireError(t, err, "ValidationLost", operation.NotYet)
		}
	}
}

func TestProtectFileShare_NotesAnImmediateAnswer(t *testing.T) {
	t.Parallel()
	out, err := (&stub{t: t}).run("protect-file-share", "await-registration", operation.Operation{AzureState: operation.AzureState{Tracking: &operation.Tracking{SubmittedAt: morning()}}})
	require.NoError(t, err)
	require.Equal(t, "Advance find-registration: the registration of the storage account: Azure answered without a status to wait for", summary(out))
}

// A job whose start time cannot be read may be the job of a lost answer.
func TestReconcile_DoesNotStartAgainAfterAJobOfUnknownTime(t *testing.T) {
	t.Parallel()
	for _, start := range []any{"soon", "", nil} {
		job := object{"id": demoBackupVault + "/backupJobs/j1", "name": "j1", "properties": object{
			"status": "InProgress", "operationCategory": "Backup", "startTime": start, "backupInstanceId": demoInstance,
		}}
		items := map[string]*stub{
			"trigger-backup":          {t: t, answers: map[string]reply{"GET backupJobs": list(backupJob("j1", 0, object{"startTime": start}))}},
			"trigger-instance-backup": {t: t, answers: map[string]reply{"GET backupJobs": list(job)}},
		}
		for name, azure := range items {
			known := learnedShare()
			known["backupInstanceId"] = demoInstance
			op := operation.Operation{AzureState: operation.AzureState{Learned: known, Claim: &operation.Claim{AttemptID: attempt, ClaimedAt: morning()}}}
			found, err := azure.one("backup-now", name).Reconcile(t.Context(), step.Call{Operation: op, Now: morning().Add(6 * time.Minute)})
			require.NoError(t, err)
			require.Equal(t, operation.Ambiguous, found.Result, "%s, %v", name, start)
			require.Equal(t, "BackupUnclear", found.Err.Code)
		}
	}
}

// The attempt's own job is recognized by its ID, without a read of its target.
func TestFindJob_RecognizesARestoreByItsAttempt(t *testing.T) {
	t.Parallel()
	job := object{"id": demoBackupVault + "/backupJobs/j1", "name": "j1", "properties": object{
		"status": "InProgress", "operationCategory": "Restore", "startTime": morning().Format(time.RFC3339), "backupInstanceId": demoInstance, "activityID": attempt,
	}}
	azure := &stub{t: t, answers: map[string]reply{"GET backupJobs": list(job)}}
	op := onInstance(t, "restore-postgres")
	op.Learned["attempt"], op.Learned["attemptedAt"] = attempt, morning().Format(time.RFC3339Nano)
	client := azure.one("restore-postgres", "find-restore-job")
	out, err := client.Run(t.Context(), step.Call{Operation: op, Now: morning().Add(time.Minute)})
	require.NoError(t, err)
	require.Equal(t, "Advance : found as job j1", summary(out))
	require.Len(t, azure.asked, 1)
}

func TestRestorePostgres_SaysWhyNoRecoveryPointFits(t *testing.T) {
	t.Parallel()
	deleted := object{"state": "DELETED"}
	points := []armsim.RecoveryPoint{
		{ID: "22222222222222222222222222222222", Age: time.Hour},
		{ID: "33333333333333333333333333333333", Age: 200 * 24 * time.Hour, StoreDetails: deleted},
		{ID: "44444444444444444444444444444444", Age: 300 * 24 * time.Hour, StoreDetails: deleted},
	}
	for before, want := range map[time.Duration]string{
		// withPoints adds a usable point of 100 days.
		150 * 24 * time.Hour: "none of the 2 recovery points of 2025-10-02T08:00:00Z or before in the vault tier can be used: each is incomplete, expired, deleted or no longer rehydrated",
		400 * 24 * time.Hour: "the instance has no recovery point of 2025-01-25T08:00:00Z or before",
	} {
		r, sim := simulated(t, withPoints(points...))
		err := r.fails("restore-postgres", object{"backupInstanceId": demoInstance, "recoveryPoint": object{"latestBefore": morning().Add(-before)}, "asFiles": asFiles("x")})
		require.Equal(t, "NoRecoveryPoint", err.Code)
		require.Equal(t, want, err.Message)
		require.Empty(t, sim.Restores())
	}
	r, _ := simulated(t, withPoints(points...))
	err := r.fails("restore-postgres", object{
		"backupInstanceId": demoInstance, "recoveryPoint": object{"latest": true}, "tier": "archive", "asFiles": asFiles("x"),
		"rehydration": object{"priority": "Standard", "retention": "P15D"},
	})
	require.Equal(t, "none of the 4 recovery points is in the archive tier", err.Message)
}
