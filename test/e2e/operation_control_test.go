package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/fault"
	"azbackupflow/internal/local/stack"
)

// TestOperationControl_CancelPauseResumeRetry controls operations while Azure
// works on them.
func TestOperationControl_CancelPauseResumeRetry(t *testing.T) {
	t.Parallel()
	world := armsim.DemoWorld()
	cases := []struct {
		name string
		run  func(*local, site, *sweeps)
	}{
		{"an operation is canceled while it waits for a job", canceledWhileWaiting},
		{"a cancel that comes too late is reported", canceledTooLate},
		{"an operation is canceled before it has begun anything", canceledBeforeAnything},
		{"a paused operation sends nothing until it is resumed", pausedAndResumed},
		{"a failed backup that is retried is a new backup", retriedAfterFailure},
		{"a failed backup is started again if its request allows it", startedAgainOnRequest},
		{"an unclear backup is parked until an operator retries it", parkedAndRetried},
		{"an operation that has ended stays as it is", endedStays},
	}
	var sites []site
	for i := range cases {
		sites = append(sites, newSite(&world, fmt.Sprintf("control%d", i), protected))
	}
	var swept sweeps
	l := startInTurn(t, stack.Config{SpeedFactor: faultSpeed, World: &world, Fault: swept.count})
	for i, c := range cases { //nolint:paralleltest // they share a stack
		t.Run(c.name, func(t *testing.T) {
			c.run(l.in(t), sites[i], &swept)
		})
	}
}

// sweeps counts the sweeps so far.
type sweeps struct{ made atomic.Int32 }

func (s *sweeps) count(m fault.Moment, r fault.Request) {
	if m == fault.During && r.Kind == "invoke sweep" {
		s.made.Add(1)
	}
}

// await waits for a number of sweeps that begin after now.
func (s *sweeps) await(t *testing.T, n int32) {
	t.Helper()
	before := s.made.Load()
	require.Eventually(t, func() bool { return s.made.Load() > before+n }, maxWait, 50*time.Millisecond)
}

// change controls an operation, as an operator does, and returns the status of
// the answer.
func (l *local) change(method, path string) (api.Operation, int) {
	l.t.Helper()
	var v api.Operation
	res := l.call(method, "/operations/"+path, nil, &v)
	return v, res.StatusCode
}

// reaches waits until the operation waits at the step.
func (l *local) reaches(id, step string) (v api.Operation) {
	l.t.Helper()
	require.Eventually(l.t, func() bool {
		var ok bool
		v, ok = l.get(id)
		return ok && v.Step == step && v.WaitingFor != ""
	}, maxWait, 50*time.Millisecond, "operation %s does not reach %s", id, step)
	return v
}

func canceledWhileWaiting(l *local, s site, _ *sweeps) {
	l.ARM.AddOutcome(armsim.Outcome{Item: s.share, KeepsRunning: true})
	id := l.begin(s.backup())
	waits := l.reaches(id, "await-backup-job")

	v, status := l.change(http.MethodDelete, id)
	require.Equal(l.t, http.StatusAccepted, status)
	require.True(l.t, v.CancelRequested)
	end := l.await(id)
	require.Equal(l.t, api.Canceled, end.Status, say(l.history(id)))
	require.Equal(l.t, waits.JobID, end.JobID)
	require.Equal(l.t, "Cancelled", l.job(waits.JobID).Status)
	require.Equal(l.t, 2, l.writesOf(s), "backup, and the cancellation of its job")
}

func canceledTooLate(l *local, s site, _ *sweeps) {
	let := l.holdBack(s, "GET operationsStatus")
	id := l.begin(s.backup())
	l.reaches(id, "await-backup")
	require.Eventually(l.t, func() bool {
		return slices.ContainsFunc(l.ARM.Jobs(), func(j armsim.Job) bool { return j.Vault == s.vault.ID() && j.Status == "Completed" })
	}, maxWait, 20*time.Millisecond)
	_, status := l.change(http.MethodDelete, id)
	require.Equal(l.t, http.StatusAccepted, status)
	let()
	end := l.await(id)
	require.Equal(l.t, api.SucceededWithWarnings, end.Status, say(l.history(id)))
	require.Contains(l.t, end.Warnings, "too late to cancel: the job completed")
	require.Contains(l.t, say(l.history(id)), "Azure does not cancel job "+end.JobID)
}

func canceledBeforeAnything(l *local, s site, _ *sweeps) {
	let := l.holdBack(s, "GET backupProtectedItems")
	id := l.begin(s.backup())
	require.Eventually(l.t, func() bool { return len(l.history(id)) > 1 }, maxWait, 50*time.Millisecond)
	_, status := l.change(http.MethodDelete, id)
	require.Equal(l.t, http.StatusAccepted, status)
	end := l.await(id)
	let()
	require.Equal(l.t, api.Canceled, end.Status)
	require.Empty(l.t, end.Warnings)
	require.Zero(l.t, l.writesOf(s))
}

func pausedAndResumed(l *local, s site, swept *sweeps) {
	let := l.holdBack(s, "GET operationsStatus")
	id := l.begin(s.backup())
	l.reaches(id, "await-backup")

	v, status := l.change(http.MethodPost, id+"/pause")
	require.Equal(l.t, http.StatusAccepted, status)
	require.True(l.t, v.Paused)
	// All its messages are processed, and the sweep has checked it.
	require.Eventually(l.t, func() bool { return !l.hasMessages(id) }, maxWait, 20*time.Millisecond)
	let()
	asked := len(l.requestsOf(s, ""))
	swept.await(l.t, 2)
	require.Len(l.t, l.requestsOf(s, ""), asked)
	require.False(l.t, l.hasMessages(id))

	v, status = l.change(http.MethodPost, id+"/resume")
	require.Equal(l.t, http.StatusAccepted, status)
	require.False(l.t, v.Paused)
	l.backedUpOnce(s, id)
	told := say(l.history(id))
	require.Contains(l.t, told, "paused")
	require.Contains(l.t, told, "resumed")
}

func retriedAfterFailure(l *local, s site, _ *sweeps) {
	l.ARM.AddOutcome(armsim.Outcome{Item: s.share, JobStatus: "Failed", ErrorCode: 400200, ErrorText: "The share is locked."})
	id := l.begin(s.backup())
	failed := l.await(id)
	require.Equal(l.t, api.Failed, failed.Status)
	require.Equal(l.t, "await-backup-job", failed.Step)

	v, status := l.change(http.MethodPost, id+"/retry")
	require.Equal(l.t, http.StatusAccepted, status)
	require.False(l.t, v.Status.Terminal())
	again := l.await(id)
	require.Contains(l.t, say(l.history(id)), ": retried")
	require.Equal(l.t, api.Succeeded, again.Status, say(l.history(id)))
	require.Len(l.t, l.backupsOf(s), 2)
	require.NotEqual(l.t, failed.JobID, again.JobID)
}

func startedAgainOnRequest(l *local, s site, _ *sweeps) {
	l.ARM.AddOutcome(armsim.Outcome{
		Item: s.share, JobStatus: "Failed", ErrorCode: 400125, ErrorText: "Too busy (FileshareBackupFailedWithAzureRpRequestThrottling).",
	})
	r := s.backup()
	object(r, "parameters")["retryFailedJob"] = 1
	id := l.begin(r)
	end := l.await(id)
	require.Equal(l.t, api.SucceededWithWarnings, end.Status, say(l.history(id)))
	made := l.backupsOf(s)
	require.Len(l.t, made, 2)
	require.Equal(l.t, made[0].JobID, end.Learned["failedJobs"])
	require.Equal(l.t, made[1].JobID, end.JobID)
	require.Len(l.t, end.Warnings, 1)
	require.Contains(l.t, end.Warnings[0], made[0].JobID)
}

// An ambiguous backup request, after which two jobs of the share have begun, is
// not repeated before an operator has checked it.
func parkedAndRetried(l *local, s site, _ *sweeps) {
	first := s.backup()
	first["key"] = "the other"
	l.succeeds(l.begin(first))
	l.goesWrong(s, "POST backup", armsim.ResetBefore())
	l.goesWrong(s, "GET backupJobs", armsim.Answer(http.StatusOK, twoJobs(s), nil))
	id := l.begin(s.backup())
	parked := l.await(id)
	require.Equal(l.t, api.Parked, parked.Status, say(l.history(id)))
	require.Equal(l.t, "BackupUnclear", parked.Error.Code)
	require.NotEmpty(l.t, parked.Error.RecommendedAction)
	require.Len(l.t, l.backupsOf(s), 1)

	_, status := l.change(http.MethodPost, id+"/retry")
	require.Equal(l.t, http.StatusAccepted, status)
	require.Eventually(l.t, func() bool { v, ok := l.get(id); return ok && v.Status == api.Succeeded }, maxWait, 50*time.Millisecond)
	require.Len(l.t, l.backupsOf(s), 2)
}

// twoJobs returns a list of two backup jobs of the site's share that someone
// else started after any request of today.
func twoJobs(s site) string {
	var jobs []map[string]any
	for _, name := range []string{"one", "another"} {
		jobs = append(jobs, map[string]any{
			"id": s.vault.ID() + "/backupJobs/" + name, "name": name,
			"properties": map[string]any{
				"jobType": "AzureStorageJob", "backupManagementType": "AzureStorage", "operation": "Backup", "status": "InProgress",
				"entityFriendlyName": s.share, "startTime": "2100-01-01T00:00:00Z", "activityId": "somebody-else",
			},
		})
	}
	return string(encoded(map[string]any{"value": jobs}))
}

func endedStays(l *local, s site, _ *sweeps) {
	id := l.begin(s.backup())
	done := l.succeeds(id)
	v, status := l.change(http.MethodDelete, id)
	require.Equal(l.t, http.StatusOK, status)
	require.Equal(l.t, done, v)

	var p api.Problem
	res := l.call(http.MethodPost, "/operations/"+id+"/retry", nil, &p)
	require.Equal(l.t, http.StatusConflict, res.StatusCode)
	require.Equal(l.t, "urn:azbackupflow:problem:not-retriable", p.Type)
	require.Contains(l.t, p.Detail, "Succeeded")

	for _, path := range []string{"/operations/nobody", "/operations/nobody/history"} {
		res := l.call(http.MethodGet, path, nil, &p)
		require.Equal(l.t, http.StatusNotFound, res.StatusCode)
		require.Equal(l.t, "urn:azbackupflow:problem:operation-not-found", p.Type)
	}
	after, _ := l.get(id)
	require.Equal(l.t, done, after)
}

// holdBack fails the site's reads of a kind until the returned function is
// called.
func (l *local) holdBack(s site, kind string) (let func()) {
	effect := armsim.AnswerError(http.StatusTooManyRequests, "TooManyRequests", "later", http.Header{"Retry-After": {"1"}})
	if strings.HasSuffix(kind, "operationsStatus") {
		effect = armsim.Answer(http.StatusOK, `{"status":"InProgress"}`, http.Header{"Retry-After": {"1"}})
	}
	return l.ARM.Inject(armsim.Rule{Kind: kind, Match: s.concerns, Effect: effect})
}

// hasMessages reports whether the bus holds a message for the operation.
func (l *local) hasMessages(id string) bool {
	for _, m := range l.Broker.Messages("steps") {
		if strings.HasPrefix(m.MessageID, id+":") {
			return true
		}
	}
	return false
}

// job returns a job of any vault.
func (l *local) job(id string) armsim.Job {
	for _, j := range l.ARM.Jobs() {
		if j.ID == id {
			return j
		}
	}
	return armsim.Job{}
}
