package flow_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/flow"
	"azbackupflow/internal/step"
)

// No target that only looks like an allowed one passes.
func TestRestoreTargets_RejectWhatIsNotAllowed(t *testing.T) {
	t.Parallel()
	const other = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/"
	disks := "/providers/Microsoft.Compute/disks/"
	swap := func(s, from, to string) string {
		require.Contains(t, s, from)
		return strings.Replace(s, from, to, 1)
	}
	disk := []string{
		"", "restored1", "/", demoRestores, demoRestores + "x" + disks + "d", other + "restored" + disks + "d", demoGroups + "restore" + disks + "d",
		demoRestores + "/../other" + disks + "d", demoRestores + "/./" + disks + "d", demoRestores + disks + "../d", demoRestores + disks + "..",
		demoRestores + disks + "d/", demoRestores + "/" + disks + "d", demoRestores + disks + "d?x=1", demoRestores + disks + "d#x", demoRestores + disks + "%2e%2e",
		demoRestores + disks + "d\n", demoRestores + disks + "d\x00", demoRestores + disks + `d\e`, " " + demoNewDisk, demoNewDisk + " ",
		demoRestores + "/providers/Microsoft.Compute/snapshots/d", demoRestores + "/providers/providers/Microsoft.Compute/disks/d",
		demoRestores + "/providers/Microsoft.Compute/disks/d/disks/e", "https://management.azure.com" + demoNewDisk, demoGroups + disks + "d",
		swap(demoNewDisk, "/resourceGroups/restored", ""), swap(demoNewDisk, "restored", "re\u017ftored"), swap(demoNewDisk, "restored", "restored\u200b"),
		demoDisk, demoRestores + disks + "d" + strings.Repeat("/", 3),
	}
	blobs := []string{
		"", demoDataLake, demoVaulted, demoRestored + "2", demoRestored[:len(demoRestored)-1], swap(demoRestored, "00000000-0000-0000-0000-000000000000", "22222222-2222-2222-2222-222222222222"),
		swap(demoRestored, "blobs", "blobs2"), demoRestored + "/", demoRestored + "/blobServices/default", demoRestored + "/../blobaccount2", demoRestored + "?sig=x",
		"https://restoredblobs.blob.core.windows.net", "https://restoredblobs.blob.core.windows.net.evil.example/", demoRestored + "\t", "\ufeff" + demoRestored,
		swap(demoRestored, "restoredblobs", "re\u017ftoredblobs"), swap(demoRestored, "storageAccounts", "storageaccountz"), demoRestores, demoGroups + "blobs",
	}
	cluster := []string{
		"", demoCluster, demoCluster2 + "2", demoCluster2 + "/", demoCluster2 + "/agentPools/a", demoGroups + "clusters", demoRestores,
		swap(demoCluster2, "Microsoft.ContainerService", "Microsoft.Containerservice.Evil"), swap(demoCluster2, "akscluster2", "a\u212ascluster2"),
		swap(demoCluster2, "/resourceGroups/clusters", ""), demoCluster2 + "\r\n", demoCluster2 + "%00", swap(demoCluster2, "akscluster2", "../akscluster2"),
	}
	container := []string{
		"", "http" + strings.TrimPrefix(demoContainer, "https"), demoContainer + "2", demoContainer + "/x", demoContainer + "?sig=x", demoContainer + "#x",
		"https://user@testossstorageaccount.blob.core.windows.net/testcontainerrestore", "https://testossstorageaccount.blob.core.windows.net.evil.example/testcontainerrestore",
		"https://testossstorageaccount.blob.core.windows.net:444/testcontainerrestore", "https://testossstorageaccount.blob.core.windows.net/", "https:///testcontainerrestore",
		"https://testossstorageaccount.blob.core.windows.net/%74estcontainerrestore", "https://testossstorageaccount.blob.core.windows.net/../testcontainerrestore",
		"//testossstorageaccount.blob.core.windows.net/testcontainerrestore", demoContainer + "\n", "file:///testcontainerrestore", demoContainerID,
		"https://evil.example/https://testossstorageaccount.blob.core.windows.net/testcontainerrestore", "https://TESTOSSSTORAGEACCOUNT.blob.core.windows.net/TESTCONTAINERRESTORE",
	}
	b, err := flow.New(flow.Config{Now: morning, Guardrails: flow.ExampleGuardrails()})
	require.NoError(t, err)
	rejected := 0
	try := func(of, field, target string) {
		s := demoRestoresOf()[of]
		p := s.of(demoInstance)
		if head, inner, nested := strings.Cut(field, "."); nested {
			p[head] = object{inner: target, "prefix": "x"}
		} else {
			p[field] = target
		}
		f, _ := b.Newest(s.flow)
		raw, err := json.Marshal(p)
		require.NoError(t, err)
		_, err = f.Check(raw)
		var invalid *step.Invalid
		require.ErrorAs(t, err, &invalid, "%s: %q passes", of, target)
		require.Equal(t, "parameters."+field, invalid.Fields[0].Field, "%s: %q", of, target)
		require.NotEmpty(t, invalid.Fields[0].Want)
		rejected++
	}
	for of, targets := range map[string]struct {
		field string
		bad   []string
	}{
		"disk": {"targetDiskId", disk}, "vaulted blobs": {"targetAccountId", blobs}, "operational blobs": {"targetAccountId", blobs}, "cluster": {"targetClusterId", cluster},
		"MySQL server": {"asFiles.containerUrl", container}, "PostgreSQL server": {"asFiles.containerUrl", container},
	} {
		for _, target := range targets.bad {
			try(of, targets.field, target)
		}
	}
	require.GreaterOrEqual(t, rejected, 100)
}

// Other fields name targets, too: new names of containers, and where a backup is
// staged.
func TestRestoreTargets_RejectOtherFieldsThatNameTargets(t *testing.T) {
	t.Parallel()
	containers := flow.Guardrails{RestoreTargets: []string{demoRestored + "/blobServices/default/containers/allowed", demoCluster2}}
	b, err := flow.New(flow.Config{Now: morning, Guardrails: containers})
	require.NoError(t, err)
	blobs := func(more object) object {
		p := object{"backupInstanceId": demoInstance, "recoveryPoint": object{"latest": true}, "targetAccountId": demoRestored}
		for k, v := range more {
			p[k] = v
		}
		return p
	}
	cluster := func(more object) object {
		p := object{"backupInstanceId": demoInstance, "recoveryPoint": object{"latest": true}, "targetClusterId": demoCluster2}
		for k, v := range more {
			p[k] = v
		}
		return p
	}
	check := func(name string, p object) error {
		f, _ := b.Newest(name)
		raw, err := json.Marshal(p)
		require.NoError(t, err)
		_, err = f.Check(raw)
		return err
	}
	require.NoError(t, check("restore-blobs", blobs(object{"paths": []string{"allowed"}})))
	require.NoError(t, check("restore-blobs", blobs(object{"paths": []string{"secret"}, "renames": object{"secret": "allowed"}})))
	for _, more := range []object{
		{"paths": []string{"other"}}, {"paths": []string{"allowed", "other"}}, {"paths": []string{"allowed"}, "renames": object{"allowed": "other"}},
		{"paths": []string{"allowed/../other"}}, {"paths": []string{"allowed/.."}}, {"paths": []string{"Allowed"}}, {"paths": []string{"$root"}}, {"paths": []string{"allowed/x", "allowed/xy"}},
		{"paths": []string{"allowed", "allowed"}}, {"paths": []string{"al"}}, {"paths": []string{""}}, {"paths": []string{"allowed\n"}}, {"paths": []string{}},
		{"paths": []string{"allowed"}, "renames": object{"allowed": "a/b"}}, {"paths": []string{"allowed"}, "renames": object{"other": "allowed"}},
		{"recoveryPoint": nil, "pointInTime": object{"latest": true}}, {"recoveryPoint": nil, "pointInTime": object{"latest": true}, "paths": []string{"other"}},
	} {
		require.Error(t, check("restore-blobs", blobs(more)), "%v passes", more)
	}
	staged := object{"tier": "vault", "stagingResourceGroupId": demoRestores, "stagingStorageAccountId": demoRestored}
	for _, more := range []object{
		staged, {"tier": "vault"}, {"tier": "vault", "stagingResourceGroupId": demoRestores}, {"stagingStorageAccountId": demoRestored}, {"tier": "archive"},
		{"namespaceMappings": object{"shop": "../x"}}, {"namespaceMappings": object{"Shop": "x"}}, {"hooks": []string{"no-namespace"}}, {"labelSelectors": []string{"app"}},
		{"conflictPolicy": "Overwrite"}, {"resourceModifier": "x"}, {"includedNamespaces": []string{"a/b"}},
	} {
		require.Error(t, check("restore-cluster", cluster(more)), "%v passes", more)
	}
	b, err = flow.New(flow.Config{Now: morning, Guardrails: flow.Guardrails{RestoreTargets: []string{demoCluster2, demoRestores, demoRestored}}})
	require.NoError(t, err)
	require.NoError(t, check("restore-cluster", cluster(staged)))
}

// Without the setting every restore is off.
func TestRestoreTargets_AreOffByDefault(t *testing.T) {
	t.Parallel()
	b, err := flow.New(flow.Config{Now: morning})
	require.NoError(t, err)
	for name, s := range demoRestoresOf() {
		f, _ := b.Newest(s.flow)
		raw, err := json.Marshal(s.of(demoInstance))
		require.NoError(t, err)
		_, err = f.Check(raw)
		require.ErrorContains(t, err, "is not an allowed restore target", name)
		require.True(t, f.Guarded, name)
	}
}
