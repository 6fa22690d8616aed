package recoveryservices

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm/armtest"
	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/backupjob"
	"azbackupflow/internal/operation"
)

// reader returns a client of an ARM that answers every call with this body.
func reader(t *testing.T, body string) *Client {
	t.Helper()
	server, _ := armtest.Serve(t, armtest.Says(body))
	return New(armtest.Client(t, server))
}

func TestGetPolicy_ReadsEveryField(t *testing.T) {
	t.Parallel()
	p, err := reader(t, `{"id":"`+demoVault().PolicyID("schedule1")+`","name":"schedule1",
		"properties":{"backupManagementType":"AzureStorage","workLoadType":"AzureFileShare","retentionPolicy":{}}}`).
		GetPolicy(t.Context(), demoVault(), "schedule1")
	require.NoError(t, err)
	require.Equal(t, Policy{
		ID: demoVault().PolicyID("schedule1"), Name: "schedule1", BackupManagementType: "AzureStorage", WorkloadType: "AzureFileShare",
	}, p)
}

func TestContainers_ReadsEveryField(t *testing.T) {
	t.Parallel()
	found, err := reader(t, `{"value":[{"id":"x","name":"`+demoContainer+`","properties":{"friendlyName":"testvault2",
		"protectableContainerType":"StorageContainer","containerId":"`+demoAccount+`"}}]}`).
		ListProtectableContainers(t.Context(), demoVault())
	require.NoError(t, err)
	require.Equal(t, []ProtectableContainer{{Name: demoContainer, FriendlyName: "testvault2", ContainerID: demoAccount}}, found)

	const body = `{"id":"i","name":"` + demoContainer + `","properties":{"sourceResourceId":"` + demoAccount + `","protectedItemCount":0,
		"friendlyName":"testvault2","registrationStatus":"Registered","healthStatus":"Healthy","containerType":"StorageContainer"}}`
	want := Container{
		ID: "i", Name: demoContainer, FriendlyName: "testvault2", SourceResourceID: demoAccount, RegistrationStatus: Registered, HealthStatus: "Healthy",
	}
	one, err := reader(t, body).GetContainer(t.Context(), demoVault(), demoContainer)
	require.NoError(t, err)
	require.Equal(t, want, one)
	registered, err := reader(t, `{"value":[`+body+`]}`).ListRegisteredContainers(t.Context(), demoVault(), "")
	require.NoError(t, err)
	require.Equal(t, []Container{want}, registered)
}

func TestListProtectableFileShares_ContainerIsReadFromTheID(t *testing.T) {
	t.Parallel()
	id := demoVault().String() + "/backupFabrics/Azure/ProtectionContainers/storagecontainer;storage;azurefiles;testvault2/protectableItems/" + demoItem
	found, err := reader(t, `{"value":[{"id":"`+id+`","name":"`+demoItem+`","properties":{"parentContainerFabricId":"`+demoAccount+`",
		"friendlyName":"testshare","protectionState":"NotProtected","somethingNew":{"a":[1]}}}]}`).
		ListProtectableFileShares(t.Context(), demoVault())
	require.NoError(t, err)
	require.Equal(t, []ProtectableFileShare{{
		ID: id, Name: demoItem, ContainerName: "storagecontainer;storage;azurefiles;testvault2", FriendlyName: "testshare",
		ParentContainerFabricID: demoAccount, ProtectionState: "NotProtected",
	}}, found)
}

func TestListProtectedItems_ReadsEveryType(t *testing.T) {
	t.Parallel()
	for kind, id := range map[string]string{
		ItemAzureFileShare: demoItemID(), ItemVirtualMachine: demoVM, ItemSQLDatabase: demoDatabase, ItemSAPHanaDatabase: demoDatabase,
	} {
		p, err := reader(t, `{"id":"`+id+`","name":"n","properties":{"protectedItemType":"`+kind+`","friendlyName":"f","policyId":"p",
			"protectionState":"IRPending","protectionStatus":"Healthy","backupManagementType":"AzureStorage","workloadType":"w",
			"containerName":"other","sourceResourceId":"s","lastBackupTime":"0001-01-01T00:00:00","lastBackupStatus":"IRPending",
			"isScheduledForDeferredDelete":true,"softDeleteRetentionPeriod":0}}`).GetProtectedItem(t.Context(), id)
		require.NoError(t, err)
		want, err := ParseItemID(id)
		require.NoError(t, err)
		require.Equal(t, ProtectedItem{
			ID: id, Name: "n", ContainerName: want.Container, Type: kind, FriendlyName: "f", PolicyID: "p", SourceResourceID: "s",
			ProtectionState: StateIRPending, ProtectionStatus: "Healthy", BackupManagementType: "AzureStorage", WorkloadType: "w",
			LastBackupStatus: "IRPending", SoftDeleted: true,
		}, p)
	}
}

func TestGetJob_ReadsEveryField(t *testing.T) {
	t.Parallel()
	j, err := reader(t, `{"id":"/x/backupJobs/`+demoJob+`","name":"`+demoJob+`","properties":{"jobType":"AzureStorageJob",
		"actionsInfo":["Cancellable"],"duration":"PT1H42.701185S","storageAccountName":"testvault2",
		"extendedInfo":{"tasksList":[{"taskId":"Take Snapshot"}],"progressPercentage":94.0,"propertyBag":{"File Share Name":"testshare","Files":3,"None":null}},
		"isUserTriggered":false,"entityFriendlyName":"testshare","backupManagementType":"AzureStorage","operation":"Backup","status":"Failed",
		"startTime":"2024-06-11T10:34:22.6916498Z","endTime":"2024-06-11T10:34:27.5338009Z","activityId":"a1",
		"errorDetails":[{"errorCode":400201,"errorString":"It broke.","recommendations":["retry it"]},{"errorCode":null,"errorTitle":"also"}]}}`).
		GetJob(t.Context(), demoVault(), demoJob)
	require.NoError(t, err)
	require.Equal(t, Job{
		ID: "/x/backupJobs/" + demoJob, Name: demoJob, Operation: OperationBackup, Status: "Failed",
		StartTime: time.Date(2024, 6, 11, 10, 34, 22, 691649800, time.UTC), EndTime: time.Date(2024, 6, 11, 10, 34, 27, 533800900, time.UTC),
		Duration: time.Hour + 42701185*time.Microsecond, EntityFriendlyName: "testshare", StorageAccountName: "testvault2",
		BackupManagementType: "AzureStorage", ActivityID: "a1", Progress: 94, Cancellable: true,
		Errors:      []JobError{{Code: "400201", Message: "It broke.", Recommendations: []string{"retry it"}}, {Title: "also"}},
		PropertyBag: map[string]string{"File Share Name": "testshare", "Files": "3", "None": ""},
	}, j)
	require.Equal(t, &operation.Error{
		Code: "400201", Message: "It broke.; also", Class: operation.Fatal, RecommendedAction: []string{"retry it"},
	}, j.Failure())
}

func TestGetJob_RunningJobHasNoEnd(t *testing.T) {
	t.Parallel()
	j, err := reader(t, `{"id":"/x/backupJobs/j","properties":{"status":"InProgress","startTime":"2024-06-11T10:34:22Z","endTime":"0001-01-01T00:00:00","duration":"soon"}}`).
		GetJob(t.Context(), demoVault(), "j")
	require.NoError(t, err)
	require.Equal(t, "j", j.Name)
	require.True(t, j.EndTime.IsZero())
	require.Zero(t, j.Duration)
	require.Equal(t, backupjob.Running, j.State())
	require.Nil(t, j.Failure())
	require.Nil(t, j.Warnings())
}

func TestJob_StateOfItsStatus(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]backupjob.State{
		"Completed": backupjob.Completed, "completed": backupjob.Completed, "CompletedWithWarnings": backupjob.CompletedWithWarnings, "Failed": backupjob.Failed,
		"Cancelled": backupjob.Cancelled, "Canceled": backupjob.Cancelled, "InProgress": backupjob.Running, "Cancelling": backupjob.Running, "Invalid": backupjob.Running, "": backupjob.Running,
	} {
		j := Job{Name: "j", Status: status}
		require.Equal(t, want, j.State(), status)
		require.Equal(t, want == backupjob.Failed || want == backupjob.Cancelled, j.Failure() != nil, status)
		require.Equal(t, want == backupjob.CompletedWithWarnings, j.Warnings() != nil, status)
	}
	require.Equal(t, []string{"w"}, Job{Status: "CompletedWithWarnings", Errors: []JobError{{Message: "w"}}}.Warnings())
}

func TestJob_FailureOfAParallelBackupIsAConflict(t *testing.T) {
	t.Parallel()
	j := Job{Status: "Failed", Errors: []JobError{{Code: "400201", Message: "ParallelSnapshotRequest: a snapshot is being taken"}}}
	require.Equal(t, operation.Conflict, j.Failure().Class)
}

func TestClient_RejectsAnswersOfAnotherForm(t *testing.T) {
	t.Parallel()
	for _, body := range []string{``, `[]`, `"x"`, `{"id":5}`, `{"properties":[]}`} {
		_, err := reader(t, body).GetJob(t.Context(), demoVault(), demoJob)
		var e *operation.Error
		require.ErrorAs(t, err, &e, body)
		require.Equal(t, azerr.CodeUnreadableAnswer, e.Code)
		require.Equal(t, operation.Transient, e.Class)
	}
}

func TestJobFilter_NeedsBothTimes(t *testing.T) {
	t.Parallel()
	_, err := reader(t, `{"value":[]}`).ListJobs(t.Context(), demoVault(), JobFilter{StartTime: time.Unix(1, 0)})
	require.Error(t, err)
}

func TestTriggerBackup_SendsTheAttemptID(t *testing.T) {
	t.Parallel()
	server, sent := armtest.Serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Azure-AsyncOperation", "https://management.azure.com/status?s=1")
		w.Header().Set("Location", "https://management.azure.com/result?s=1")
		w.Header().Set("Retry-After", "60")
		w.WriteHeader(http.StatusAccepted)
	})
	s, err := New(armtest.Client(t, server)).TriggerBackup(t.Context(), demoItemID(), BackupRequest{ObjectType: BackupAzureFileShare}, "attempt-9")
	require.NoError(t, err)
	require.Equal(t, "attempt-9", sent()[0].ClientRequestID)
	require.Equal(t, "https://management.azure.com/status?s=1", s.Tracking.StatusURL)
	require.Equal(t, "https://management.azure.com/result?s=1", s.Tracking.ResultURL)
	require.Equal(t, time.Minute, s.RetryAfter)
	require.False(t, s.Done)
}
