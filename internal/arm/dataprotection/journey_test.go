package dataprotection_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm/armtest"
	"azbackupflow/internal/arm/backupjob"
	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/local/armsim"
)

const (
	subscription = "/subscriptions/" + armsim.DemoSubscription
	server       = subscription + "/resourceGroups/pgflextest/providers/Microsoft.DBforPostgreSQL/flexibleServers/pgflextestserver"
	target       = subscription + "/resourceGroups/targetrg/providers/Microsoft.DBforPostgreSQL/servers/targetossserver/databases/emprestored21"
	blobs        = "https://testossstorageaccount.blob.core.windows.net/testcontainerrestore"
	single       = "testpostgresql-empdb11-aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e"
)

func demo(t *testing.T) (*armtest.Simulated, *dataprotection.Client, resourceid.VaultID) {
	t.Helper()
	w := armtest.Simulate(t)
	vault, err := resourceid.ParseVaultID(subscription+"/resourceGroups/TestBkpVaultRG/providers/Microsoft.DataProtection/backupVaults/TestBkpVault", resourceid.BackupVault)
	require.NoError(t, err)
	return w, dataprotection.New(w.Client), vault
}

// completed reads the job of an operation until it has completed.
func completed(t *testing.T, w *armtest.Simulated, c *dataprotection.Client, vault resourceid.VaultID, p lro.Progress) dataprotection.Job {
	t.Helper()
	require.NotEmpty(t, p.JobID)
	for range 100 {
		j, err := c.GetJob(t.Context(), vault, p.JobID)
		require.NoError(t, err)
		require.Nil(t, j.Failure())
		if j.State() != backupjob.Running {
			require.Equal(t, backupjob.Completed, j.State())
			return j
		}
		w.Clock.Advance(10 * time.Minute)
	}
	require.FailNow(t, "the job does not end")
	return dataprotection.Job{}
}

// becomes reads an instance until it is in a state.
func becomes(t *testing.T, w *armtest.Simulated, c *dataprotection.Client, id dataprotection.InstanceID, state string) {
	t.Helper()
	for range 100 {
		i, err := c.GetInstance(t.Context(), id)
		require.NoError(t, err)
		if i.CurrentProtectionState == state {
			return
		}
		w.Clock.Advance(30 * time.Second)
	}
	require.FailNow(t, "the instance does not become "+state)
}

func TestJourney_FlexibleServerFromProtectionToDeletion(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	w, c, vault := demo(t)
	v, err := c.GetVault(ctx, vault)
	require.NoError(t, err)
	require.True(t, v.SoftDeletes())
	require.False(t, v.Immutable())
	guards, err := c.ListResourceGuardProxies(ctx, vault)
	require.NoError(t, err)
	require.Empty(t, guards)
	plan, err := c.GetPolicy(ctx, vault, "pgflexpol1")
	require.NoError(t, err)
	require.Equal(t, []string{kinds.DatasourceFlexibleServer}, plan.DatasourceTypes)
	require.NotEmpty(t, plan.BackupRules)

	ds, set, err := dataprotection.Describe(kind(kinds.DatasourceFlexibleServer), server, "westus")
	require.NoError(t, err)
	request := dataprotection.InstanceRequest{FriendlyName: "pgflextestserver", Datasource: ds, DatasourceSet: set, PolicyID: plan.ID}
	s, err := c.ValidateForBackup(ctx, vault, request)
	w.Succeeds(t, s, err)
	id := dataprotection.InstanceID{Vault: vault, Name: "pgflextestserver-857d23b1"}
	s, err = c.PutInstance(ctx, id, request)
	w.Succeeds(t, s, err)
	becomes(t, w, c, id, dataprotection.StateProtectionConfigured)

	s, err = c.Backup(ctx, id, dataprotection.BackupRuleOptions{RuleName: plan.BackupRules[0].Name}, "attempt-1")
	j := completed(t, w, c, vault, w.Succeeds(t, s, err))
	require.Equal(t, "attempt-1", j.ActivityID)
	require.Equal(t, dataprotection.CategoryBackup, j.OperationCategory)
	points, err := c.ListRecoveryPoints(ctx, id, dataprotection.RecoveryPointFilter{})
	require.NoError(t, err)
	require.Len(t, points, 1)
	require.Equal(t, j.TargetRecoveryPointID, points[0].RecoveryPointID)
	_, ok := points[0].In(dataprotection.StoreVault)
	require.True(t, ok)

	restore := dataprotection.RestoreRequest{
		RecoveryPointID: points[0].RecoveryPointID, SourceDataStoreType: dataprotection.StoreVault, RestoreLocation: "westus",
		Files: &dataprotection.FilesTarget{URL: blobs, FilePrefix: "a"},
	}
	s, err = c.ValidateRestore(ctx, id, restore)
	w.Succeeds(t, s, err)
	since := w.Clock.Now()
	s, err = c.Restore(ctx, id, restore, "attempt-2")
	j = completed(t, w, c, vault, w.Succeeds(t, s, err))
	require.Equal(t, blobs, j.RecoveryDestination)
	require.Equal(t, "a", j.RestoreFilePrefix)
	require.Equal(t, restore.RecoveryPointID, j.SourceRecoveryPointID)
	jobs, err := c.ListJobs(ctx, vault, dataprotection.JobFilter{
		BackupInstanceID: id.String(), OperationCategory: dataprotection.CategoryRestore, StartedSince: since.Truncate(time.Second),
	})
	require.NoError(t, err)
	require.Len(t, jobs, 1)
	require.Equal(t, "attempt-2", jobs[0].ActivityID)

	s, err = c.StopProtection(ctx, id)
	w.Succeeds(t, s, err)
	becomes(t, w, c, id, dataprotection.StateProtectionStopped)
	s, err = c.ResumeProtection(ctx, id)
	w.Succeeds(t, s, err)
	becomes(t, w, c, id, dataprotection.StateProtectionConfigured)
	s, err = c.SuspendBackups(ctx, id)
	w.Succeeds(t, s, err)
	becomes(t, w, c, id, dataprotection.StateBackupsSuspended)
	s, err = c.ResumeProtection(ctx, id)
	w.Succeeds(t, s, err)
	becomes(t, w, c, id, dataprotection.StateProtectionConfigured)

	s, err = c.DeleteInstance(ctx, id)
	w.Succeeds(t, s, err)
	w.Clock.Advance(time.Hour)
	gone, err := c.ListDeletedInstances(ctx, vault)
	require.NoError(t, err)
	require.Len(t, gone, 1)
	one, err := c.GetDeletedInstance(ctx, id)
	require.NoError(t, err)
	require.Equal(t, gone[0], one)
	require.True(t, resourceid.Equal(server, one.DatasourceID))
	require.True(t, one.ScheduledPurgeTime.After(one.DeletionTime))
}

func TestJourney_DatabaseRestoredFromTheArchive(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	w, c, vault := demo(t)
	id := dataprotection.InstanceID{Vault: vault, Name: single}
	point, err := c.GetRecoveryPoint(ctx, id, armsim.DemoArchivePoint)
	require.NoError(t, err)
	_, ok := point.In(dataprotection.StoreArchive)
	require.True(t, ok)
	ds, set, err := dataprotection.Describe(kind(kinds.DatasourceDatabase), target, "westus")
	require.NoError(t, err)
	restore := dataprotection.RestoreRequest{
		RecoveryPointID: point.RecoveryPointID, SourceDataStoreType: dataprotection.StoreArchive, RestoreLocation: "westus",
		Rehydration: &dataprotection.Rehydration{Priority: dataprotection.PriorityHigh, RetentionDuration: "P15D"},
		Database: &dataprotection.DatabaseTarget{
			Datasource: ds, DatasourceSet: set, SecretURI: "https://vikottur-test.vault.azure.net/secrets/dbauth3",
		},
	}
	s, err := c.ValidateRestore(ctx, id, restore)
	w.Succeeds(t, s, err)
	s, err = c.Restore(ctx, id, restore, "attempt-3")
	j := completed(t, w, c, vault, w.Succeeds(t, s, err))
	require.Equal(t, dataprotection.CategoryRestore, j.OperationCategory)
	require.Equal(t, point.RecoveryPointID, j.SourceRecoveryPointID)
}

func kind(datasourceType string) kinds.Kind {
	k, _ := kinds.Find(kinds.All(), datasourceType)
	return k
}
