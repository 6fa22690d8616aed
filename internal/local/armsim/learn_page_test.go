package armsim_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLearnPage_ProtectsAndBacksUpAFileShare(t *testing.T) {
	t.Parallel()
	b := start(t)

	require.Empty(t, b.list("backupFabrics/Azure/protectableContainers", "backupManagementType eq 'AzureStorage'").list())
	refresh := b.started(http.MethodPost, fabric+"/refreshContainers", "")
	require.Equal(t, "60", refresh.header.Get("Retry-After"))
	require.Equal(t, http.StatusAccepted, b.get(refresh.header.Get("Location")).status)
	b.clock.Advance(12 * time.Second)
	require.Equal(t, http.StatusNoContent, b.get(refresh.header.Get("Location")).status)

	found := b.list("backupFabrics/Azure/protectableContainers", "backupManagementType eq 'AzureStorage'")
	require.Equal(t, "StorageContainer;Storage;AzureFiles;testvault2", found.at("value/0/name"))

	register := b.started(http.MethodPut, container, registerBody)
	require.Equal(t, "{}", register.text)
	running := b.get(register.header.Get("Location"))
	require.Equal(t, http.StatusAccepted, running.status)
	require.Equal(t, "60", running.header.Get("Retry-After"))
	b.clock.Advance(37 * time.Second)
	done := b.get(running.header.Get("Location"))
	require.Equal(t, http.StatusOK, done.status)
	require.Equal(t, "Registered", done.at("properties/registrationStatus"))

	require.Empty(t, b.list("backupProtectableItems", "backupManagementType eq 'AzureStorage'").list())
	b.started(http.MethodPost, container+"/inquire", "")
	b.clock.Advance(20 * time.Second)
	items := b.list("backupProtectableItems", "backupManagementType eq 'AzureStorage' and workloadType eq 'AzureFileShare'")
	require.Equal(t, vaultID+"/backupFabrics/Azure/protectionContainers/storagecontainer;storage;azurefiles;testvault2/protectableItems/azurefileshare;testshare",
		items.at("value/0/id"))

	protect := b.started(http.MethodPut, shareItem, protectBody, "x-ms-client-request-id", "protect-1")
	b.clock.Advance(45 * time.Second)
	status := b.get(protect.header.Get("Azure-AsyncOperation"))
	require.Equal(t, "Succeeded", status.at("status"))
	job, _ := status.at("properties/jobId").(string)
	require.Equal(t, "ConfigureBackup", b.get(vaultID+"/backupJobs/"+job+"?"+version).at("properties/operation"))

	listed := b.list("backupProtectedItems", "backupManagementType eq 'AzureStorage'")
	require.Equal(t, vaultID+"/backupFabrics/Azure/protectionContainers/StorageContainer;storage;azurefiles;testvault2/protectedItems/AzureFileShare;testshare",
		listed.at("value/0/id"))
	require.Empty(t, b.list("backupProtectableItems", "backupManagementType eq 'AzureStorage'").list())

	backup := b.started(http.MethodPost, shareItem+"/backup", backupBody, "x-ms-client-request-id", "attempt-1")
	b.clock.Advance(5 * time.Second)
	job, _ = b.get(backup.header.Get("Azure-AsyncOperation")).at("properties/jobId").(string)
	require.Len(t, job, 36)
	require.Equal(t, "InProgress", b.get(vaultID+"/backupJobs/"+job+"?"+version).at("properties/status"))
	b.clock.Advance(25 * time.Second)
	ended := b.get(vaultID + "/backupJobs/" + job + "?" + version)
	require.Equal(t, "Completed", ended.at("properties/status"))
	require.Equal(t, "attempt-1", ended.at("properties/activityId"))

	require.Len(t, b.sim.Backups(), 1)
	require.Equal(t, job, b.sim.Backups()[0].JobID)
	require.Equal(t, "attempt-1", b.sim.Backups()[0].ActivityID)
}
