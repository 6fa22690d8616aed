package preflight_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/local/armsim"
)

// Each role that the table demands for a protected datasource, or for its restore
// to an allowed target, is missed by name.
func TestCheck_NamesEachMissingRoleOfEveryDatasource(t *testing.T) {
	t.Parallel()
	const groups = "/subscriptions/" + armsim.DemoSubscription + "/resourceGroups/"
	sources := map[string]struct{ id, policy string }{
		kinds.DatasourceDisk:    {groups + "disks/providers/Microsoft.Compute/disks/datadisk1", "diskpol1"},
		kinds.DatasourceBlob:    {groups + "blobs/providers/Microsoft.Storage/storageAccounts/vaultedaccount1", "blobvaultpol1"},
		kinds.DatasourceADLS:    {groups + "blobs/providers/Microsoft.Storage/storageAccounts/datalake1", "adlspol1"},
		kinds.DatasourceCluster: {groups + "clusters/providers/Microsoft.ContainerService/managedClusters/akscluster1", "akspol1"},
		kinds.DatasourceMySQL:   {groups + "mysqltest/providers/Microsoft.DBforMySQL/flexibleServers/mysqltestserver", "mysqlpol1"},
	}
	targets := []string{
		groups + "restored", groups + "blobs/providers/Microsoft.Storage/storageAccounts/restoredblobs",
		groups + "clusters/providers/Microsoft.ContainerService/managedClusters/akscluster2", "https://testossstorageaccount.blob.core.windows.net/testcontainerrestore",
	}
	for datasourceType, source := range sources {
		t.Run(datasourceType, func(t *testing.T) {
			t.Parallel()
			world := armsim.DemoWorld()
			vault := world.BackupVaults[0].ID()
			world.ProtectedDatasources = []armsim.ProtectedDatasource{{
				Vault: vault, Policy: source.policy, Datasource: source.id, Type: datasourceType, Instance: "i", SnapshotGroup: groups + "snapshots",
			}}
			sim, err := armsim.New(armsim.Config{World: &world})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, sim.Close()) })
			s := newSite(t)
			s.Simulator = sim
			s.cfg.ARM, err = arm.New(arm.Config{Endpoint: sim.Endpoint(), Credential: s, Now: time.Now})
			require.NoError(t, err)
			s.cfg.Vaults, s.cfg.RestoreTargets = []string{vault}, targets
			require.Empty(t, wrong(s.check(t)))
			kind, _ := kinds.Find(kinds.All(), datasourceType)
			for _, need := range kind.Roles {
				restore := s.RemoveRole(need.ID)
				found := wrong(s.check(t))
				restore()
				if need.OfSource {
					require.Empty(t, found, "the app cannot read the identity of a datasource")
					continue
				}
				require.NotEmpty(t, found, need.Name)
				require.Equal(t, []string{need.Name}, missing(found))
			}
		})
	}
}
