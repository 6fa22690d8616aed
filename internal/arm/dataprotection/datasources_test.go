package dataprotection

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm/dataprotection/kinds"
)

const (
	demoDisk      = demoSubscription + "/resourceGroups/disks/providers/Microsoft.Compute/disks/datadisk1"
	demoSnapshots = demoSubscription + "/resourceGroups/snapshots"
	demoAccount   = demoSubscription + "/resourceGroups/blobs/providers/Microsoft.Storage/storageAccounts/account1"
	demoOther     = demoSubscription + "/resourceGroups/blobs/providers/Microsoft.Storage/storageAccounts/account2"
	demoCluster   = demoSubscription + "/resourceGroups/clusters/providers/Microsoft.ContainerService/managedClusters/cluster1"
	demoMySQL     = demoSubscription + "/resourceGroups/mysql/providers/Microsoft.DBforMySQL/flexibleServers/server1"
)

// described returns the request of a datasource without parameters.
func described(t testing.TB, datasourceType, id string) InstanceRequest {
	t.Helper()
	k := kind(t, datasourceType)
	ds, set, err := Describe(k, id, "westus")
	require.NoError(t, err)
	return InstanceRequest{Kind: k, FriendlyName: ds.ResourceName, Datasource: ds, DatasourceSet: set, PolicyID: demoVault().PolicyID("policy1")}
}

func kind(t testing.TB, datasourceType string) kinds.Kind {
	t.Helper()
	k, ok := kinds.Find(kinds.All(), datasourceType)
	require.True(t, ok)
	return k
}

func datasourceRequests(t testing.TB) map[string]InstanceRequest {
	t.Helper()
	disk := described(t, kinds.DatasourceDisk, demoDisk)
	disk.SnapshotGroupID, disk.Tags = demoSnapshots, map[string]string{"owner": "storage"}
	vaulted := described(t, kinds.DatasourceBlob, demoAccount)
	vaulted.Containers = []string{"invoices", "images"}
	dataLake := described(t, kinds.DatasourceADLS, demoAccount)
	dataLake.Containers = []string{"raw"}
	cluster := described(t, kinds.DatasourceCluster, demoCluster)
	cluster.SnapshotGroupID, cluster.Cluster, cluster.FriendlyName = demoSnapshots, &ClusterSelection{SnapshotVolumes: true, IncludeClusterScopeResources: true}, "cluster1/daily"
	selected := cluster
	selected.Cluster = &ClusterSelection{
		IncludedNamespaces: []string{"shop"}, ExcludedNamespaces: []string{"kube-system"}, IncludedResourceTypes: []string{"deployments.apps"},
		ExcludedResourceTypes: []string{"secrets"}, LabelSelectors: []string{"app=web"}, Hooks: []NamespacedName{{Name: "freeze", Namespace: "shop"}},
	}
	return map[string]InstanceRequest{
		"disk": disk, "operational-blobs": described(t, kinds.DatasourceBlob, demoAccount), "vaulted-blobs": vaulted, "data-lake": dataLake,
		"cluster": cluster, "selected-cluster": selected, "mysql": described(t, kinds.DatasourceMySQL, demoMySQL),
	}
}

type versionedRestore struct {
	RestoreRequest
	version string
}

func resourceRestores(t testing.TB) map[string]versionedRestore {
	t.Helper()
	to := func(datasourceType, id string) ResourceTarget {
		r := described(t, datasourceType, id)
		return ResourceTarget{Datasource: r.Datasource, DatasourceSet: r.DatasourceSet}
	}
	request := func(store string, target ResourceTarget) versionedRestore {
		return versionedRestore{RestoreRequest{RecoveryPointID: demoPoint, SourceDataStoreType: store, RestoreLocation: "westus", Resource: &target}, APIVersion}
	}
	newDisk := strings.Replace(demoDisk, "datadisk1", "restored", 1)
	account := to(kinds.DatasourceBlob, demoAccount)
	ranges := account
	ranges.Ranges = []BlobRange{{From: "invoices", To: "invoices-0"}, {From: "images/2026/", To: "images/20260"}}
	timed := func(target ResourceTarget) versionedRestore {
		r := request(StoreOperational, target)
		r.RecoveryPointID, r.PointInTime = "", time.Date(2024, 6, 11, 7, 58, 54, 0, time.UTC)
		return r
	}
	vaulted := to(kinds.DatasourceBlob, demoOther)
	vaulted.Paths = []BlobPath{{Container: "invoices"}, {Container: "images", Prefixes: []string{"2026/"}}}
	dataLake := to(kinds.DatasourceADLS, demoOther)
	dataLake.Paths = []BlobPath{{Container: "raw", RenameTo: "raw-restored"}}
	renamed := request(StoreVault, dataLake)
	renamed.version = RenameVersion
	cluster, vaultTier := to(kinds.DatasourceCluster, demoCluster), to(kinds.DatasourceCluster, demoCluster)
	cluster.Cluster = &ClusterRestore{IncludeClusterScopeResources: true, ConflictPolicy: ConflictSkip}
	vaultTier.Cluster = &ClusterRestore{
		ConflictPolicy: ConflictPatch, WithoutVolumeData: true, NamespaceMappings: map[string]string{"shop": "shop-restored"}, Hooks: []NamespacedName{{Name: "thaw", Namespace: "shop"}},
		ResourceModifier: &NamespacedName{Name: "changes", Namespace: "shop"}, IncludedNamespaces: []string{"shop"},
		VaultTier: true, StagingResourceGroupID: demoSnapshots, StagingAccountID: demoOther,
	}
	byIdentity := request(StoreOperational, to(kinds.DatasourceDisk, newDisk))
	byIdentity.UserAssignedIdentityID = demoSubscription + "/resourceGroups/testBkpVaultRG/providers/Microsoft.ManagedIdentity/userAssignedIdentities/backup"
	return map[string]versionedRestore{
		"disk": request(StoreOperational, to(kinds.DatasourceDisk, newDisk)), "disk-by-identity": byIdentity,
		"account-in-place": timed(account), "blob-ranges": timed(ranges), "containers": request(StoreVault, vaulted), "data-lake": renamed,
		"cluster": request(StoreOperational, cluster), "cluster-from-vault-tier": request(StoreVault, vaultTier),
	}
}

// A start without an end, or the reverse, is answered with 500, as if the fault
// would pass.
func TestRestorableTimes_NeedsBothTimesOrNeither(t *testing.T) {
	t.Parallel()
	c := New(nil)
	for _, times := range [][2]time.Time{{time.Now(), {}}, {{}, time.Now()}} {
		_, err := c.RestorableTimes(t.Context(), demoInstance(), times[0], times[1])
		require.ErrorContains(t, err, "both a start and an end, or neither")
	}
}

// A time outside of the retention is answered with a range that ends before it
// starts.
func TestRestorableTimes_LeavesOutInvertedRanges(t *testing.T) {
	t.Parallel()
	var b timeRangesBody
	require.NoError(t, json.Unmarshal([]byte(`{"properties":{"restorableTimeRanges":[{"startTime":"2024-06-26T00:00:00Z","endTime":"2024-05-27T00:00:00Z"},{"startTime":"2024-05-27T00:00:00Z","endTime":"2024-06-26T00:00:00Z"}]}}`), &b))
	require.Equal(t, []TimeRange{{Start: time.Date(2024, 5, 27, 0, 0, 0, 0, time.UTC), End: time.Date(2024, 6, 26, 0, 0, 0, 0, time.UTC)}}, b.ranges())
}

func TestKinds_EachHasWhatOthersRead(t *testing.T) {
	t.Parallel()
	for _, k := range kinds.All() {
		require.NotEmpty(t, k.Name, k.Type)
		require.NotEmpty(t, k.SourceType, k.Type)
		require.True(t, strings.EqualFold(k.SourceType, k.ResourceType), k.Type)
		require.NotEmpty(t, k.APIVersion, k.Type)
		require.NotEmpty(t, k.Rules, k.Type)
		require.NotEmpty(t, k.Restores, k.Type)
		require.NotEmpty(t, k.Roles, k.Type)
		for _, r := range k.Roles {
			require.Regexp(t, "^[0-9a-f]{8}-[0-9a-f-]{27}$", r.ID, r.Name)
		}
	}
}

func TestInstanceRequest_RejectsParametersThatDoNotFit(t *testing.T) {
	t.Parallel()
	requests := datasourceRequests(t)
	change := func(name string, f func(*InstanceRequest)) InstanceRequest {
		r := requests[name]
		f(&r)
		return r
	}
	for name, r := range map[string]InstanceRequest{
		"a disk without a snapshot group":   change("disk", func(r *InstanceRequest) { r.SnapshotGroupID = "" }),
		"a server with a snapshot group":    change("mysql", func(r *InstanceRequest) { r.SnapshotGroupID = demoSnapshots }),
		"a disk with containers":            change("disk", func(r *InstanceRequest) { r.Containers = []string{"a"} }),
		"a data lake without containers":    change("data-lake", func(r *InstanceRequest) { r.Containers = nil }),
		"a cluster without a selection":     change("cluster", func(r *InstanceRequest) { r.Cluster = nil }),
		"a server with a cluster selection": change("mysql", func(r *InstanceRequest) { r.Cluster = &ClusterSelection{} }),
	} {
		_, err := r.properties()
		require.Error(t, err, name)
	}
}
