package armsim_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
)

const (
	machineItem  = fabric + "/protectionContainers/IaasVMContainer;iaasvmcontainerv2;machines;vm1/protectedItems/VM;iaasvmcontainerv2;machines;vm1"
	databaseItem = fabric + "/protectionContainers/VMAppContainer;Compute;machines;sqlvm/protectedItems/SQLDataBase;MSSQLSERVER;orders"
	hanaItem     = fabric + "/protectionContainers/VMAppContainer;Compute;machines;hanavm/protectedItems/SAPHanaDatabase;HDB;SYSTEMDB"
)

// job reads the newest job of the vault.
func (b *bench) job() reply {
	b.t.Helper()
	jobs := b.sim.Jobs()
	require.NotEmpty(b.t, jobs)
	r := b.get(vaultID + "/backupJobs/" + jobs[len(jobs)-1].ID + "?" + version)
	require.Equal(b.t, http.StatusOK, r.status, r.text)
	return r
}

func TestJob_OfAFileShareMatchesTheRecording(t *testing.T) {
	t.Parallel()
	b := start(t).protected()
	b.started(http.MethodPost, shareItem+"/backup", backupBody, "x-ms-client-request-id", "a1")
	b.clock.Advance(5 * time.Second)
	running, _ := b.job().at("properties").(map[string]any)
	start := running["startTime"]
	require.Equal(t, map[string]any{
		"jobType": "AzureStorageJob", "actionsInfo": []any{"Cancellable"}, "duration": "PT5S",
		"storageAccountName": "testvault2", "storageAccountVersion": "Storage",
		"extendedInfo":    map[string]any{"tasksList": []any{}, "propertyBag": map[string]any{"File Share Name": "testshare"}},
		"isUserTriggered": false, "entityFriendlyName": "testshare", "backupManagementType": "AzureStorage",
		"operation": "Backup", "status": "InProgress", "startTime": start, "activityId": "a1",
	}, running)
	b.clock.Advance(25500 * time.Millisecond)
	ended, _ := b.job().at("properties").(map[string]any)
	require.Equal(t, map[string]any{
		"jobType": "AzureStorageJob", "duration": "PT30S",
		"storageAccountName": "testvault2", "storageAccountVersion": "MicrosoftStorage",
		"extendedInfo": map[string]any{
			"tasksList": []any{map[string]any{"taskId": "Take Snapshot", "taskType": "Normal", "status": "Completed"}},
			"propertyBag": map[string]any{
				"File Share Name": "testshare", "Data Transferred (in MB)": "0", "Whether job is adhoc or scheduled.": "True",
			},
		},
		"isUserTriggered": false, "entityFriendlyName": "testshare", "backupManagementType": "AzureStorage",
		"operation": "Backup", "status": "Completed", "startTime": start, "endTime": ended["endTime"], "activityId": "a1",
	}, ended)
	require.Regexp(t, `^2024-06-11T10:34:\d\d\.1234567Z$`, ended["endTime"])
}

func TestJob_OfProtectionNamesThePolicy(t *testing.T) {
	t.Parallel()
	b := start(t).protected()
	require.Equal(t, "ConfigureBackup", b.job().at("properties/operation"))
	require.Equal(t, "schedule1", b.job().at("properties/extendedInfo/propertyBag/Policy Name"))
	require.NotEmpty(t, b.sim.Jobs()[0].ActivityID, "a request without an ID gets one")
}

func TestBackup_OfMachinesAndDatabases(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, item, body, jobType string
		takes                     time.Duration
	}{
		{"machine", machineItem, `{"properties":{"objectType":"IaasVMBackupRequest"}}`, "AzureIaaSVMJob", 20 * time.Minute},
		{"SQL", databaseItem, `{"properties":{"objectType":"AzureWorkloadBackupRequest","backupType":"Full"}}`, "AzureWorkloadJob", 5 * time.Minute},
		{"HANA", hanaItem, `{"properties":{"objectType":"AzureWorkloadBackupRequest","backupType":"Differential"}}`, "AzureWorkloadJob", 5 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := start(t)
			require.Equal(t, http.StatusOK, b.get(c.item+"?"+version).status)
			require.Equal(t, http.StatusBadRequest, b.send(http.MethodPost, c.item+"/backup?"+version, backupBody).status)
			b.started(http.MethodPost, c.item+"/backup", c.body)
			b.clock.Advance(c.takes - time.Second)
			require.Equal(t, "InProgress", b.job().at("properties/status"))
			b.clock.Advance(time.Second)
			require.Equal(t, "Completed", b.job().at("properties/status"))
			require.Equal(t, c.jobType, b.job().at("properties/jobType"))
		})
	}
}

func TestBackup_OfADatabaseNeedsItsType(t *testing.T) {
	t.Parallel()
	b := start(t)
	r := b.send(http.MethodPost, databaseItem+"/backup?"+version, `{"properties":{"objectType":"AzureWorkloadBackupRequest"}}`)
	require.Equal(t, "properties.backupType", r.at("error/target"))
}

func TestJob_IsVisibleAfterADelay(t *testing.T) {
	t.Parallel()
	b := start(t).protected()
	b.started(http.MethodPost, shareItem+"/backup", backupBody)
	require.Empty(t, b.list("backupJobs", "operation eq 'Backup'").list())
	require.Len(t, b.sim.Jobs(), 2)
	b.clock.Advance(2 * time.Second)
	require.Len(t, b.list("backupJobs", "operation eq 'Backup'").list(), 1)
}

func TestJobs_AreListedNewestFirstAndFiltered(t *testing.T) {
	t.Parallel()
	b := start(t).protected()
	b.clock.Advance(time.Hour)
	b.started(http.MethodPost, shareItem+"/backup", backupBody)
	b.started(http.MethodPost, machineItem+"/backup", `{"properties":{"objectType":"IaasVMBackupRequest"}}`)
	b.clock.Advance(time.Minute)
	at := func(d time.Duration) string { return b.clock.Now().Add(d).Format("2006-01-02 03:04:05 PM") }
	for f, operations := range map[string][]string{
		"":                       {"Backup", "Backup", "ConfigureBackup"},
		"status eq 'InProgress'": {"Backup"},
		"status eq 'Completed' and operation eq 'Backup'": {"Backup"},
		"backupManagementType eq 'AzureStorage'":          {"Backup", "ConfigureBackup"},
		fmt.Sprintf("startTime eq '%s'", at(-time.Minute)): {
			"Backup", "Backup"},
		fmt.Sprintf("startTime eq '%s' and endTime eq '%s'", at(-2*time.Hour), at(-time.Hour)): {"ConfigureBackup"},
		"jobId eq '" + b.sim.Jobs()[0].ID + "'":                                                {"ConfigureBackup"},
	} {
		got := []string{}
		for _, j := range b.list("backupJobs", f).list() {
			require.Nil(t, dig(j, "properties/extendedInfo"), "the list is without it")
			operation, _ := dig(j, "properties/operation").(string)
			got = append(got, operation)
		}
		require.Equal(t, operations, got, f)
	}
}

func TestBackup_RunsOneAtATimePerItem(t *testing.T) {
	t.Parallel()
	b := start(t).protected()
	b.started(http.MethodPost, shareItem+"/backup", backupBody)
	r := b.send(http.MethodPost, shareItem+"/backup?"+version, backupBody)
	require.Equal(t, http.StatusConflict, r.status)
	require.Equal(t, "UserErrorBackupOperationInProgress", r.at("error/code"))
	require.Len(t, b.sim.Backups(), 1)
	b.clock.Advance(30 * time.Second)
	b.started(http.MethodPost, shareItem+"/backup", backupBody)
	require.Len(t, b.sim.Backups(), 2)
}

func TestItem_IsProtectedSomeTimeAfterItsFirstBackup(t *testing.T) {
	t.Parallel()
	b := start(t).protected()
	b.started(http.MethodPost, shareItem+"/backup", backupBody)
	b.clock.Advance(30 * time.Second)
	require.Equal(t, "IRPending", b.get(shareItem+"?"+version).at("properties/protectionState"), "recorded")
	b.clock.Advance(2 * time.Minute)
	require.Equal(t, "Protected", b.get(shareItem+"?"+version).at("properties/protectionState"))
	require.Equal(t, "Completed", b.get(shareItem+"?"+version).at("properties/lastBackupStatus"))
}

func TestJobCancel_EndsABackup(t *testing.T) {
	t.Parallel()
	b := start(t).protected()
	b.started(http.MethodPost, machineItem+"/backup", `{"properties":{"objectType":"IaasVMBackupRequest"}}`)
	b.clock.Advance(time.Minute)
	id := b.sim.Jobs()[1].ID
	cancel := b.started(http.MethodPost, vaultID+"/backupJobs/"+id+"/cancel", "")
	require.Contains(t, cancel.header.Get("Location"), "/backupJobs/"+id+"/operationResults/")
	require.Equal(t, "Cancelling", b.job().at("properties/status"))
	require.Equal(t, http.StatusBadRequest, b.send(http.MethodPost, vaultID+"/backupJobs/"+id+"/cancel?"+version, "").status)
	b.clock.Advance(20 * time.Second)
	require.Equal(t, "Cancelled", b.job().at("properties/status"))
	require.Equal(t, http.StatusNoContent, b.get(cancel.header.Get("Location")).status)
	require.Equal(t, "Succeeded", b.get(cancel.header.Get("Azure-AsyncOperation")).at("status"))
	b.clock.Advance(time.Hour)
	require.Equal(t, "Cancelled", b.job().at("properties/status"), "it does not complete afterwards")
	b.started(http.MethodPost, machineItem+"/backup", `{"properties":{"objectType":"IaasVMBackupRequest"}}`)
}

func TestOutcome_EndsBackups(t *testing.T) {
	t.Parallel()
	b := start(t).protected()
	b.sim.AddOutcome(armsim.Outcome{Item: "TestShare", JobStatus: "Failed", ErrorCode: 400022, ErrorText: "it failed", Recommendation: "try again"})
	b.sim.AddOutcome(armsim.Outcome{JobStatus: "CompletedWithWarnings"})
	b.sim.AddOutcome(armsim.Outcome{JobStatus: "Cancelled"})
	b.sim.AddOutcome(armsim.Outcome{OperationCode: "UserErrorStorageAccountIsLocked", OperationMessage: "locked"})
	b.sim.AddOutcome(armsim.Outcome{KeepsRunning: true})

	for _, status := range []string{"Failed", "CompletedWithWarnings", "Cancelled"} {
		b.started(http.MethodPost, shareItem+"/backup", backupBody)
		b.clock.Advance(30 * time.Second)
		require.Equal(t, status, b.job().at("properties/status"))
		if status == "Failed" {
			require.InDelta(t, 400022, b.job().at("properties/errorDetails/0/errorCode"), 0)
			require.Equal(t, "it failed", b.job().at("properties/errorDetails/0/errorString"))
			require.Equal(t, "try again", b.job().at("properties/errorDetails/0/recommendations/0"))
		}
	}
	failed := b.started(http.MethodPost, shareItem+"/backup", backupBody)
	b.clock.Advance(5 * time.Second)
	status := b.get(failed.header.Get("Azure-AsyncOperation"))
	require.Equal(t, "Failed", status.at("status"))
	require.Equal(t, "UserErrorStorageAccountIsLocked", status.at("error/code"))
	require.Nil(t, status.at("properties"))
	require.Empty(t, b.sim.Backups()[3].JobID)

	b.started(http.MethodPost, shareItem+"/backup", backupBody)
	b.clock.Advance(20 * time.Hour)
	require.Equal(t, "InProgress", b.job().at("properties/status"))
}

func TestOutcome_EndsOtherWork(t *testing.T) {
	t.Parallel()
	b := start(t).inquired()
	b.sim.AddOutcome(armsim.Outcome{Operation: "Refresh", OperationCode: "CloudInternalError", OperationMessage: "sorry"})
	refresh := b.started(http.MethodPost, fabric+"/refreshContainers", "")
	b.sim.AddOutcome(armsim.Outcome{Operation: "ConfigureBackup", JobStatus: "Failed", ErrorText: "no"})
	protect := b.started(http.MethodPut, shareItem, protectBody)
	b.clock.Advance(45 * time.Second)
	require.Equal(t, "CloudInternalError", b.get(refresh.header.Get("Azure-AsyncOperation")).at("error/code"))
	require.Equal(t, "Succeeded", b.get(protect.header.Get("Azure-AsyncOperation")).at("status"))
	require.Equal(t, "Failed", b.job().at("properties/status"))
	require.Equal(t, http.StatusNotFound, b.get(shareItem+"?"+version).status)
}

func TestBackup_OfADeletedShareFails(t *testing.T) {
	t.Parallel()
	b := start(t).protected()
	require.NoError(t, b.sim.DeleteShare(accountID, "testshare"))
	require.Error(t, b.sim.DeleteShare(accountID, "testshare"))
	b.started(http.MethodPost, shareItem+"/backup", backupBody)
	b.clock.Advance(30 * time.Second)
	require.Equal(t, "Failed", b.job().at("properties/status"))
	require.Contains(t, b.job().at("properties/errorDetails/0/errorString"), "FileShareNotFound")
}

func TestOutcome_KeepsAnOperationRunning(t *testing.T) {
	t.Parallel()
	b := start(t).registered()
	b.sim.AddOutcome(armsim.Outcome{Operation: "Inquire", OperationKeepsRunning: true})
	r := b.started(http.MethodPost, container+"/inquire", "")
	b.clock.Advance(20 * time.Hour)
	require.Equal(t, "InProgress", b.get(r.header.Get("Azure-AsyncOperation")).at("status"))
	require.Equal(t, http.StatusAccepted, b.get(r.header.Get("Location")).status)
}

func TestJob_IsVisibleOnceItsOperationNamesIt(t *testing.T) {
	t.Parallel()
	b := start(t, func(c *armsim.Config) { c.Durations.JobVisible = time.Hour }).protected()
	b.started(http.MethodPost, shareItem+"/backup", backupBody)
	require.Empty(t, b.list("backupJobs", "operation eq 'Backup'").list())
	b.clock.Advance(5 * time.Second)
	require.Equal(t, "InProgress", b.job().at("properties/status"))
}
