package inventory_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm/armtest"
	"azbackupflow/internal/inventory"
	"azbackupflow/internal/step"
)

const (
	zero        = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/"
	demoVault   = zero + "azurefiles/providers/Microsoft.RecoveryServices/vaults/azurefilesvault"
	backupVault = zero + "TestBkpVaultRG/providers/Microsoft.DataProtection/backupVaults/TestBkpVault"
)

func reader(t *testing.T) *inventory.Reader {
	t.Helper()
	azure := armtest.Simulate(t)
	r, err := inventory.New(inventory.Config{ARM: azure.Client, Now: azure.Clock.Now})
	require.NoError(t, err)
	return r
}

func names(entries []inventory.Entry) (all []string) {
	for _, e := range entries {
		all = append(all, e.Name)
	}
	return all
}

func TestReader_ReadsBothTypesOfVaults(t *testing.T) {
	t.Parallel()
	r := reader(t)
	items, err := r.Items(t.Context(), demoVault)
	require.NoError(t, err)
	require.Equal(t, []string{"vm1", "orders", "SYSTEMDB"}, names(items))
	require.Equal(t, "DefaultPolicy", items[0].Policy)
	require.False(t, items[0].LastRecoveryPoint.IsZero())
	instances, err := r.Items(t.Context(), backupVault)
	require.NoError(t, err)
	require.NotEmpty(t, instances)
	require.Equal(t, "ProtectionConfigured", instances[0].State)

	policies, err := r.Policies(t.Context(), demoVault)
	require.NoError(t, err)
	require.Contains(t, names(policies), "schedule1")
	require.Equal(t, "keeps daily 30 days", policies[0].Detail)
	policies, err = r.Policies(t.Context(), backupVault)
	require.NoError(t, err)
	require.Contains(t, names(policies), "pgflexpol1")

	for _, vault := range []string{demoVault, backupVault} {
		deleted, err := r.Deleted(t.Context(), vault)
		require.NoError(t, err)
		require.Empty(t, deleted)
	}
}

// The entry that stands for a log chain is not a recovery point.
func TestReader_ListsRecoveryPoints(t *testing.T) {
	t.Parallel()
	r := reader(t)
	items, err := r.Items(t.Context(), demoVault)
	require.NoError(t, err)
	for _, i := range items {
		points, err := r.RecoveryPoints(t.Context(), i.ID)
		require.NoError(t, err)
		require.Len(t, points, 1, i.Name)
		require.Equal(t, "usable", points[0].State)
		require.NotEqual(t, "DefaultRangeRecoveryPoint", points[0].ID)
	}
	instances, err := r.Items(t.Context(), backupVault)
	require.NoError(t, err)
	points, err := r.RecoveryPoints(t.Context(), instances[0].ID)
	require.NoError(t, err)
	require.NotEmpty(t, points)
}

func TestReader_ListsWhatCanBeProtected(t *testing.T) {
	t.Parallel()
	r := reader(t)
	for _, kind := range inventory.Types() {
		entries, err := r.Protectable(t.Context(), demoVault, kind)
		require.NoError(t, err)
		if kind == "SAPHanaDatabase" {
			require.Contains(t, names(entries), "SYSTEMDB", "hanavm2 is registered")
		}
	}
}

// A soft-deleted item stays in Azure's list as ProtectionStopped.
func TestReader_SeparatesSoftDeletedFromStoppedItems(t *testing.T) {
	t.Parallel()
	server, _ := armtest.Serve(t, func(w http.ResponseWriter, _ *http.Request) {
		item := func(name, more string) string {
			return `{"id":"` + demoVault + `/backupFabrics/Azure/protectionContainers/c/protectedItems/` + name + `","properties":{"friendlyName":"` + name + `","protectionState":"ProtectionStopped"` + more + `}}`
		}
		_, _ = w.Write([]byte(`{"value":[` + item("stopped", "") + "," + item("deleted", `,"isScheduledForDeferredDelete":true,"deferredDeleteTimeRemaining":"13.23:59:42.86"`) + `]}`))
	})
	azure := armtest.Simulate(t)
	r, err := inventory.New(inventory.Config{ARM: armtest.Client(t, server), Now: azure.Clock.Now})
	require.NoError(t, err)
	items, err := r.Items(t.Context(), demoVault)
	require.NoError(t, err)
	require.Equal(t, []string{"ProtectionStopped", "SoftDeleted"}, []string{items[0].State, items[1].State})
	deleted, err := r.Deleted(t.Context(), demoVault)
	require.NoError(t, err)
	require.Equal(t, []string{"deleted"}, names(deleted))
	require.Equal(t, "2024-06-25", deleted[0].Purge.Format("2006-01-02"))
}

func TestReader_NamesTheInvalidParameter(t *testing.T) {
	t.Parallel()
	r := reader(t)
	for field, read := range map[string]func() error{
		"vault": func() error { _, err := r.Items(t.Context(), "x"); return err },
		"item":  func() error { _, err := r.RecoveryPoints(t.Context(), demoVault); return err },
		"type":  func() error { _, err := r.Protectable(t.Context(), demoVault, "Disk"); return err },
	} {
		var invalid *step.Invalid
		require.ErrorAs(t, read(), &invalid, field)
		require.Equal(t, field, invalid.Fields[0].Field)
		require.NotContains(t, invalid.Fields[0].Want, "%")
	}
}
