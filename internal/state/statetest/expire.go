package statetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/state"
)

func expireTests() []test {
	return []test{
		{"old operations are deleted with history and index entries", expireOld},
		{"live and recent operations and those with pending notices are kept", expireKeeps},
		{"each call deletes at most its limit", expirePortions},
		{"a long history is deleted", expireLongHistory},
		{"old rejected requests and locks are deleted", expireRest},
		{"a deleted operation can be created again", expireThenCreate},
	}
}

// later is a time long after the end of all operations.
func later() time.Time { return start().Add(90 * 24 * time.Hour) }

func expire(t *testing.T, s Store, before time.Time, limit int) state.Expired {
	t.Helper()
	done, err := s.Expire(t.Context(), before, limit)
	require.NoError(t, err)
	return done
}

// listedCounts returns the number of operations for each kind of list.
func listedCounts(t *testing.T, s Store) (n []int) {
	t.Helper()
	for _, q := range []operation.Query{
		{}, {Flow: "backup-now"}, {Labels: []operation.Label{{Key: "team", Value: "a"}}}, {Status: []operation.Status{operation.Failed}},
	} {
		page, err := s.List(t.Context(), q)
		require.NoError(t, err)
		n = append(n, len(page.Operations))
	}
	return n
}

func endedLongAgo(t *testing.T, s Store, i int) string {
	t.Helper()
	op := newOperation(i)
	op.Labels = map[string]string{"team": "a"}
	return end(t, s, create(t, s, op), operation.Failed).Operation.ID
}

func expireOld(t *testing.T, s Store) {
	id := endedLongAgo(t, s, 1)
	require.Equal(t, []int{1, 1, 1, 1}, listedCounts(t, s))
	require.Equal(t, state.Expired{Operations: 1}, expire(t, s, later(), 10))
	_, err := s.Load(t.Context(), id)
	require.ErrorIs(t, err, engine.ErrNotFound)
	require.Empty(t, collect(t, s.History(t.Context(), id)))
	require.Equal(t, []int{0, 0, 0, 0}, listedCounts(t, s))
	require.Empty(t, liveIDs(t, s))
	require.Zero(t, expire(t, s, later(), 10))
}

func expireKeeps(t *testing.T, s Store) {
	create(t, s, newOperation(1))
	save(t, s, create(t, s, newOperation(2)), func(op *operation.Operation) { op.Status = operation.Parked })
	pending := save(t, s, create(t, s, newOperation(3)), func(op *operation.Operation) {
		ended(operation.Failed)(op)
		op.PendingNotices = []operation.Notice{{Kind: operation.NoticeFailed, Seq: op.Seq}}
	})
	require.NoError(t, s.FinalizeByID(t.Context(), pending.Operation.ID))
	recent := save(t, s, create(t, s, newOperation(4)), func(op *operation.Operation) {
		op.Status, op.EndedAt, op.DueAt = operation.Failed, later().Add(-time.Second), time.Time{}
	})
	require.NoError(t, s.FinalizeByID(t.Context(), recent.Operation.ID))
	require.Zero(t, expire(t, s, later().Add(-time.Minute), 10))
	for i := 1; i <= 4; i++ {
		load(t, s, newOperation(i).ID)
	}
	require.Equal(t, state.Expired{Operations: 1}, expire(t, s, later(), 10), "one minute later, one of them is old")
}

func expirePortions(t *testing.T, s Store) {
	for i := range 7 {
		endedLongAgo(t, s, i)
	}
	require.Equal(t, state.Expired{Operations: 3, More: true}, expire(t, s, later(), 3))
	require.Equal(t, []int{4, 4, 4, 4}, listedCounts(t, s))
	require.Equal(t, state.Expired{Operations: 3, More: true}, expire(t, s, later(), 3))
	require.Equal(t, state.Expired{Operations: 1}, expire(t, s, later(), 3))
	require.Equal(t, []int{0, 0, 0, 0}, listedCounts(t, s))
}

func expireLongHistory(t *testing.T, s Store) {
	row := create(t, s, newOperation(1))
	for range 250 {
		row = save(t, s, row, func(*operation.Operation) {})
	}
	end(t, s, row, operation.Succeeded)
	require.Equal(t, state.Expired{Operations: 1}, expire(t, s, later(), 10))
	require.Empty(t, collect(t, s.History(t.Context(), row.Operation.ID)))
}

func expireRest(t *testing.T, s Store) {
	for i := range 5 {
		require.NoError(t, s.SaveRejected(t.Context(), newRejected(60*i)))
	}
	live := create(t, s, newOperation(1)).Operation.ID
	for item, holder := range map[string]string{"a": live, "b": "gone", "c": "also gone"} {
		require.NoError(t, s.SaveItemLock(t.Context(), operation.ItemLock{Item: item, Holder: holder, Since: start()}, ""))
	}
	require.Equal(t, state.Expired{Rejected: 3, Locks: 2}, expire(t, s, start().Add(150*time.Minute), 10))
	page, err := s.ListRejected(t.Context(), rejected.Query{})
	require.NoError(t, err)
	require.Len(t, page.Requests, 2)
	_, etag, err := s.LoadItemLock(t.Context(), "a")
	require.NoError(t, err)
	require.NotEmpty(t, etag)
}

func expireThenCreate(t *testing.T, s Store) {
	endedLongAgo(t, s, 1)
	expire(t, s, later(), 10)
	create(t, s, newOperation(1))
	require.Equal(t, []int{1, 1, 0, 0}, listedCounts(t, s))
}
