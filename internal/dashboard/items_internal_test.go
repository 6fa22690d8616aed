package dashboard

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
)

func TestItemRow_FindsTheNewestOperationAndTheNewestSuccess(t *testing.T) {
	t.Parallel()
	ended := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	operations := []api.Operation{
		{ID: "another", Item: "/vaults/v/items/other", Status: api.Succeeded},
		{ID: "unknown", Status: api.Succeeded},
		{ID: "newest", Item: "/VAULTS/v/items/one", Status: api.Failed},
		{ID: "success", Item: "/sources/one", Status: api.SucceededWithWarnings, EndedAt: ended},
		{ID: "older", Learned: map[string]string{"itemId": "/vaults/v/items/one"}, Item: "x", Status: api.Succeeded},
	}
	row := newItemRow(api.InventoryEntry{ID: "/vaults/v/items/one", Source: "/Sources/One"}, operations)
	require.Equal(t, "newest", row.Last.ID)
	require.Equal(t, "success", row.LastSuccess.ID)
	require.Equal(t, ended, row.LastSuccess.EndedAt)

	row = newItemRow(api.InventoryEntry{ID: "/vaults/v/items/two"}, operations)
	require.Nil(t, row.Last)
	require.Nil(t, row.LastSuccess)
	row = newItemRow(api.InventoryEntry{ID: "/vaults/v/items/one"}, operations[4:])
	require.Equal(t, "older", row.LastSuccess.ID, "by the ID that the operation learned")
}
