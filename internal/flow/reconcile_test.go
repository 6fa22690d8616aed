package flow_test

import (
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// backupJob returns a job of the demo share as the vault lists it, started some
// time after the request.
func backupJob(name string, after time.Duration, changes object) object {
	properties := object{
		"jobType": "AzureStorageJob", "operation": "Backup", "status": "InProgress", "entityFriendlyName": "testshare",
		"storageAccountName": "testvault2", "backupManagementType": "AzureStorage",
		"startTime": morning().Add(after).Format(time.RFC3339Nano), "activityId": "somebody-else",
	}
	for k, v := range changes {
		if v == nil {
			delete(properties, k)
			continue
		}
		properties[k] = v
	}
	return object{"id": demoVault + "/backupJobs/" + name, "name": name, "properties": properties}
}

// item holds what was learned of the item that is backed up.
func learned(id, name, source string) map[string]string {
	return map[string]string{
		"itemId": id, "friendlyName": name, "sourceResourceId": source,
		"attempt": attempt, "attemptedAt": morning().Format(time.RFC3339Nano),
	}
}

func learnedShare() map[string]string {
	return learned(demoVault+"/backupFabrics/Azure/protectionContainers/StorageContainer;storage;azurefiles;testvault2/protectedItems/AzureFileShare;testshare", "testshare", demoAccount)
}

func learnedMachine() map[string]string {
	return learned(demoVault+"/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;machines;vm1/protectedItems/VM;iaasvmcontainerv2;machines;vm1", "vm1",
		"/subscriptions/x/resourceGroups/machines/providers/Microsoft.Compute/virtualMachines/vm1")
}

func learnedDatabase() map[string]string {
	return learned(demoVault+"/backupFabrics/Azure/protectionContainers/VMAppContainer;Compute;machines;sqlvm/protectedItems/SQLDataBase;MSSQLSERVER;orders", "orders",
		"/subscriptions/x/resourceGroups/machines/providers/Microsoft.Compute/virtualMachines/sqlvm")
}

// reconcileCase is a list of jobs and the result of the reconciliation.
type reconcileCase struct {
	item map[string]string
	jobs []any
	// found is the job that the request started, empty if none; ambiguous means
	// that it is unclear.
	found     string
	ambiguous bool
}

func reconcileCases() map[string]reconcileCase {
	const s = time.Second
	database := func(name string) object {
		return object{"entityFriendlyName": name, "storageAccountName": nil, "operation": "Backup (Full)", "jobType": "AzureWorkloadJob"}
	}
	machine := func(container any) object {
		return object{"entityFriendlyName": "vm1", "storageAccountName": nil, "containerName": container, "jobType": "AzureIaaSVMJob"}
	}
	return map[string]reconcileCase{
		"no job at all":                              {},
		"the job that carries the attempt's id":      {jobs: []any{backupJob("j1", s, object{"activityId": attempt})}, found: "j1"},
		"the id in other casing":                     {jobs: []any{backupJob("j1", s, object{"activityId": "AAAAAAAA-0000-4000-8000-000000000001"})}, found: "j1"},
		"the id among other jobs of the item":        {jobs: []any{backupJob("j1", s, nil), backupJob("j2", 2*s, object{"activityId": attempt}), backupJob("j3", 3*s, nil)}, found: "j2"},
		"the id though Azure's clock is behind":      {jobs: []any{backupJob("j1", -40*s, object{"activityId": attempt})}, found: "j1"},
		"the item's only job since the request":      {jobs: []any{backupJob("j1", s, nil)}, found: "j1"},
		"a job without an activity id":               {jobs: []any{backupJob("j1", s, object{"activityId": nil})}, found: "j1"},
		"names in other casing":                      {jobs: []any{backupJob("j1", s, object{"entityFriendlyName": "TestShare", "storageAccountName": "TESTVAULT2"})}, found: "j1"},
		"a job that has ended":                       {jobs: []any{backupJob("j1", s, object{"status": "Completed"})}, found: "j1"},
		"two jobs of the item":                       {jobs: []any{backupJob("j1", s, nil), backupJob("j2", 2*s, nil)}, ambiguous: true},
		"a job that started before the request":      {jobs: []any{backupJob("j1", -31*s, nil)}},
		"a job that started just before the request": {jobs: []any{backupJob("j1", -4*s, nil)}, ambiguous: true},
		"one just before and one since":              {jobs: []any{backupJob("j1", -4*s, nil), backupJob("j2", s, nil)}, ambiguous: true},
		"one long before and one since":              {jobs: []any{backupJob("j1", -40*s, nil), backupJob("j2", s, nil)}, found: "j2"},
		"another share's job":                        {jobs: []any{backupJob("j1", s, object{"entityFriendlyName": "othershare"})}},
		"a share of that name in another account":    {jobs: []any{backupJob("j1", s, object{"storageAccountName": "othervault"})}},

		"a machine's job":                         {item: learnedMachine(), jobs: []any{backupJob("j1", s, machine("iaasvmcontainerv2;machines;vm1"))}, found: "j1"},
		"a machine's job by its whole container":  {item: learnedMachine(), jobs: []any{backupJob("j1", s, machine("IaasVMContainer;iaasvmcontainerv2;MACHINES;vm1"))}, found: "j1"},
		"a machine's job without a container":     {item: learnedMachine(), jobs: []any{backupJob("j1", s, machine(nil))}, found: "j1"},
		"a machine of that name in another group": {item: learnedMachine(), jobs: []any{backupJob("j1", s, machine("iaasvmcontainerv2;elsewhere;vm1"))}},

		"a database's job":                          {item: learnedDatabase(), jobs: []any{backupJob("j1", s, database("orders [sqlvm]"))}, found: "j1"},
		"a database's job with instance and domain": {item: learnedDatabase(), jobs: []any{backupJob("j1", s, database("MSSQLSERVER/Orders [SQLVM.contoso.com]"))}, found: "j1"},
		"a database's restore": {
			item: learnedDatabase(), jobs: []any{backupJob("j1", s, with(database("orders [sqlvm]"), object{"operation": "Restore (Full)"}))},
		},
		"a share's job of another operation":           {jobs: []any{backupJob("j1", s, object{"operation": "ConfigureBackup"})}},
		"a database's job without a server":            {item: learnedDatabase(), jobs: []any{backupJob("j1", s, database("orders"))}, found: "j1"},
		"a database of another instance":               {item: learnedDatabase(), jobs: []any{backupJob("j1", s, database("SQLEXPRESS/orders [sqlvm]"))}},
		"another database of the server":               {item: learnedDatabase(), jobs: []any{backupJob("j1", s, database("master [sqlvm]"))}},
		"a server that is not called like its machine": {item: learnedDatabase(), jobs: []any{backupJob("j1", s, database("orders [cluster1]"))}, ambiguous: true},
		"such a server's job before the request":       {item: learnedDatabase(), jobs: []any{backupJob("j1", -31*s, database("orders [cluster1]"))}},
	}
}

func TestReconcile_FindsAnUnansweredBackupAmongTheJobs(t *testing.T) {
	t.Parallel()
	for name, c := range reconcileCases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			azure := &stub{t: t, answers: map[string]reply{"GET backupJobs": list(c.jobs...)}}
			op := operation.Operation{
				Progress: operation.Progress{Step: "trigger-backup"},
				AzureState: operation.AzureState{
					Learned: c.learned(),
					Claim:   &operation.Claim{AttemptID: attempt, ClaimedAt: morning(), NotAfter: morning().Add(time.Minute)},
				},
			}
			finding, err := azure.one("backup-now", "trigger-backup").Reconcile(t.Context(), step.Call{Operation: op, Now: morning().Add(6 * time.Minute)})
			require.NoError(t, err)
			require.Len(t, azure.asked, 1)
			require.Equal(t, "startTime eq '2026-03-01 07:50:00 AM' and endTime eq '2026-03-01 08:16:00 AM'", azure.asked[0].URL.Query().Get("$filter"))
			switch {
			case c.found != "":
				require.Equal(t, operation.Found, finding.Result)
				require.Equal(t, "await-backup-job", finding.Outcome.Next)
				require.Equal(t, c.found, finding.Outcome.Tracking.JobID)
				require.Equal(t, map[string]string{"attempt": attempt}, finding.Outcome.Learned)
			case c.ambiguous:
				require.Equal(t, operation.Ambiguous, finding.Result)
				require.Equal(t, "BackupUnclear", finding.Err.Code)
				require.NotEmpty(t, finding.Err.RecommendedAction)
			default:
				require.Equal(t, operation.Reconciliation{Result: operation.NotFound}, finding)
			}
		})
	}
}

// Jobs have Azure's times. The claim's time is converted to Azure's clock with
// the Date of the answer that lists the jobs.
func TestReconcile_ComparesTimesByTheClockOfAzure(t *testing.T) {
	t.Parallel()
	const ahead = 40 * time.Second
	for name, c := range map[string]struct {
		after time.Duration
		trace operation.ReconcileResult
	}{
		"after the request":        {ahead + time.Second, operation.Found},
		"just before the request":  {ahead - 20*time.Second, operation.Ambiguous},
		"well before the request":  {ahead - 35*time.Second, operation.NotFound},
		"minutes ahead of any one": {3 * ahead, operation.Found},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer := list(backupJob("j1", c.after, nil))
			// The rig's own clock stays at morning.
			answer.header = http.Header{"Date": {morning().Add(ahead).Format(http.TimeFormat)}}
			azure := &stub{t: t, answers: map[string]reply{"GET backupJobs": answer}}
			op := operation.Operation{Progress: operation.Progress{Step: "trigger-backup"}, AzureState: operation.AzureState{Learned: learnedShare(), Claim: &operation.Claim{AttemptID: attempt, ClaimedAt: morning()}}}
			finding, err := azure.one("backup-now", "trigger-backup").Reconcile(t.Context(), step.Call{Operation: op, Now: morning()})
			require.NoError(t, err)
			require.Equal(t, c.trace, finding.Result)
		})
	}
}

// with returns both objects as one.
func with(a, b object) object {
	both := maps.Clone(a)
	maps.Copy(both, b)
	return both
}

// An accepted backup has a job: if the list does not have it yet, the step
// waits.
func TestFindJob_FindsTheJobOfAnAcceptedBackup(t *testing.T) {
	t.Parallel()
	for name, c := range reconcileCases() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			azure := &stub{t: t, answers: map[string]reply{"GET backupJobs": list(c.jobs...)}}
			out, err := azure.run("backup-now", "find-backup-job", operation.Operation{AzureState: operation.AzureState{Learned: c.learned()}})
			switch {
			case c.found != "":
				require.NoError(t, err)
				require.Equal(t, "Advance : found as job "+c.found, summary(out))
				require.Equal(t, c.found, out.Tracking.JobID)
			case c.ambiguous:
				require.NoError(t, err)
				require.Equal(t, operation.Unclear, out.Kind)
				require.Equal(t, "BackupUnclear", out.Err.Code)
			default:
				requireError(t, err, "JobNotVisible", operation.NotYet)
			}
		})
	}
}

func (c reconcileCase) learned() map[string]string {
	if c.item == nil {
		return learnedShare()
	}
	return c.item
}

func TestReconcile_ReturnsTheErrorOfAnUnreadableJobList(t *testing.T) {
	t.Parallel()
	azure := &stub{t: t, answers: map[string]reply{"GET backupJobs": azureError(http.StatusServiceUnavailable, "ServiceUnavailable", "later")}}
	op := operation.Operation{AzureState: operation.AzureState{Learned: learnedShare(), Claim: &operation.Claim{AttemptID: attempt, ClaimedAt: morning()}}}
	_, err := azure.one("backup-now", "trigger-backup").Reconcile(t.Context(), step.Call{Operation: op, Now: morning().Add(6 * time.Minute)})
	requireError(t, err, "ServiceUnavailable", operation.Transient)
	_, err = azure.run("backup-now", "find-backup-job", op)
	requireError(t, err, "ServiceUnavailable", operation.Transient)
}

func TestFindJob_FailsWithoutTheTimeOfTheAttempt(t *testing.T) {
	t.Parallel()
	azure := &stub{t: t}
	op := operation.Operation{AzureState: operation.AzureState{Learned: learnedShare()}}
	delete(op.Learned, "attemptedAt")
	_, err := azure.run("backup-now", "find-backup-job", op)
	requireError(t, err, "AttemptUnknown", operation.Fatal)
}
