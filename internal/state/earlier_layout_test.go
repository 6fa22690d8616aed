package state_test

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/state"
)

// toEarlierLayout stores all operations as version 0.1.0 did: live markers in a
// table of their own, and each list in its own partition.
func toEarlierLayout(t *testing.T, a *account, prefix string) {
	t.Helper()
	service, err := aztables.NewServiceClientFromConnectionString(a.connection, nil)
	require.NoError(t, err)
	index, markers, operations := service.NewClient(prefix+"operationindex"), service.NewClient(prefix+"operationlive"), service.NewClient(prefix+"operations")
	put := func(table *aztables.Client, e map[string]any) {
		encoded, err := json.Marshal(e)
		require.NoError(t, err)
		_, err = table.UpsertEntity(t.Context(), encoded, &aztables.UpsertEntityOptions{UpdateMode: aztables.UpdateModeReplace})
		require.NoError(t, err)
	}
	for table, entities := range everyEntity(t, a, prefix) {
		for _, text := range entities {
			var e map[string]any
			require.NoError(t, json.Unmarshal([]byte(text), &e))
			partition, row := fmt.Sprint(e["PartitionKey"]), fmt.Sprint(e["RowKey"])
			delete(e, "Timestamp")
			switch {
			case table == "operationindex" && partition == "lists":
				_, err := index.DeleteEntity(t.Context(), partition, row, nil)
				require.NoError(t, err)
				list, key, _ := strings.Cut(row, ":")
				if e["PartitionKey"], e["RowKey"] = list, key; list != "live" {
					put(index, e)
					continue
				}
				h := fnv.New32a()
				_, _ = h.Write([]byte(key))
				e["PartitionKey"] = fmt.Sprintf("%02d", h.Sum32()%16)
				put(markers, e)
			case table == "operations" && row == "operation":
				e["marker"] = e["liveMarker"]
				delete(e, "liveMarker")
				put(operations, e)
			}
		}
	}
}

func member(id, bulk string) operation.Operation {
	op := newOperation(id)
	op.Labels, op.Bulk = map[string]string{"team": "x"}, bulk
	return op
}

func earlierLayout(t *testing.T, a *account) {
	const prefix = "earlier"
	s := a.storeAt(t, prefix, nil)
	for _, id := range []string{"ended", "running"} {
		create(t, s, member(id, "night"))
	}
	row, err := s.Load(t.Context(), "ended")
	require.NoError(t, err)
	row = save(t, s, row, operation.Failed)
	require.NoError(t, s.Finalize(t.Context(), row))
	toEarlierLayout(t, a, prefix)
	create(t, s, member("new", "night"))

	lists := []operation.Query{{}, {Flow: "backup-now"}, {Labels: []operation.Label{{Key: "team", Value: "x"}}}, {Bulk: "night"}}
	for _, q := range lists {
		require.Equal(t, 3, listedAs(t, s, q))
		require.Equal(t, []string{"ended", "new", "running"}, pagesOfOne(t, s, q), "in the order of their IDs: they have the same time")
	}
	require.Equal(t, 2, listedAs(t, s, operation.Query{Status: []operation.Status{operation.Pending}}))
	require.Equal(t, 1, listedAs(t, s, operation.Query{Status: []operation.Status{operation.Failed}}))
	require.ElementsMatch(t, []string{"running", "new"}, live(t, s))
	members, err := s.ListBulk(t.Context(), "night")
	require.NoError(t, err)
	require.Len(t, members, 3)
	counts, complete, err := s.CountEnded(t.Context(), time.Time{}, 10)
	require.NoError(t, err)
	require.True(t, complete)
	require.Equal(t, operation.Counts{"backup-now": {operation.Failed: 1}}, counts)

	row, err = s.Load(t.Context(), "running")
	require.NoError(t, err)
	row = next(row, operation.Succeeded)
	row.Operation.EndedAt = row.Operation.CreatedAt.Add(time.Minute)
	row.ETag, err = s.Save(t.Context(), row, eventOf(row.Operation))
	require.NoError(t, err)
	require.NoError(t, s.Finalize(t.Context(), row))
	require.Equal(t, []string{"new"}, live(t, s))
	require.Equal(t, 1, listedAs(t, s, operation.Query{Status: []operation.Status{operation.Succeeded}}))
	for _, q := range lists {
		require.Equal(t, 3, listedAs(t, s, q), "an operation with entries of both versions is listed once")
	}

	for range 2 { // the entries of an operation with both are deleted by the second
		_, err = s.Expire(t.Context(), row.Operation.CreatedAt.Add(time.Hour), 10)
		require.NoError(t, err)
	}
	require.Equal(t, []string{"new"}, pagesOfOne(t, s, operation.Query{}))
	left := everyEntity(t, a, prefix)
	require.Empty(t, left["operationlive"])
	for _, text := range left["operationindex"] {
		require.Contains(t, text, `"PartitionKey":"lists"`)
		require.Contains(t, text, "new")
	}
}

// pagesOfOne lists operations by pages of one, and returns their IDs.
func pagesOfOne(t *testing.T, s *state.Store, q operation.Query) []string {
	t.Helper()
	q.PageSize = 1
	var ids []string
	for {
		page, err := s.List(t.Context(), q)
		require.NoError(t, err)
		for _, op := range page.Operations {
			ids = append(ids, op.ID)
		}
		if q.Continue = page.Continue; q.Continue == "" {
			return ids
		}
	}
}

func earlierLayoutChanged(t *testing.T, a *account) {
	const prefix = "earlierchanged"
	s := a.storeAt(t, prefix, nil)
	op := member("a", "")
	row := save(t, s, create(t, s, op), operation.Failed)
	require.NoError(t, s.Finalize(t.Context(), row))
	create(t, s, member("b", ""))
	toEarlierLayout(t, a, prefix)

	row, err := s.Load(t.Context(), "a")
	require.NoError(t, err)
	row.Operation.Round++
	require.NoError(t, retry(t, s, row))
	require.ElementsMatch(t, []string{"a", "b"}, live(t, s))
	row, err = s.Load(t.Context(), "a")
	require.NoError(t, err)
	row = save(t, s, row, operation.Succeeded)
	require.NoError(t, s.Finalize(t.Context(), row))
	require.Equal(t, []string{"b"}, live(t, s))
	counts, _, err := s.CountEnded(t.Context(), time.Time{}, 10)
	require.NoError(t, err)
	require.Equal(t, operation.Counts{"backup-now": {operation.Succeeded: 1}}, counts, "the entry of the first end is gone")

	again := member("b", "")
	again.CreatedAt = again.CreatedAt.Add(time.Hour)
	_, created, err := s.Create(t.Context(), again, eventOf(again))
	require.NoError(t, err)
	require.False(t, created)
	require.Equal(t, []string{"b"}, live(t, s), "once, although it has two markers")
	row, err = s.Load(t.Context(), "b")
	require.NoError(t, err)
	require.NoError(t, s.Finalize(t.Context(), save(t, s, row, operation.Canceled)))
	require.Empty(t, live(t, s))
	require.Equal(t, 2, listedAs(t, s, operation.Query{}))
}
