package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/stack"
)

const demoGroups = "/subscriptions/" + armsim.DemoSubscription + "/resourceGroups/"

// everyType has a rule for each type of resource. The rules are named by the type.
const everyType = `version: 1
rules:
- {name: scratch, exclude: true, match: {names: ["*archive", "*2"], type: sqlDatabase}}
- name: machine
  match: {type: virtualMachine, tags: {include: {backup: ["gold*"]}, exclude: {stage: [dev]}}}
  protect: {vaults: {westeurope: ` + demoVault + `}, policy: DefaultPolicy}
- name: sql
  match: {type: sqlDatabase, virtualMachines: [sql*]}
  protect: {vaultId: ` + demoVault + `, policy: HourlyLogBackup}
- name: hana
  match: {type: hanaDatabase}
  protect: {vaultId: ` + demoVault + `, policy: DailyHana}
- name: disk
  match: {type: disk}
  protect: {vaultId: ` + demoBackupVault + `, policy: diskpol1, parameters: {snapshotResourceGroupId: ` + demoGroups + `snapshots}}
- name: blobs
  match: {type: blobs, names: [blobaccount1]}
  protect: {vaultId: ` + demoBackupVault + `, policy: blobpol1}
- name: lake
  match: {type: dataLake}
  protect: {vaultId: ` + demoBackupVault + `, policy: adlspol1, parameters: {containers: [raw]}}
- name: cluster
  match: {type: cluster, names: [akscluster1]}
  protect: {vaultId: ` + demoBackupVault + `, policy: akspol1}
- name: mysql
  match: {type: mysqlFlexibleServer}
  protect: {vaultId: ` + demoBackupVault + `, policy: mysqlpol1}
`

// TestProtectionRules_ProtectEveryType announces one resource of each type twice,
// and lets the sweep find those that no event announces. Each is protected once.
func TestProtectionRules_ProtectEveryType(t *testing.T) {
	t.Parallel()
	world := armsim.DemoWorld()
	for i := range world.VirtualMachines {
		switch m := &world.VirtualMachines[i]; m.Name {
		case "vm2":
			m.Tags = map[string]string{"Backup": "gold-1"}
		case "hanavm2":
			m.Tags = map[string]string{"backup": "gold", "stage": "dev"}
		case "sqlvm2":
			m.RegisteredWith = demoVault
		}
	}
	l := start(t, stack.Config{SpeedFactor: 200, World: &world, Settings: map[string]string{
		"AZBACKUPFLOW_PROTECTION": declare(t, "protection.yaml", everyType),
	}})
	announced := map[string]string{
		"machine": demoGroups + "machines/providers/Microsoft.Compute/virtualMachines/vm2",
		"disk":    demoGroups + "disks/providers/Microsoft.Compute/disks/datadisk1",
		"blobs":   demoGroups + "blobs/providers/Microsoft.Storage/storageAccounts/blobaccount1",
		"lake":    demoGroups + "blobs/providers/Microsoft.Storage/storageAccounts/datalake1",
		"cluster": demoGroups + "clusters/providers/Microsoft.ContainerService/managedClusters/akscluster1",
	}
	hostile := []string{
		demoGroups + "machines/providers/Microsoft.Compute/virtualMachines/hanavm2",
		demoGroups + "machines/providers/Microsoft.Compute/virtualMachines/..%2fvm2",
		demoGroups + "machines/providers/Microsoft.Compute/virtualMachines/gone",
		demoGroups + "machines/providers/Microsoft.Compute/virtualMachines/vm2/extensions/backup",
		demoGroups + "machines/providers/Microsoft.Compute/virtualMachines/vm2/sqlInstances/MSSQLSERVER/databases/master",
		"/subscriptions/00000000-0000-0000-0000-00000000000a/resourceGroups/machines/providers/Microsoft.Compute/disks/datadisk1",
	}
	for range 2 {
		for rule, id := range announced {
			res, body := l.deliver(http.MethodPost, "Notification", "["+gridEvent(rule, id, "")+"]")
			require.Equal(t, http.StatusAccepted, res.StatusCode, body)
		}
		for _, id := range hostile {
			res, body := l.deliver(http.MethodPost, "Notification", "["+gridEvent("hostile", id, "")+"]")
			require.Equal(t, http.StatusAccepted, res.StatusCode, body)
		}
	}
	for rule := range announced {
		ops := l.labelled("rule", rule)
		require.Len(t, ops, 1, rule)
		l.succeeds(ops[0].ID)
	}

	// No event announces databases, and the event of the server is lost.
	require.Equal(t, http.StatusAccepted, l.timerFires("sweep-resources"))
	swept := map[string]int{"sql": 2, "hana": 1, "mysql": 1}
	for rule, n := range swept {
		require.Eventually(t, func() bool { return len(l.labelled("rule", rule)) >= n }, maxWait, 50*time.Millisecond, rule)
		for _, op := range l.labelled("rule", rule) {
			require.Equal(t, "sweep", op.Labels["source"])
			l.succeeds(op.ID)
		}
		require.Len(t, l.labelled("rule", rule), n, rule)
	}
	l.requireProtectedByRules()
	var page api.DecisionPage
	l.call(http.MethodGet, "/decisions?pageSize=100&rule=scratch", nil, &page)
	require.Empty(t, page.Decisions, "the sweep records only what it protects")
	for _, r := range l.ARM.Requests() {
		if r.Kind != "GET token" {
			requireGranted(t, r)
		}
	}
}

// requireProtectedByRules checks what Azure reports after everyType has been
// applied.
func (l *local) requireProtectedByRules() {
	t := l.t
	t.Helper()
	items := map[string]string{}
	for _, i := range l.ARM.ProtectedItems() {
		items[i.FriendlyName] = i.Policy
	}
	require.Equal(t, "DefaultPolicy", items["vm2"])
	require.NotContains(t, items, "hanavm2", "its tag excludes it")
	require.Equal(t, "HourlyLogBackup", items["sales"])
	require.Equal(t, "HourlyLogBackup", items["stock"])
	require.NotContains(t, items, "salesarchive")
	instances := map[string]string{}
	for _, i := range l.ARM.BackupInstances() {
		require.Equal(t, "ProtectionConfigured", i.ProtectionState, i.Name)
		name, _, _ := strings.Cut(i.Name, "-")
		instances[name] = i.Policy
	}
	for name, policy := range map[string]string{
		"datadisk1": "diskpol1", "blobaccount1": "blobpol1", "datalake1": "adlspol1", "automatic": "akspol1", "mysqltestserver": "mysqlpol1",
	} {
		require.Equal(t, policy, instances[name], "%s in %v", name, instances)
	}
}
