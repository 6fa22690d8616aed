package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/flow"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/fault"
	"azbackupflow/internal/local/stack"
)

// killedSource is a datasource of a round of the kill test.
type killedSource struct {
	name, id          string
	protect, restore  string
	protected, target map[string]any
}

// killedSources returns new datasources for a round.
func killedSources(vault string, round int) []killedSource {
	const group = "/subscriptions/" + armsim.DemoSubscription + "/resourceGroups/"
	resource := func(path, name string) string { return fmt.Sprintf("%s%s/%s%d", group, path, name, round) }
	in := func(policy string, more map[string]any) map[string]any {
		p := map[string]any{"vaultId": vault, "location": "westus", "policy": policy}
		maps.Copy(p, more)
		return p
	}
	disk := resource("disks/providers/Microsoft.Compute/disks", "killeddisk")
	account := resource("blobs/providers/Microsoft.Storage/storageAccounts", "killedblobs")
	cluster := resource("clusters/providers/Microsoft.ContainerService/managedClusters", "killedcluster")
	server := resource("mysqltest/providers/Microsoft.DBforMySQL/flexibleServers", "killedmysql")
	latest := map[string]any{"latest": true}
	return []killedSource{
		{
			"disk", disk, "protect-disk", "restore-disk", in("diskpol1", map[string]any{"diskId": disk, "snapshotResourceGroupId": group + "snapshots"}),
			map[string]any{"recoveryPoint": latest, "targetDiskId": resource("restored/providers/Microsoft.Compute/disks", "restored")},
		},
		{
			"blobs", account, "protect-blobs", "restore-blobs", in("blobvaultpol1", map[string]any{"storageAccountId": account, "containers": []string{"killed"}}),
			map[string]any{"recoveryPoint": latest, "targetAccountId": account, "paths": []string{"killed"}, "renames": map[string]any{"killed": "restored"}},
		},
		{
			"cluster", cluster, "protect-cluster", "restore-cluster", in("akspol1", map[string]any{"clusterId": cluster, "friendlyName": "daily"}),
			map[string]any{"recoveryPoint": latest, "targetClusterId": cluster},
		},
		{
			"mysql", server, "protect-mysql", "restore-mysql", in("mysqlpol1", map[string]any{"serverId": server}),
			map[string]any{"recoveryPoint": latest, "asFiles": map[string]any{
				"containerUrl": "https://testossstorageaccount.blob.core.windows.net/testcontainerrestore", "prefix": fmt.Sprintf("killed%d", round),
			}},
		},
	}
}

// TestKill_DatasourcesStartOnce kills the deployed binary around the requests of
// the flows of Backup vaults: each backup and each restore starts exactly once.
func TestKill_DatasourcesStartOnce(t *testing.T) {
	t.Parallel()
	world := armsim.DemoWorld()
	vault := world.BackupVaults[0].ID()
	targets := flow.ExampleGuardrails().RestoreTargets
	for round := range killRounds {
		for _, s := range killedSources(vault, round) {
			targets = append(targets, s.id)
			if s.name == "blobs" {
				world.StorageAccounts = append(world.StorageAccounts, armsim.StorageAccount{
					Subscription: armsim.DemoSubscription, ResourceGroup: "blobs", Name: fmt.Sprintf("killedblobs%d", round), Location: "westus",
				})
				continue
			}
			world.Resources = append(world.Resources, armsim.Resource{ID: s.id, Location: "westus"})
		}
	}
	k := newKiller(0, point{"arm", "POST restore", fault.During}, point{"arm", "POST restore", fault.After}, point{"arm", "POST backup", fault.During}, point{"arm", "POST backup", fault.After})
	k.only = func(p point) bool {
		return slices.Contains([]string{"POST restore", "POST backup", "PUT backupInstances", "POST validateRestore", "POST undelete", "POST suspendBackups"}, p.kind)
	}
	l := start(t, stack.Config{SpeedFactor: 200, World: &world, Fault: k.hook, Settings: map[string]string{
		"AZBACKUPFLOW_RESTORE_TARGETS": strings.Join(targets, ","), "AZBACKUPFLOW_ALLOW_DELETE": "true",
	}})
	keepHostsRunning(t, l)
	k.arm(l.KillHandler)

	started, rounds := 0, 0
	for ; k.again(rounds); rounds++ {
		sources := killedSources(vault, rounds)
		each := func(name func(killedSource) string, parameters func(killedSource, string) map[string]any, instances []string) (ids []string) {
			for i, s := range sources {
				instance := ""
				if instances != nil {
					instance = instances[i]
				}
				ids = append(ids, l.begin(map[string]any{
					"flow": name(s), "key": fmt.Sprintf("%s-%s-%d", name(s), s.name, rounds), "parameters": parameters(s, instance),
				}))
			}
			for _, id := range ids {
				l.survives(id)
			}
			return ids
		}
		all := func(name string) func(killedSource) string { return func(killedSource) string { return name } }
		of := func(more func(killedSource) map[string]any) func(killedSource, string) map[string]any {
			return func(s killedSource, instance string) map[string]any {
				p := map[string]any{"backupInstanceId": instance}
				maps.Copy(p, more(s))
				return p
			}
		}
		none := of(func(killedSource) map[string]any { return nil })
		var instances []string
		for _, id := range each(func(s killedSource) string { return s.protect }, func(s killedSource, _ string) map[string]any { return s.protected }, nil) {
			instances = append(instances, l.succeeds(id).Learned["backupInstanceId"])
		}
		each(all("backup-now"), none, instances)
		each(func(s killedSource) string { return s.restore }, of(func(s killedSource) map[string]any { return s.target }), instances)
		each(all("suspend-protection"), none, instances)
		each(all("delete-protection"), none, instances)
		each(all("undelete"), of(func(killedSource) map[string]any { return map[string]any{"resume": true} }), instances)
		for _, instance := range instances {
			require.Equal(t, "ProtectionConfigured", l.instance(instance).ProtectionState)
		}
		started += len(sources)
	}
	require.Empty(t, k.missing(), "moments at which the handler was never killed")
	require.Len(t, l.ARM.Restores(), started, "each restore was started once")
	require.Len(t, l.ARM.Backups(), started, "each backup was started once")
	kills, points := k.made()
	t.Logf("%d backups and restores in %d rounds, %d kills at %d points", 2*started, rounds, kills, points)
}
