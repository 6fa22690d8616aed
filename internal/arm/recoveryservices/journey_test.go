package recoveryservices_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm/armtest"
	"azbackupflow/internal/arm/backupjob"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/arm/resourceid"
)

func TestJourney_FileShareProtectedAndBackedUp(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	w := armtest.Simulate(t)
	c := recoveryservices.New(w.Client)
	vault, err := resourceid.ParseVaultID("/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/azurefiles/providers/Microsoft.RecoveryServices/vaults/azurefilesvault", resourceid.RecoveryServicesVault)
	require.NoError(t, err)

	plan, err := c.GetPolicy(ctx, vault, "schedule1")
	require.NoError(t, err)
	require.Equal(t, recoveryservices.ManagementAzureStorage, plan.BackupManagementType)

	s, err := c.RefreshContainers(ctx, vault)
	w.Succeeds(t, s, err)
	found, err := c.ListProtectableContainers(ctx, vault)
	require.NoError(t, err)
	var account recoveryservices.ProtectableContainer
	for _, f := range found {
		if f.FriendlyName == "testvault2" {
			account = f
		}
	}
	require.NotEmpty(t, account.Name)

	s, err = c.RegisterStorageAccount(ctx, vault, account.Name, account.ContainerID)
	w.Succeeds(t, s, err)
	registered, err := c.ListRegisteredContainers(ctx, vault, "testvault2")
	require.NoError(t, err)
	require.Len(t, registered, 1)
	require.True(t, resourceid.Equal(account.ContainerID, registered[0].SourceResourceID))
	one, err := c.GetContainer(ctx, vault, registered[0].Name)
	require.NoError(t, err)
	require.Equal(t, recoveryservices.Registered, one.RegistrationStatus)

	s, err = c.Inquire(ctx, vault, registered[0].Name)
	w.Succeeds(t, s, err)
	shares, err := c.ListProtectableFileShares(ctx, vault)
	require.NoError(t, err)
	var share recoveryservices.ProtectableFileShare
	for _, f := range shares {
		if f.FriendlyName == "testshare" {
			share = f
		}
	}
	require.NotEmpty(t, share.Name)
	require.NotEmpty(t, share.ContainerName)

	s, err = c.ProtectFileShare(ctx, vault, share.ContainerName, share.Name, share.ParentContainerFabricID, plan.ID)
	p := w.Succeeds(t, s, err)
	require.NotEmpty(t, p.JobID)
	job, err := c.GetJob(ctx, vault, p.JobID)
	require.NoError(t, err)
	require.Equal(t, "ConfigureBackup", job.Operation)

	items, err := c.ListProtectedFileShares(ctx, vault)
	require.NoError(t, err)
	require.Len(t, items, 1)
	item, err := c.GetProtectedItem(ctx, items[0].ID)
	require.NoError(t, err)
	require.Equal(t, recoveryservices.ItemAzureFileShare, item.Type)
	require.True(t, resourceid.Equal(plan.ID, item.PolicyID))

	before := w.Clock.Now()
	s, err = c.TriggerBackup(ctx, item.ID, recoveryservices.BackupRequest{ObjectType: recoveryservices.BackupAzureFileShare}, "attempt-1")
	p = w.Succeeds(t, s, err)
	w.Clock.Advance(time.Hour)
	job, err = c.GetJob(ctx, vault, p.JobID)
	require.NoError(t, err)
	require.Equal(t, backupjob.Completed, job.State())
	require.Equal(t, "attempt-1", job.ActivityID)
	jobs, err := c.ListJobs(ctx, vault, recoveryservices.JobFilter{
		Operation: recoveryservices.OperationBackup, BackupManagementType: recoveryservices.ManagementAzureStorage,
		StartTime: before.Add(-time.Minute), EndTime: w.Clock.Now(),
	})
	require.NoError(t, err)
	require.Len(t, jobs, 1)
	require.Equal(t, job.Name, jobs[0].Name)
	require.Equal(t, "attempt-1", jobs[0].ActivityID)
}

func TestJourney_MachineStoppedResumedAndDeleted(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	w := armtest.Simulate(t)
	c := recoveryservices.New(w.Client)
	const id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/azurefiles/providers/Microsoft.RecoveryServices/vaults/azurefilesvault"
	vault, err := resourceid.ParseVaultID(id, resourceid.RecoveryServicesVault)
	require.NoError(t, err)
	v, err := c.GetVault(ctx, vault)
	require.NoError(t, err)
	require.False(t, v.Immutable())
	guards, err := c.ListResourceGuardProxies(ctx, vault)
	require.NoError(t, err)
	require.Empty(t, guards)

	const itemID = id + "/backupFabrics/Azure/protectionContainers/iaasvmcontainer;iaasvmcontainerv2;machines;vm1/protectedItems/vm;iaasvmcontainerv2;machines;vm1"
	item, err := c.GetProtectedItem(ctx, itemID)
	require.NoError(t, err)
	s, err := c.StopProtection(ctx, item)
	w.Succeeds(t, s, err)
	w.Clock.Advance(time.Hour)
	stopped, err := c.GetProtectedItem(ctx, itemID)
	require.NoError(t, err)
	require.Equal(t, recoveryservices.StateProtectionStopped, stopped.ProtectionState)
	s, err = c.ResumeProtection(ctx, stopped, vault.PolicyID("DefaultPolicy"))
	w.Succeeds(t, s, err)
	w.Clock.Advance(time.Hour)
	resumed, err := c.GetProtectedItem(ctx, itemID)
	require.NoError(t, err)
	require.NotEqual(t, recoveryservices.StateProtectionStopped, resumed.ProtectionState)
	s, err = c.DeleteProtectedItem(ctx, itemID)
	require.NotEmpty(t, w.Succeeds(t, s, err).JobID)
}
