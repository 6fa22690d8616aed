package flow_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/flow"
	"azbackupflow/internal/local/armsim"
)

const (
	demoGroups    = "/subscriptions/" + armsim.DemoSubscription + "/resourceGroups/"
	demoMySQL     = demoGroups + "mysqltest/providers/Microsoft.DBforMySQL/flexibleServers/mysqltestserver"
	demoDisk      = demoGroups + "disks/providers/Microsoft.Compute/disks/datadisk1"
	demoSnapshots = demoGroups + "snapshots"
	demoBlobs     = demoGroups + "blobs/providers/Microsoft.Storage/storageAccounts/blobaccount1"
	demoVaulted   = demoGroups + "blobs/providers/Microsoft.Storage/storageAccounts/vaultedaccount1"
	demoDataLake  = demoGroups + "blobs/providers/Microsoft.Storage/storageAccounts/datalake1"
	demoRestored  = demoGroups + "blobs/providers/Microsoft.Storage/storageAccounts/restoredblobs"
	demoCluster   = demoGroups + "clusters/providers/Microsoft.ContainerService/managedClusters/akscluster1"
	demoCluster2  = demoGroups + "clusters/providers/Microsoft.ContainerService/managedClusters/akscluster2"
)

// source is a datasource of the demo, and the request that protects it.
type source struct {
	flow       string
	parameters object
	id         string
}

func demoSources() map[string]source {
	in := func(policy string, more object) object {
		p := object{"vaultId": demoBackupVault, "location": "westus", "policy": policy}
		maps.Copy(p, more)
		return p
	}
	return map[string]source{
		"PostgreSQL server": {"protect-postgres", protectServer(), demoServer},
		"MySQL server":      {"protect-mysql", in("mysqlpol1", object{"serverId": demoMySQL}), demoMySQL},
		"disk":              {"protect-disk", in("diskpol1", object{"diskId": demoDisk, "snapshotResourceGroupId": demoSnapshots}), demoDisk},
		"operational blobs": {"protect-blobs", in("blobpol1", object{"storageAccountId": demoBlobs}), demoBlobs},
		"vaulted blobs":     {"protect-blobs", in("blobvaultpol1", object{"storageAccountId": demoVaulted, "containers": []string{"invoices", "images"}}), demoVaulted},
		"data lake":         {"protect-blobs", in("adlspol1", object{"storageAccountId": demoDataLake, "containers": []string{"raw"}, "dataLake": true}), demoDataLake},
		"cluster":           {"protect-cluster", in("akspol1", object{"clusterId": demoCluster, "friendlyName": "daily", "snapshotResourceGroupId": demoSnapshots}), demoCluster},
	}
}

// protectedSourceOf returns a rig with a protected datasource, and its instance.
func protectedSourceOf(t *testing.T, name string) (*rig, *armsim.Simulator, string) {
	t.Helper()
	s := demoSources()[name]
	r, sim := simulated(t, armsim.DemoWorld())
	return r, sim, r.succeeds(s.flow, s.parameters).Learned["backupInstanceId"]
}

// written returns the properties and the api-version of the only PUT of an
// instance.
func written(t *testing.T, sim *armsim.Simulator) (properties object, version string) {
	t.Helper()
	for _, request := range sim.Requests() {
		if request.Kind != "PUT backupInstances" {
			continue
		}
		require.Nil(t, properties, "one PUT")
		var body struct{ Properties object }
		require.NoError(t, json.Unmarshal([]byte(request.Body), &body))
		properties, version = body.Properties, request.Query.Get("api-version")
	}
	require.NotNil(t, properties)
	return properties, version
}

func at(t *testing.T, from object, path string) any {
	t.Helper()
	var value any = from
	for name := range strings.SplitSeq(path, ".") {
		switch v := value.(type) {
		case object:
			value = v[name]
		case []any:
			require.Equal(t, "0", name)
			require.NotEmpty(t, v)
			value = v[0]
		default:
			return nil
		}
	}
	return value
}

func TestProtect_ProtectsEveryDatasource(t *testing.T) {
	t.Parallel()
	for name, s := range demoSources() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, sim, id := protectedSourceOf(t, name)
			require.Equal(t, "ProtectionConfigured", instanceState(sim, id))
			n := len(sim.Requests())
			again := r.succeeds(s.flow, s.parameters)
			require.Equal(t, id, again.Learned["backupInstanceId"])
			require.Empty(t, sent(sim, n), "it is protected already")

			r.succeeds("stop-protection", object{"backupInstanceId": id})
			require.Equal(t, "ProtectionStopped", instanceState(sim, id))
			require.Equal(t, []string{s.id}, r.excluded)
			r.failsWith("ProtectionStopped", s.flow, s.parameters)
			r.succeeds("resume-protection", object{"backupInstanceId": id})
			r.succeeds("suspend-protection", object{"backupInstanceId": id})
			r.succeeds("resume-protection", object{"backupInstanceId": id})
			require.Equal(t, "ProtectionConfigured", instanceState(sim, id))
			r.succeeds("delete-protection", object{"backupInstanceId": id})
			r.failsWith("InstanceSoftDeleted", s.flow, s.parameters)
			r.succeeds("undelete", object{"backupInstanceId": id, "resume": true})
			require.Equal(t, "ProtectionConfigured", instanceState(sim, id))
			require.Empty(t, r.excluded)
		})
	}
}

// Traffic of AKS names the cluster as its own set, and its resourceType in lower
// case.
func TestProtectCluster_NamesTheClusterAsSetAndItsTypeInLowerCase(t *testing.T) {
	t.Parallel()
	_, sim, _ := protectedSourceOf(t, "cluster")
	body, version := written(t, sim)
	require.Equal(t, "2024-04-01", version)
	for _, info := range []string{"dataSourceInfo", "dataSourceSetInfo"} {
		require.Equal(t, demoCluster, at(t, body, info+".resourceID"))
		require.Equal(t, "Microsoft.ContainerService/managedClusters", at(t, body, info+".datasourceType"))
		require.Equal(t, "Microsoft.ContainerService/managedclusters", at(t, body, info+".resourceType"))
	}
	require.Equal(t, "DatasourceSet", at(t, body, "dataSourceSetInfo.objectType"))
	require.Equal(t, "akscluster1/daily", body["friendlyName"])
	require.Equal(t, demoSnapshots, at(t, body, "policyInfo.policyParameters.dataStoreParametersList.0.resourceGroupId"))
	require.Equal(t, object{
		"objectType": "KubernetesClusterBackupDatasourceParameters", "snapshotVolumes": true, "includeClusterScopeResources": true,
	}, at(t, body, "policyInfo.policyParameters.backupDatasourceParametersList.0"))
}

func TestProtectBlobs_NamesADataLakeAccountAsSetAtANewerVersion(t *testing.T) {
	t.Parallel()
	r, sim, id := protectedSourceOf(t, "data lake")
	body, version := written(t, sim)
	require.Equal(t, "2025-07-01", version)
	require.Equal(t, demoDataLake, at(t, body, "dataSourceInfo.resourceID"))
	require.Equal(t, demoDataLake, at(t, body, "dataSourceSetInfo.resourceID"))
	require.Equal(t, "Microsoft.Storage/storageAccounts/adlsBlobServices", at(t, body, "dataSourceSetInfo.datasourceType"))
	require.Equal(t, "Microsoft.Storage/storageAccounts", at(t, body, "dataSourceInfo.resourceType"))
	require.Equal(t, "AdlsBlobBackupDatasourceParameters", at(t, body, "policyInfo.policyParameters.backupDatasourceParametersList.0.objectType"))
	n := len(sim.Requests())
	r.succeeds("backup-now", object{"backupInstanceId": id})
	for _, request := range sim.Requests()[n:] {
		if strings.HasSuffix(request.Kind, "backup") {
			require.Equal(t, "2025-07-01", request.Query.Get("api-version"))
		}
	}
}

// Blobs and Data Lake Storage of one account are two datasources with two names.
func TestProtectBlobs_GivesTheDatasourcesOfOneAccountTwoNames(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, dataLake := range []bool{false, true} {
		normal, invalid := checked(t, "protect-blobs", `{"vaultId":"`+demoBackupVault+`","location":"westus","policy":"p","storageAccountId":"`+demoBlobs+`","containers":["abc"],"dataLake":`+map[bool]string{false: "false", true: "true"}[dataLake]+`}`)
		require.Empty(t, invalid)
		var p flow.ProtectBlobs
		require.NoError(t, json.Unmarshal(normal, &p))
		names[p.InstanceName] = true
	}
	require.Len(t, names, 2)
}

func TestProtectBlobs_WantsContainersAsThePolicyDoes(t *testing.T) {
	t.Parallel()
	r, sim := simulated(t, armsim.DemoWorld())
	p := object{"vaultId": demoBackupVault, "location": "westus", "policy": "blobvaultpol1", "storageAccountId": demoBlobs}
	r.failsWith("ContainersMissing", "protect-blobs", p)
	p["policy"], p["containers"] = "blobpol1", []string{"invoices"}
	r.failsWith("ContainersNotAllowed", "protect-blobs", p)
	require.Empty(t, sent(sim, 0))
}

func TestProtectDisk_DefaultsToTheSnapshotGroupOfTheDisk(t *testing.T) {
	t.Parallel()
	normal, invalid := checked(t, "protect-disk", `{"vaultId":"`+demoBackupVault+`","location":"westus","policy":"p","diskId":"`+demoDisk+`"}`)
	require.Empty(t, invalid)
	var p flow.ProtectDisk
	require.NoError(t, json.Unmarshal(normal, &p))
	require.Equal(t, demoGroups+"disks", p.SnapshotResourceGroupID)
	_, invalid = checked(t, "protect-disk", `{"vaultId":"`+demoBackupVault+`","location":"westus","policy":"p","diskId":"`+demoDisk+
		`","snapshotResourceGroupId":"/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/g"}`)
	require.Len(t, invalid, 1)
	require.Equal(t, "parameters.snapshotResourceGroupId", invalid[0].Field)
}

func TestProtect_UsesAUserAssignedIdentityOfTheVault(t *testing.T) {
	t.Parallel()
	const identity = demoGroups + "TestBkpVaultRG/providers/Microsoft.ManagedIdentity/userAssignedIdentities/backup"
	world := armsim.DemoWorld()
	for i := range world.BackupVaults {
		world.BackupVaults[i].Identities = []string{identity}
	}
	for name, s := range demoSources() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, sim := simulated(t, world)
			p := maps.Clone(s.parameters)
			p["identityId"], p["tags"] = identity, object{"owner": "storage"}
			r.succeeds(s.flow, p)
			body, _ := written(t, sim)
			require.Equal(t, object{"useSystemAssignedIdentity": false, "userAssignedIdentityArmUrl": identity}, body["identityDetails"])
		})
	}
}

// A deletion that answers 204, as for an absent instance, does not mean that the
// datasource is free: a soft-deleted instance of another name blocks it.
func TestProtect_FindsTheSoftDeletedInstanceThatBlocksTheDatasource(t *testing.T) {
	t.Parallel()
	r, sim := simulated(t, armsim.DemoWorld())
	s := demoSources()["disk"]
	p := maps.Clone(s.parameters)
	p["instanceName"] = "older"
	id := r.succeeds(s.flow, p).Learned["backupInstanceId"]
	r.succeeds("delete-protection", object{"backupInstanceId": id})
	r.send(sim, http.MethodDelete, demoBackupVault+"/backupInstances/"+flow.InstanceName(demoDisk), "2024-04-01", nil) // 204

	err := r.fails(s.flow, s.parameters)

	require.Equal(t, "InstanceSoftDeleted", err.Code)
	require.Contains(t, err.Message, "older")
	require.Contains(t, err.Message, "Azure purges its backups on")
	require.Contains(t, strings.Join(err.RecommendedAction, " "), "undelete")
}
