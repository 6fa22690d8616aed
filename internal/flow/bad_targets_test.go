package flow_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/step"
)

// badTargets returns restores to targets that no operator allowed: other
// resources, look-alikes, traversals and names with characters that do not belong
// there. Each differs in one place from a request that is accepted.
func badTargets() map[string][]object {
	const zero = "/subscriptions/00000000-0000-0000-0000-000000000000"
	elsewhere := strings.Replace(demoAccount, "00000000-0000-0000-0000-000000000000", "11111111-1111-1111-1111-111111111111", 1)
	toShare := func(account, share string) object {
		return shareRestore(object{"toOriginal": false, "toShare": object{"storageAccountId": account, "fileShare": share}})
	}
	path := func(p object) object { return shareRestore(object{"paths": []object{p}}) }
	disks := func(group string) object { return vmRestore(object{"asDisks": object{"resourceGroupId": group}}) }
	machine := func(more object) object {
		m := object{"resourceGroupId": restoreGroup, "name": "vm1restored", "virtualNetworkId": restoreNetwork, "subnet": "default"}
		for k, v := range more {
			m[k] = v
		}
		return vmRestore(object{"asMachine": m})
	}
	staging := func(account string) object {
		return vmRestore(object{"stagingAccountId": account, "asDisks": object{"resourceGroupId": restoreGroup}})
	}
	files := func(directory string) object {
		return databaseRestore(object{"toOriginal": false, "toFiles": object{"virtualMachineId": demoMachines + "sqlvm", "directory": directory}})
	}
	return map[string][]object{
		"restore-file-share": {
			toShare(elsewhere, "s-1"), toShare(demoAccount+"2", "s-1"), toShare(demoAccount[:len(demoAccount)-1], "s-1"),
			toShare(demoAccount+"/", "s-1"), toShare(demoAccount+"/fileServices/default/shares/x", "s-1"), toShare(demoAccount+"/..", "s-1"),
			toShare(strings.Replace(demoAccount, "testvault2", "te\u017ftvault2", 1), "s-1"), toShare(strings.Replace(demoAccount, "AzureFiles", "AzureFiles/../other", 1), "s-1"),
			toShare(demoAccount, "S-1"), toShare(demoAccount, "s--1"), toShare(demoAccount, "../s"), toShare(demoAccount, "s/1"), toShare(demoAccount, "s\x001"), toShare(demoAccount, ""),
			toShare(strings.Replace(demoAccount, "Microsoft.Storage", "Microsoft.ClassicStorage", 1), "s-1"), toShare(demoAccount+"%2f", "s-1"), toShare(demoAccount+"?a=b", "s-1"), toShare(" "+demoAccount, "s-1"),
			toShare("https://testvault2.file.core.windows.net/s-1", "s-1"), toShare(restoreGroup, "s-1"),
			path(object{"path": "../secret"}), path(object{"path": "/root"}), path(object{"path": "a//b"}), path(object{"path": "a/../b"}), path(object{"path": "a\\b"}), path(object{"path": "."}),
			path(object{"path": "a\x00"}), path(object{"path": "a\n"}), path(object{"path": ""}), path(object{"path": "a/"}), path(object{"path": "a", "type": "Link"}), path(object{"path": "a", "targetFolder": "b"}),
			shareRestore(object{"fileShare": object{"vaultId": demoVault, "storageAccountId": elsewhere, "name": "testshare"}}),
			shareRestore(object{"toOriginal": false}), shareRestore(object{"toShare": object{"storageAccountId": demoAccount, "fileShare": "s-1"}}), shareRestore(object{"onConflict": "Replace"}),
			shareRestore(object{"recoveryPoint": object{"id": "../1"}}), shareRestore(object{"recoveryPoint": object{"id": "1/restore"}}), shareRestore(object{"recoveryPoint": object{"id": "DefaultRangeRecoveryPoint"}}),
		},
		"restore-vm": {
			disks(zero + "/resourceGroups/restored2"), disks(zero + "/resourceGroups/restore"), disks(zero + "/resourceGroups/restored/.."), disks(zero + "/resourceGroups/Re\u017ftored"),
			disks("/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/restored"), disks(restoreGroup + "/providers/Microsoft.Compute/disks/d"), disks(zero), disks(""), disks(restoreGroup + "\x00"),
			staging(demoAccount + "2"), staging(elsewhere), staging(restoreGroup), staging(""),
			machine(object{"resourceGroupId": zero + "/resourceGroups/machines"}), machine(object{"name": "../vm1"}), machine(object{"name": "a/b"}), machine(object{"name": "vm\x00"}), machine(object{"name": ""}), machine(object{"name": "vm1."}),
			machine(object{"virtualNetworkId": strings.Replace(restoreNetwork, "/restored/", "/other/", 1)}), machine(object{"virtualNetworkId": restoreNetwork + "/subnets/default"}), machine(object{"subnet": "a/../b"}), machine(object{"subnet": ""}),
			vmRestore(object{"replaceDisks": true, "asDisks": object{"unmanaged": true}}), vmRestore(object{"asDisks": object{"unmanaged": true, "resourceGroupId": restoreGroup}}), vmRestore(object{"asDisks": object{}}),
			vmRestore(object{"asDisks": object{"unmanaged": true}, "dataDisks": object{"luns": []int{64}}}), vmRestore(object{"asDisks": object{"unmanaged": true}, "dataDisks": object{"luns": []int{1, 1}}}), vmRestore(object{"asDisks": object{"unmanaged": true}, "dataDisks": object{"none": true, "luns": []int{1}}}),
		},
		"restore-database": {
			otherDatabase(object{"virtualMachineId": demoMachines + "sqlvm2"}), otherDatabase(object{"virtualMachineId": demoMachines + "\u017fqlvm"}), otherDatabase(object{"virtualMachineId": demoMachines + "sqlvm/extensions/x"}),
			otherDatabase(object{"virtualMachineId": strings.Replace(demoMachines, "/machines/", "/other/", 1) + "sqlvm"}), otherDatabase(object{"virtualMachineId": demoAccount}), otherDatabase(object{"virtualMachineId": ""}),
			otherDatabase(object{"instance": "A/B"}), otherDatabase(object{"instance": ""}), otherDatabase(object{"database": "a/b"}), otherDatabase(object{"database": "a\x00"}), otherDatabase(object{"database": "a;b"}), otherDatabase(object{"database": ""}), otherDatabase(object{"database": strings.Repeat("a", 129)}),
			files(""), files("restored"), files(`F:\a\..\b`), files("/a/../b"), files("F:\\a\x00"), files(`\\server\share`),
			databaseRestore(object{"recoveryPoint": object{"id": "DefaultRangeRecoveryPoint"}}), databaseRestore(object{"recoveryPoint": object{"pointInTime": "2099-01-01T00:00:00Z"}}), databaseRestore(object{"recoveryPoint": object{"latest": true, "pointInTime": "2026-01-01T00:00:00Z"}}),
			databaseRestore(object{"toOriginal": false}),
		},
	}
}

func TestRestoreTargets_NoneOfTheBadOnesPasses(t *testing.T) {
	t.Parallel()
	known, count := registry(t, morning()), 0
	for name, all := range badTargets() {
		f, ok := known.Newest(name)
		require.True(t, ok)
		for n, parameters := range all {
			raw, err := json.Marshal(parameters)
			require.NoError(t, err)
			_, err = f.Check(raw)
			var invalid *step.Invalid
			require.ErrorAs(t, err, &invalid, "%s %d: %s", name, n, raw)
			for _, field := range invalid.Fields {
				require.True(t, strings.HasPrefix(field.Field, "parameters."), field.Field)
				require.NotEmpty(t, field.Want, field.Field)
			}
			count++
		}
	}
	require.GreaterOrEqual(t, count, 50)
	t.Logf("%d bad targets", count)
}

// The kinds of targets do not mix, and the casing of ASCII letters does not matter.
func TestRestoreTargets_GoodOnesPass(t *testing.T) {
	t.Parallel()
	known := registry(t, morning())
	for name, all := range map[string][]object{
		"restore-file-share": {shareRestore(nil), shareRestore(object{"toOriginal": false, "toShare": object{"storageAccountId": strings.ToUpper(demoAccount), "fileShare": "s-1"}})},
		"restore-vm":         {vmRestore(object{"asDisks": object{"resourceGroupId": strings.ToUpper(restoreGroup)}}), vmRestore(object{"replaceDisks": true})},
		"restore-database":   {databaseRestore(nil), otherDatabase(object{"database": "Orders 2"})},
	} {
		f, _ := known.Newest(name)
		for _, parameters := range all {
			raw, err := json.Marshal(parameters)
			require.NoError(t, err)
			_, err = f.Check(raw)
			require.NoError(t, err, "%s %s", name, raw)
		}
	}
}
