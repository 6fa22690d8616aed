package plan_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm/armtest"
	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/datasource"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/drill"
	"azbackupflow/internal/drill/plan"
)

const sources = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/r/providers/"

// lists are the answers of ARM by the end of the path.
func lists() map[string]string {
	item := func(name, account, more string) string {
		return `{"id":"` + vaultID + `/i/` + name + `","name":"` + name + `","properties":{"protectedItemType":"AzureFileShareProtectedItem","friendlyName":"` + name +
			`","workloadType":"AzureFileShare","sourceResourceId":"` + sources + `Microsoft.Storage/storageAccounts/` + account + `"` + more + `}}`
	}
	instance := func(name, kind, source string) string {
		return `{"id":"` + backupID + `/backupInstances/` + name + `","name":"` + name + `","properties":{"objectType":"BackupInstance","friendlyName":"` + name +
			`","currentProtectionState":"ProtectionConfigured","dataSourceInfo":{"datasourceType":"` + kind + `","resourceID":"` + sources + source + `"},"policyInfo":{"policyId":"/p"}}}`
	}
	return map[string]string{
		"/backupProtectedItems": `{"value":[` + strings.Join([]string{
			item("orders-eu", "gold", ""), item("orders-us", "gold", `,"protectionState":"ProtectionStopped"`), item("orders-old", "gold", `,"isScheduledForDeferredDelete":true`),
			item("orders-test", "gold", ""), item("orders-cn", "silver", ""), item("orders-gone", "gone", ""), item("invoices", "gold", ""),
		}, ",") + `]}`,
		"/backupInstances": `{"value":[` + strings.Join([]string{
			instance("server1", "Microsoft.DBforPostgreSQL/flexibleServers", "Microsoft.DBforPostgreSQL/flexibleServers/server1"),
			instance("disk1", "Microsoft.Compute/disks", "Microsoft.Compute/disks/disk1"),
			instance("server2", "Microsoft.DBforPostgreSQL/flexibleServers", "Microsoft.DBforPostgreSQL/flexibleServers/server2"),
		}, ",") + `]}`,
		"/storageAccounts/gold":    `{"id":"x","tags":{"Tier":"gold","team":"files"}}`,
		"/storageAccounts/silver":  `{"id":"x","tags":{"tier":"silver"}}`,
		"/flexibleServers/server1": `{"id":"x","tags":{"tier":"Gold"}}`,
		"/flexibleServers/server2": `{"id":"x","tags":{"tier":"gold"}}`,
		"/disks/disk1":             `{"id":"x"}`,
	}
}

func TestVaults_SelectsItems(t *testing.T) {
	t.Parallel()
	files := drill.Selection{VaultID: vaultID, Type: drill.FileShare, Names: []string{"ORDERS-*"}, Except: []string{"*-test"}}
	gold := files
	gold.Tags = map[string]string{"tier": "gold"}
	for name, c := range map[string]struct {
		selection drill.Selection
		want      string
		reads     int
	}{
		"by name":       {files, "orders-eu orders-us orders-cn orders-gone", 1},
		"by tag":        {gold, "orders-eu orders-us", 4},
		"all":           {drill.Selection{VaultID: vaultID, Type: drill.FileShare}, "orders-eu orders-us orders-test orders-cn orders-gone invoices", 1},
		"servers":       {drill.Selection{VaultID: backupID, Type: drill.Postgres}, "server1 server2", 1},
		"gold servers":  {drill.Selection{VaultID: backupID, Type: drill.Postgres, Tags: map[string]string{"tier": "gold"}}, "server2", 3},
		"disks":         {drill.Selection{VaultID: backupID, Type: drill.Disk}, "disk1", 1},
		"tagged disks":  {drill.Selection{VaultID: backupID, Type: drill.Disk, Tags: map[string]string{"a": "b"}}, "", 2},
		"no such names": {drill.Selection{VaultID: backupID, Type: drill.Disk, Names: []string{"x"}, Tags: map[string]string{"a": "b"}}, "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			reads := 0
			server, _ := armtest.Serve(t, func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				reads++
				mu.Unlock()
				for end, body := range lists() {
					if strings.HasSuffix(r.URL.Path, end) {
						armtest.Says(body)(w, r)
						return
					}
				}
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusNotFound)
				_, _ = w.Write([]byte(`{"error":{"code":"ResourceNotFound","message":"gone"}}`))
			})
			client := armtest.Client(t, server)
			v := plan.Vaults{RecoveryServices: recoveryservices.New(client), DataProtection: dataprotection.New(client), Sources: datasource.New(client)}
			items, err := v.Items(t.Context(), c.selection)
			require.NoError(t, err)
			var names []string
			for _, item := range items {
				require.Equal(t, c.selection.VaultID == backupID, item.Instance)
				require.Equal(t, len(c.selection.Tags) > 0, len(item.Tags) > 0)
				names = append(names, item.Name)
			}
			require.Equal(t, c.want, strings.Join(names, " "))
			require.Equal(t, c.reads, reads)
		})
	}
}

// An item whose tags cannot be read must not be left out silently.
func TestVaults_FailsIfTagsCannotBeRead(t *testing.T) {
	t.Parallel()
	server, _ := armtest.Serve(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/backupProtectedItems") {
			armtest.Says(lists()["/backupProtectedItems"])(w, r)
			return
		}
		armtest.Answers(http.StatusForbidden)(w, r)
	})
	client := armtest.Client(t, server)
	v := plan.Vaults{RecoveryServices: recoveryservices.New(client), DataProtection: dataprotection.New(client), Sources: datasource.New(client)}
	_, err := v.Items(t.Context(), drill.Selection{VaultID: vaultID, Type: drill.FileShare, Tags: map[string]string{"tier": "gold"}})
	require.ErrorContains(t, err, "read the tags of what vault azurefilesvault protects")
	_, err = v.Items(t.Context(), drill.Selection{VaultID: "x"})
	require.Error(t, err)
}

// Virtual machines are listed by the simulator as Azure lists them, and become the item
// of the flow's parameters.
func TestVaults_SelectsVirtualMachines(t *testing.T) {
	t.Parallel()
	sim := armtest.Simulate(t)
	v := plan.Vaults{RecoveryServices: recoveryservices.New(sim.Client), DataProtection: dataprotection.New(sim.Client), Sources: datasource.New(sim.Client)}
	for _, tags := range []map[string]string{nil, {"tier": "gold"}} {
		items, err := v.Items(t.Context(), drill.Selection{VaultID: vaultID, Type: drill.VirtualMachine, Names: []string{"vm*"}, Tags: tags})
		require.NoError(t, err)
		if tags != nil {
			require.Empty(t, items, "the machine has no tags")
			continue
		}
		require.Len(t, items, 1)
		require.Equal(t, "vm1", items[0].Name)
		require.False(t, items[0].Instance)
		require.Contains(t, items[0].ID, "/protectedItems/VM;iaasvmcontainerv2;machines;vm1")
	}
}
