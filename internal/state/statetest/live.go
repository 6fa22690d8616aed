package statetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
)

func liveTests() []test {
	return []test{
		{"an operation with pending notices is not finalized", pendingNoticesStayLive},
		{"a new operation is live", newIsLive},
		{"a finalized operation is not live", finalizedIsNotLive},
		{"FinalizeByID keeps an operation that has not ended", finalizeByIDBeforeEnd},
		{"FinalizeByID may be repeated", finalizeByIDRepeated},
		{"Finalize may be repeated and follow FinalizeByID", finalizeRepeated},
		{"Finalize keeps an operation that has not ended or has pending notices", finalizeBeforeEnd},
		{"FinalizeByID deletes a marker without operation", markerWithoutRow},
		{"FinalizeByID of an unknown operation succeeds", finalizeUnknown},
		{"a reopened operation is live again", reopened},
		{"FinalizeByID between Reopen and Save makes the save conflict", finalizeByIDDuringReopen},
		{"Finalize between Reopen and Save loses nothing", finalizeDuringReopen},
		{"a late Finalize keeps a retried operation live", finalizeAfterRetry},
		{"an operation that was created twice is finalized", finalizeAfterSecondCreate},
		{"a second create of a finalized operation can be finalized", createAfterFinalize},
		{"a second create keeps the time of the first", createLeavesTime},
		{"iteration may stop early", liveLeftEarly},
		{"many concurrent creates are all live", manyAreLive},
	}
}

func liveIDs(t *testing.T, s Store) map[string]time.Time {
	t.Helper()
	ids := map[string]time.Time{}
	for _, l := range collect(t, s.ListLive(t.Context())) {
		require.NotContains(t, ids, l.ID, "an operation has one marker")
		ids[l.ID] = l.CreatedAt
	}
	return ids
}

func newIsLive(t *testing.T, s Store) {
	op := newOperation(1)
	create(t, s, op)
	require.Equal(t, map[string]time.Time{op.ID: op.CreatedAt}, liveIDs(t, s))
}

func finalizedIsNotLive(t *testing.T, s Store) {
	create(t, s, newOperation(1))
	row := end(t, s, create(t, s, newOperation(2)), operation.Succeeded)
	require.Equal(t, map[string]time.Time{"op0001": newOperation(1).CreatedAt}, liveIDs(t, s))
	require.Equal(t, operation.Succeeded, row.Operation.Status, "finalizing does not change the operation")
}

func finalizeByIDBeforeEnd(t *testing.T, s Store) {
	for i, status := range []operation.Status{operation.Pending, operation.Running, operation.Parked} {
		row := save(t, s, create(t, s, newOperation(i)), func(op *operation.Operation) { op.Status = status })
		require.NoError(t, s.FinalizeByID(t.Context(), row.Operation.ID))
		require.Contains(t, liveIDs(t, s), row.Operation.ID)
	}
}

func finalizeByIDRepeated(t *testing.T, s Store) {
	row := end(t, s, create(t, s, newOperation(1)), operation.Canceled)
	for range 3 {
		require.NoError(t, s.FinalizeByID(t.Context(), row.Operation.ID))
	}
	require.Empty(t, liveIDs(t, s))
	require.Equal(t, row.Operation, load(t, s, row.Operation.ID).Operation)
	page, err := s.List(t.Context(), operation.Query{})
	require.NoError(t, err)
	require.Len(t, page.Operations, 1)
}

func finalizeRepeated(t *testing.T, s Store) {
	for i, first := range []func(engine.Row) error{
		func(row engine.Row) error { return s.Finalize(t.Context(), row) },
		func(row engine.Row) error { return s.FinalizeByID(t.Context(), row.Operation.ID) },
	} {
		row := save(t, s, create(t, s, newOperation(i)), ended(operation.Failed))
		require.NoError(t, first(row))
		require.NoError(t, s.Finalize(t.Context(), row))
		require.NoError(t, s.Finalize(t.Context(), load(t, s, row.Operation.ID)))
		require.NoError(t, s.FinalizeByID(t.Context(), row.Operation.ID))
		require.Empty(t, liveIDs(t, s))
		require.Equal(t, row.Operation, load(t, s, row.Operation.ID).Operation)
		require.Len(t, listed(t, s, operation.Query{Status: []operation.Status{operation.Failed}}), i+1)
	}
}

func finalizeBeforeEnd(t *testing.T, s Store) {
	row := create(t, s, newOperation(1))
	require.NoError(t, s.Finalize(t.Context(), row))
	require.Contains(t, liveIDs(t, s), row.Operation.ID)
	row = save(t, s, load(t, s, row.Operation.ID), func(op *operation.Operation) {
		ended(operation.Failed)(op)
		op.PendingNotices = []operation.Notice{{Kind: operation.NoticeFailed, Seq: op.Seq, At: op.UpdatedAt}}
	})
	require.NoError(t, s.Finalize(t.Context(), row))
	require.Contains(t, liveIDs(t, s), row.Operation.ID)
	row = save(t, s, load(t, s, row.Operation.ID), func(op *operation.Operation) { op.PendingNotices = nil })
	require.NoError(t, s.Finalize(t.Context(), row))
	require.Empty(t, liveIDs(t, s))
}

// Either the marker of the retry stays, or its save conflicts.
func finalizeDuringReopen(t *testing.T, s Store) {
	row := save(t, s, create(t, s, newOperation(1)), ended(operation.Failed))
	require.NoError(t, s.Reopen(t.Context(), "op0001", row.Operation.CreatedAt))
	require.NoError(t, s.Finalize(t.Context(), row))
	if _, found := liveIDs(t, s)["op0001"]; found {
		return
	}
	row.Operation.Status, row.Operation.WriteID = operation.Running, "retry"
	_, err := s.Save(t.Context(), row, eventOf(row.Operation, "retried"))
	require.ErrorIs(t, err, engine.ErrConflict)
}

func finalizeAfterRetry(t *testing.T, s Store) {
	failed := save(t, s, create(t, s, newOperation(1)), ended(operation.Failed))
	require.NoError(t, s.Reopen(t.Context(), "op0001", failed.Operation.CreatedAt))
	save(t, s, failed, func(op *operation.Operation) { op.Status, op.EndedAt, op.Round = operation.Running, time.Time{}, 1 })
	require.NoError(t, s.Finalize(t.Context(), failed), "by a slow invocation")
	require.Contains(t, liveIDs(t, s), "op0001")
	end(t, s, load(t, s, "op0001"), operation.Succeeded)
	require.Empty(t, liveIDs(t, s))
	require.Empty(t, listed(t, s, operation.Query{Status: []operation.Status{operation.Failed}}))
}

func finalizeAfterSecondCreate(t *testing.T, s Store) {
	row := create(t, s, newOperation(1))
	again := newOperation(1)
	again.CreatedAt = again.CreatedAt.Add(time.Hour)
	_, created, err := s.Create(t.Context(), again, eventOf(again, "again"))
	require.NoError(t, err)
	require.False(t, created)
	end(t, s, row, operation.Succeeded)
	require.Empty(t, liveIDs(t, s))
	require.Equal(t, []string{"op0001"}, listed(t, s, operation.Query{}))
}

func markerWithoutRow(t *testing.T, s Store) {
	require.NoError(t, s.Reopen(t.Context(), "unknown", start()))
	require.Equal(t, map[string]time.Time{"unknown": start()}, liveIDs(t, s))
	page, err := s.List(t.Context(), operation.Query{Status: []operation.Status{operation.Pending}})
	require.NoError(t, err)
	require.Empty(t, page.Operations)
	require.NoError(t, s.FinalizeByID(t.Context(), "unknown"))
	require.Empty(t, liveIDs(t, s))
}

func finalizeUnknown(t *testing.T, s Store) {
	require.NoError(t, s.FinalizeByID(t.Context(), "unknown"))
}

func reopened(t *testing.T, s Store) {
	row := end(t, s, create(t, s, newOperation(1)), operation.Failed)
	require.NoError(t, s.Reopen(t.Context(), row.Operation.ID, row.Operation.CreatedAt))
	require.Equal(t, map[string]time.Time{"op0001": row.Operation.CreatedAt}, liveIDs(t, s))
	row = save(t, s, row, func(op *operation.Operation) { op.Status, op.EndedAt, op.Round = operation.Running, time.Time{}, 1 })
	require.Equal(t, []string{"op0001"}, listed(t, s, operation.Query{Status: []operation.Status{operation.Running}}))
	require.Empty(t, listed(t, s, operation.Query{Status: []operation.Status{operation.Failed}}))
	end(t, s, row, operation.Succeeded)
	require.Empty(t, liveIDs(t, s))
	require.Empty(t, listed(t, s, operation.Query{Status: []operation.Status{operation.Failed}}))
	require.Equal(t, []string{"op0001"}, listed(t, s, operation.Query{Status: []operation.Status{operation.Succeeded}}))
	require.Equal(t, []string{"op0001"}, listed(t, s, operation.Query{Status: []operation.Status{operation.Failed, operation.Running, operation.Succeeded}}))
}

// The sweep may finalize an ended operation while someone retries it. If the
// sweep is faster, the save of the retry must conflict, because its marker may
// be deleted.
func finalizeByIDDuringReopen(t *testing.T, s Store) {
	row := save(t, s, create(t, s, newOperation(1)), ended(operation.Failed))
	require.NoError(t, s.Reopen(t.Context(), "op0001", row.Operation.CreatedAt))
	require.NoError(t, s.FinalizeByID(t.Context(), "op0001"))
	row.Operation.Status, row.Operation.WriteID = operation.Running, "retry"
	_, err := s.Save(t.Context(), row, eventOf(row.Operation, "retried"))
	require.ErrorIs(t, err, engine.ErrConflict)
}

func createAfterFinalize(t *testing.T, s Store) {
	row := end(t, s, create(t, s, newOperation(1)), operation.Succeeded)
	again := newOperation(1)
	got, created, err := s.Create(t.Context(), again, eventOf(again, "again"))
	require.NoError(t, err)
	require.False(t, created)
	require.Equal(t, row, got)
	require.NoError(t, s.FinalizeByID(t.Context(), "op0001"))
	require.Empty(t, liveIDs(t, s))
}

func createLeavesTime(t *testing.T, s Store) {
	create(t, s, newOperation(1))
	again := newOperation(1)
	again.CreatedAt = again.CreatedAt.Add(time.Hour)
	_, _, err := s.Create(t.Context(), again, eventOf(again, "again"))
	require.NoError(t, err)
	require.Equal(t, map[string]time.Time{"op0001": newOperation(1).CreatedAt}, liveIDs(t, s))
	require.Equal(t, []string{"op0001"}, listed(t, s, operation.Query{}))
}

func liveLeftEarly(t *testing.T, s Store) {
	for i := range 3 {
		create(t, s, newOperation(i))
	}
	for _, err := range s.ListLive(t.Context()) {
		require.NoError(t, err)
		break
	}
}

func manyAreLive(t *testing.T, s Store) {
	const operations = 40
	concurrently(operations, func(i int) {
		op := newOperation(i)
		if _, _, err := s.Create(t.Context(), op, eventOf(op, "created")); err != nil {
			t.Error(err)
		}
	})
	live := liveIDs(t, s)
	require.Len(t, live, operations)
	for i := range operations {
		require.Equal(t, newOperation(i).CreatedAt, live[fmt.Sprintf("op%04d", i)])
	}
}

func pendingNoticesStayLive(t *testing.T, s Store) {
	row := save(t, s, create(t, s, newOperation(1)), func(op *operation.Operation) {
		ended(operation.Failed)(op)
		op.PendingNotices = []operation.Notice{{Kind: operation.NoticeFailed, Seq: op.Seq, At: op.UpdatedAt}}
	})
	require.NoError(t, s.FinalizeByID(t.Context(), row.Operation.ID))
	require.Contains(t, liveIDs(t, s), row.Operation.ID, "the sweep must find it")
	row = load(t, s, row.Operation.ID)
	row.Operation.PendingNotices, row.Operation.WriteID = nil, "sent"
	_, err := s.Save(t.Context(), row, eventOf(row.Operation, "sent"))
	require.NoError(t, err)
	require.NoError(t, s.FinalizeByID(t.Context(), row.Operation.ID))
	require.Empty(t, liveIDs(t, s))
}
