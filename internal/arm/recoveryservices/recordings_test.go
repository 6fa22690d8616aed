package recoveryservices

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm/armtest"
	"azbackupflow/internal/arm/backupjob"
)

func TestRecording_EveryAnswer(t *testing.T) {
	t.Parallel()
	read := map[string]int{}
	for _, i := range armtest.Recording(t, "azure-cli_afs_backup_scenario.yaml") {
		u, err := url.Parse(i.Request.URI)
		require.NoError(t, err)
		if i.Request.Method != "GET" || i.Response.Status.Code != 200 {
			continue
		}
		body := i.Response.Body.String
		c := reader(t, body)
		names := strings.Split(u.Path, "/")
		kind, parent := names[len(names)-1], names[len(names)-2]
		switch {
		case kind == "protectableContainers":
			all, err := c.ListProtectableContainers(t.Context(), demoVault())
			require.NoError(t, err)
			require.Len(t, all, armtest.Items(t, body))
			for _, x := range all {
				require.NotEmpty(t, x.Name)
				require.True(t, strings.HasPrefix(x.ContainerID, "/subscriptions/"))
			}
		case kind == "backupProtectionContainers":
			all, err := c.ListRegisteredContainers(t.Context(), demoVault(), "")
			require.NoError(t, err)
			require.Len(t, all, armtest.Items(t, body))
			for _, x := range all {
				require.Equal(t, Registered, x.RegistrationStatus)
			}
		case kind == "backupProtectableItems":
			all, err := c.ListProtectableFileShares(t.Context(), demoVault())
			require.NoError(t, err)
			require.Len(t, all, armtest.Items(t, body))
			for _, x := range all {
				require.NotEmpty(t, x.ContainerName)
				require.NotEmpty(t, x.ParentContainerFabricID)
			}
		case kind == "backupProtectedItems":
			all, err := c.ListProtectedFileShares(t.Context(), demoVault())
			require.NoError(t, err)
			require.Len(t, all, armtest.Items(t, body))
			for _, x := range all {
				require.Equal(t, ItemAzureFileShare, x.Type)
				id, err := ParseItemID(x.ID)
				require.NoError(t, err)
				require.Equal(t, id.Container, x.ContainerName)
			}
		case parent == "backupPolicies":
			p, err := c.GetPolicy(t.Context(), demoVault(), kind)
			require.NoError(t, err)
			require.NotEmpty(t, p.BackupManagementType)
			require.NotEmpty(t, p.ID)
			kind = parent
		case parent == "backupJobs":
			j, err := c.GetJob(t.Context(), demoVault(), kind)
			require.NoError(t, err)
			require.Equal(t, kind, j.Name)
			require.False(t, j.StartTime.IsZero())
			require.NotEmpty(t, j.ActivityID)
			require.NotZero(t, j.Duration)
			require.Equal(t, j.State() == backupjob.Running, j.EndTime.IsZero())
			kind = parent
		default:
			continue
		}
		read[kind]++
	}
	require.Len(t, read, 6, "%v", read)
}
