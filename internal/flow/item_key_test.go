package flow

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

func TestItemKey_IsTheSameForAllNamesOfAnItem(t *testing.T) {
	t.Parallel()
	const account = "/subscriptions/S/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/Acc"
	const server = "/subscriptions/s/resourceGroups/G/providers/Microsoft.DBforPostgreSQL/flexibleServers/Pg"
	const item = "/subscriptions/s/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/v/backupFabrics/Azure/protectionContainers/c/protectedItems/AzureFileShare;ABC"
	share := "/subscriptions/s/resourcegroups/g/providers/microsoft.storage/storageaccounts/acc/fileservices/default/shares/share1"
	database := "/subscriptions/s/resourcegroups/g/providers/microsoft.dbforpostgresql/flexibleservers/pg"
	raw := func(v any) json.RawMessage {
		text, err := json.Marshal(v)
		require.NoError(t, err)
		return text
	}
	a, err := newAzure(Config{Now: time.Now})
	require.NoError(t, err)
	learned := map[string]string{
		learnedItem: item, learnedItemType: recoveryservices.ItemAzureFileShare, learnedName: "Share1", learnedSource: account,
	}
	for name, c := range map[string]struct{ got, want string }{
		"a share to protect":               {a.protectFileShare().Item(operation.Operation{Identity: operation.Identity{Parameters: raw(ProtectFileShare{StorageAccountID: account + "/", FileShare: "share1"})}}), share},
		"a share by its item":              {targetKey(operation.Operation{AzureState: operation.AzureState{Learned: learned}}), share},
		"a server to protect":              {a.protectPostgres().Item(operation.Operation{Identity: operation.Identity{Parameters: raw(ProtectPostgres{ServerID: server})}}), database},
		"a server by its instance":         {targetKey(operation.Operation{AzureState: operation.AzureState{Learned: map[string]string{learnedInstance: "/x/backupInstances/I", learnedSource: server}}}), database},
		"an instance of an unknown source": {targetKey(operation.Operation{AzureState: operation.AzureState{Learned: map[string]string{learnedInstance: "/x/backupInstances/I"}}}), "/x/backupinstances/i"},
		"a drill of a machine":             {parameterKey(drillGroupKey)(operation.Operation{Identity: operation.Identity{Parameters: raw(DrillRestore{Type: drillMachines, Target: DrillTarget{ResourceGroupID: "/subscriptions/S/resourceGroups/Drills/"}})}}), "/subscriptions/s/resourcegroups/drills"},
		"another drill":                    {parameterKey(drillGroupKey)(operation.Operation{Identity: operation.Identity{Parameters: raw(DrillRestore{Type: drillShares, Target: DrillTarget{ResourceGroupID: "/g"}})}}), ""},
		"another kind of item":             {targetKey(operation.Operation{AzureState: operation.AzureState{Learned: map[string]string{learnedItem: item, learnedItemType: recoveryservices.ItemSQLDatabase, learnedSource: "/vm", learnedName: "db"}}}), "/subscriptions/s/resourcegroups/g/providers/microsoft.recoveryservices/vaults/v/backupfabrics/azure/protectioncontainers/c/protecteditems/azurefileshare;abc"},
	} {
		require.Equal(t, c.want, c.got, name)
	}
}

// Restores change their target, which is not a protected item. Drills of machines lock
// it: one at a time uses a resource group.
func TestItemKey_IsSetForEveryFlowThatChangesAnItem(t *testing.T) {
	t.Parallel()
	definitions, err := Definitions(Config{Now: time.Now})
	require.NoError(t, err)
	for _, d := range definitions {
		changes := slices.ContainsFunc(d.Steps, func(s step.Step) bool { return s.Effect != step.Read })
		require.Equal(t, changes && d.Priority != operation.PriorityRestore, d.Item != nil, d.Name)
		require.Equal(t, d.Name == "drill-restore", d.Lock != nil, d.Name)
		require.Equal(t, step.Read, d.Steps[0].Effect, "%s: what the item's key needs is read first", d.Name)
	}
}
