package state_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

func stepCosts(t *testing.T, a *account) {
	var w wire
	s := a.store(t, w.options)
	create(t, s, newOperation("a"))
	w.restore()
	row, err := s.Load(t.Context(), "a")
	require.NoError(t, err)
	save(t, s, row, operation.Running)
	require.Equal(t, []string{"GET operations", "BATCH operations"}, w.seen())
}

func acceptCosts(t *testing.T, a *account) {
	var w wire
	s := a.store(t, w.options)
	require.NoError(t, s.EnsureTables(t.Context()))
	w.restore()
	create(t, s, newOperation("a"))
	require.Equal(t, []string{"BATCH operationindex", "BATCH operations"}, w.seen(), "each row is live and listed")
}

func endCosts(t *testing.T, a *account) {
	var w wire
	s := a.store(t, w.options)
	op := newOperation("a")
	op.Labels = map[string]string{"team": "x", "env": "prod"}
	create(t, s, op)
	w.restore()
	row, err := s.Load(t.Context(), "a")
	require.NoError(t, err)
	require.NoError(t, s.Finalize(t.Context(), save(t, s, row, operation.Succeeded)))
	require.Equal(t, []string{"GET operations", "BATCH operations", "BATCH operationindex"}, w.seen())
	require.Empty(t, live(t, s))
}

func rareLabel(t *testing.T, a *account) {
	var w wire
	s := a.store(t, w.options)
	for i := range 30 {
		op := newOperation(fmt.Sprint(i))
		op.Labels = map[string]string{"team": fmt.Sprint(i % 15)}
		create(t, s, op)
	}
	w.restore()
	require.Equal(t, 2, listedAs(t, s, operation.Query{Labels: []operation.Label{{Key: "team", Value: "3"}}, Flow: "backup-now"}))
	require.Equal(t, []string{"GET operationindex", "GET operationindex", "GET operations", "GET operations"}, w.seen())
}

func tablesOnce(t *testing.T, a *account) {
	var w wire
	s := a.store(t, w.options)
	require.Empty(t, w.seen(), "no request before the first use")
	for range 3 {
		require.NoError(t, s.EnsureTables(t.Context()))
	}
	require.Equal(t, slices.Repeat([]string{"POST Tables"}, 9), w.seen())
	another := a.storeAt(t, "twice", nil)
	require.NoError(t, another.EnsureTables(t.Context()))
	another = a.storeAt(t, "twice", nil)
	require.NoError(t, another.EnsureTables(t.Context()), "existing tables are not an error")
}

func tablesAgain(t *testing.T, a *account) {
	var w wire
	s := a.store(t, w.options)
	w.disturb(refuse("POST Tables"), nil)
	require.ErrorIs(t, s.EnsureTables(t.Context()), errWire)
	w.restore()
	create(t, s, newOperation("a"))
}

// everyEntity returns all entities of a store by table.
func everyEntity(t *testing.T, a *account, prefix string) map[string][]string {
	t.Helper()
	service, err := aztables.NewServiceClientFromConnectionString(a.connection, nil)
	require.NoError(t, err)
	found := map[string][]string{}
	for _, table := range []string{"operations", "operationlive", "operationindex", "rejected"} {
		pages := service.NewClient(prefix + table).NewListEntitiesPager(nil)
		for pages.More() {
			page, err := pages.NextPage(t.Context())
			require.NoError(t, err)
			for _, text := range page.Entities {
				found[table] = append(found[table], string(text))
			}
		}
	}
	return found
}

func urlsInTheRowOnly(t *testing.T, a *account) {
	s := a.storeAt(t, "urls", nil)
	op := newOperation("a")
	op.Labels = map[string]string{"team": "x"}
	op.Tracking = &operation.Tracking{StatusURL: "https://capability", ResultURL: "https://capability", SubmittedAt: op.CreatedAt}
	save(t, s, create(t, s, op), operation.Failed)
	require.NoError(t, s.FinalizeByID(t.Context(), "a"))
	holders := 0
	for table, entities := range everyEntity(t, a, "urls") {
		for _, text := range entities {
			if strings.Contains(text, "capability") {
				holders++
				require.Equal(t, "operations", table)
				require.Contains(t, text, `"RowKey":"operation"`)
			}
		}
	}
	require.Equal(t, 1, holders)
}

func columns(t *testing.T, a *account) {
	s := a.storeAt(t, "columns", nil)
	op := newOperation("a/b")
	op.Key, op.WaitingFor = "line\nline", strings.Repeat("x", 5000)
	op.Seq, op.EndedAt = 1<<40, time.Time{}
	op.LastError = &operation.Error{Code: "Code"}
	create(t, s, op)
	var row map[string]any
	for _, text := range everyEntity(t, a, "columns")["operations"] {
		var e map[string]any
		require.NoError(t, json.Unmarshal([]byte(text), &e))
		if e["RowKey"] == "operation" {
			row = e
		}
	}
	require.Equal(t, "a_2Fb", row["PartitionKey"])
	require.Equal(t, "a/b", row["id"])
	require.Equal(t, "line line", row["key"])
	require.Equal(t, "Pending", row["status"])
	require.Equal(t, "1099511627776", row["seq"])
	require.Equal(t, "Edm.Int64", row["seq@odata.type"])
	require.Equal(t, "Edm.DateTime", row["dueAt@odata.type"])
	require.Equal(t, "Code", row["errorCode"])
	require.Len(t, row["waitingFor"], 1000)
	require.NotContains(t, row, "endedAt")
}
