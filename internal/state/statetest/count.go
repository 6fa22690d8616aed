package statetest

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/request"
)

func countTests() []test {
	return []test{
		{"finalized operations are counted by flow and status", countByFlowAndStatus},
		{"a count stops at its limit", countStops},
		{"a retried operation does not count as ended", countAfterRetry},
		{"a bulk lists its operations with the status of their rows", bulkMembers},
		{"a retried operation of a bulk is live again", bulkAfterRetry},
		{"a corrected request changes the labels and the bulk of an operation", relabeled},
		{"bulks with unusual keys stay distinct", oddBulks},
		{"a list by bulk has its operations only", listByBulk},
		{"old records of bulks expire", bulkRecordsExpire},
		{"shared rows are listed by kind", sharedByKind},
	}
}

func inBulk(i int, bulk string) operation.Operation {
	op := newOperation(i)
	op.Bulk = bulk
	return op
}

func countByFlowAndStatus(t *testing.T, s Store) {
	other := newOperation(1)
	other.Flow = "restore"
	end(t, s, create(t, s, newOperation(0)), operation.Succeeded)
	end(t, s, create(t, s, other), operation.Failed)
	end(t, s, create(t, s, newOperation(2)), operation.Succeeded)
	create(t, s, newOperation(3))
	counts, complete, err := s.CountEnded(t.Context(), time.Time{}, 100)
	require.NoError(t, err)
	require.True(t, complete)
	require.Equal(t, operation.Counts{"backup-now": {operation.Succeeded: 2}, "restore": {operation.Failed: 1}}, counts)
	counts, _, err = s.CountEnded(t.Context(), newOperation(2).CreatedAt, 100)
	require.NoError(t, err)
	require.Equal(t, operation.Counts{"backup-now": {operation.Succeeded: 1}}, counts)
}

func countStops(t *testing.T, s Store) {
	for i := range 3 {
		end(t, s, create(t, s, newOperation(i)), operation.Succeeded)
	}
	counts, complete, err := s.CountEnded(t.Context(), time.Time{}, 2)
	require.NoError(t, err)
	require.False(t, complete)
	require.Equal(t, operation.Counts{"backup-now": {operation.Succeeded: 2}}, counts)
	_, complete, err = s.CountEnded(t.Context(), time.Time{}, 3)
	require.NoError(t, err)
	require.True(t, complete)
}

func countAfterRetry(t *testing.T, s Store) {
	row := end(t, s, create(t, s, newOperation(0)), operation.Failed)
	require.NoError(t, s.Reopen(t.Context(), row.Operation.ID, row.Operation.CreatedAt))
	row = save(t, s, row, func(op *operation.Operation) { op.Status, op.Round, op.EndedAt = operation.Running, 1, time.Time{} })
	counts, complete, err := s.CountEnded(t.Context(), time.Time{}, 100)
	require.NoError(t, err)
	require.True(t, complete)
	require.Empty(t, counts)
	end(t, s, row, operation.Succeeded)
	counts, _, err = s.CountEnded(t.Context(), time.Time{}, 100)
	require.NoError(t, err)
	require.Equal(t, operation.Counts{"backup-now": {operation.Succeeded: 1}}, counts)
}

func bulkMembers(t *testing.T, s Store) {
	end(t, s, create(t, s, inBulk(0, "b")), operation.Succeeded)
	save(t, s, create(t, s, inBulk(1, "b")), func(op *operation.Operation) { op.Status = operation.Running })
	save(t, s, create(t, s, inBulk(2, "b")), ended(operation.Failed)) // not finalized
	create(t, s, inBulk(3, "other"))
	create(t, s, newOperation(4))
	members, err := s.ListBulk(t.Context(), "b")
	require.NoError(t, err)
	require.Equal(t, []operation.Member{
		{ID: "op0002", Status: operation.Failed}, {ID: "op0001", Status: operation.Running}, {ID: "op0000", Status: operation.Succeeded},
	}, members)
	members, err = s.ListBulk(t.Context(), "unknown")
	require.NoError(t, err)
	require.Empty(t, members)
}

func bulkAfterRetry(t *testing.T, s Store) {
	row := end(t, s, create(t, s, inBulk(0, "b")), operation.Failed)
	require.NoError(t, s.Reopen(t.Context(), row.Operation.ID, row.Operation.CreatedAt))
	row = save(t, s, row, func(op *operation.Operation) { op.Status, op.Round, op.EndedAt = operation.Running, 1, time.Time{} })
	members, err := s.ListBulk(t.Context(), "b")
	require.NoError(t, err)
	require.Equal(t, []operation.Member{{ID: "op0000", Status: operation.Running}}, members)
	end(t, s, row, operation.Succeeded)
	members, err = s.ListBulk(t.Context(), "b")
	require.NoError(t, err)
	require.Equal(t, []operation.Member{{ID: "op0000", Status: operation.Succeeded}}, members)
}

func oddBulks(t *testing.T, s Store) {
	for i, key := range odd() {
		create(t, s, inBulk(i, key))
	}
	for i, key := range odd() {
		members, err := s.ListBulk(t.Context(), key)
		require.NoError(t, err)
		require.Equal(t, []operation.Member{{ID: newOperation(i).ID, Status: operation.Pending}}, members, "%q", key)
	}
}

func listByBulk(t *testing.T, s Store) {
	for i := range 4 {
		create(t, s, inBulk(i, []string{"a", "b"}[i%2]))
	}
	require.Equal(t, []string{"op0003", "op0001"}, listed(t, s, operation.Query{Bulk: "b", PageSize: 1}))
	require.Empty(t, listed(t, s, operation.Query{Bulk: "b", Status: []operation.Status{operation.Failed}}))
	require.Equal(t, []string{"op0002"}, listed(t, s, operation.Query{Where: func(op operation.Operation) bool { return op.ID == "op0002" }}))
}

func bulkRecordsExpire(t *testing.T, s Store) {
	for key, at := range map[string]time.Time{"old": start(), "new": start().Add(time.Hour)} {
		raw, err := json.Marshal(request.BulkRecord{Key: key, UpdatedAt: at})
		require.NoError(t, err)
		_, done, err := s.SaveShared(t.Context(), request.BulkRecords, key, raw, "")
		require.NoError(t, err)
		require.True(t, done)
	}
	_, done, err := s.SaveShared(t.Context(), "bulkier", "old", []byte(`{}`), "")
	require.NoError(t, err)
	require.True(t, done)
	_, err = s.Expire(t.Context(), start().Add(time.Minute), 100)
	require.NoError(t, err)
	rows := collect(t, s.ListShared(t.Context(), request.BulkRecords))
	require.Len(t, rows, 1)
	require.Equal(t, "new", rows[0].Key)
	require.Len(t, collect(t, s.ListShared(t.Context(), "bulkier")), 1)
}

func sharedByKind(t *testing.T, s Store) {
	for _, key := range []string{"a b", "ä/1"} {
		_, done, err := s.SaveShared(t.Context(), "limits", key, []byte("v "+key), "")
		require.NoError(t, err)
		require.True(t, done)
	}
	found := map[string]string{}
	for _, row := range collect(t, s.ListShared(t.Context(), "limits")) {
		found[row.Key] = string(row.Value)
	}
	require.Equal(t, map[string]string{"a b": "v a b", "ä/1": "v ä/1"}, found)
	require.Empty(t, collect(t, s.ListShared(t.Context(), "limit")))
}

func relabeled(t *testing.T, s Store) {
	op := inBulk(0, "old")
	op.Labels = map[string]string{"team": "a", "kept": "1"}
	row := end(t, s, create(t, s, op), operation.Failed)
	before := row.Operation
	after := before
	after.Labels, after.Bulk = map[string]string{"team": "b", "kept": "1"}, "new"
	require.NoError(t, s.Relabel(t.Context(), before, after))
	require.NoError(t, s.Reopen(t.Context(), op.ID, op.CreatedAt))
	row = save(t, s, row, func(op *operation.Operation) {
		op.Labels, op.Bulk, op.Status, op.Round, op.EndedAt = after.Labels, after.Bulk, operation.Pending, 1, time.Time{}
	})
	check := func() {
		t.Helper()
		for _, q := range []operation.Query{
			{Labels: []operation.Label{{Key: "team", Value: "b"}}}, {Labels: []operation.Label{{Key: "kept", Value: "1"}}}, {Bulk: "new"},
		} {
			require.Equal(t, []string{"op0000"}, listed(t, s, q), "%+v", q)
		}
		require.Empty(t, listed(t, s, operation.Query{Labels: []operation.Label{{Key: "team", Value: "a"}}}))
		require.Empty(t, listed(t, s, operation.Query{Bulk: "old"}))
	}
	check()
	end(t, s, row, operation.Succeeded)
	check()
}
