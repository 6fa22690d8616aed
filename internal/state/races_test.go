package state_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
	"azbackupflow/internal/rejected"
)

// meanwhile runs work just before the first request of a kind is sent.
func (w *wire) meanwhile(kind string, work func()) {
	var once sync.Once
	w.disturb(func(sent string) error {
		if sent == kind {
			once.Do(work)
		}
		return nil
	}, nil)
}

// An operation that is retried between the read and the delete of the retention
// is kept, and listed.
func retryDuringExpire(t *testing.T, a *account) {
	var w wire
	s, other := a.storeAt(t, "retried", w.options), a.storeAt(t, "retried", nil)
	row := next(create(t, s, newOperation("a")), operation.Failed)
	row.Operation.EndedAt = row.Operation.CreatedAt.Add(time.Minute)
	etag, err := s.Save(t.Context(), row, eventOf(row.Operation))
	require.NoError(t, err)
	row.ETag = etag
	require.NoError(t, s.Finalize(t.Context(), row))
	w.meanwhile("BATCH operations", func() {
		retried, err := other.Load(t.Context(), "a")
		require.NoError(t, err)
		require.NoError(t, other.Reopen(t.Context(), "a", retried.Operation.CreatedAt))
		retried.Operation.EndedAt = time.Time{}
		save(t, other, retried, operation.Running)
	})
	done, err := s.Expire(t.Context(), row.Operation.CreatedAt.Add(time.Hour), 10)
	require.NoError(t, err)
	require.Zero(t, done.Operations)
	kept, err := s.Load(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, operation.Running, kept.Operation.Status)
	require.Equal(t, []string{"a"}, live(t, s))
	for _, q := range []operation.Query{{}, {Flow: "backup-now"}, {Status: []operation.Status{operation.Running}}} {
		require.Equal(t, 1, listedAs(t, s, q))
	}
}

// A lock that a new holder takes between the read and the delete of the retention
// stays with the new holder.
func newHolderDuringExpire(t *testing.T, a *account) {
	for _, moment := range []string{"GET operations", "DELETE itemlocks"} {
		var w wire
		s, other := a.store(t, w.options), a.storeAt(t, fmt.Sprintf("t%d", a.stores.Load()), nil)
		began := newOperation("b").CreatedAt
		require.NoError(t, s.SaveItemLock(t.Context(), operation.ItemLock{Item: "/i", Holder: "gone", Since: began}, ""))
		w.meanwhile(moment, func() {
			_, etag, err := other.LoadItemLock(t.Context(), "/i")
			require.NoError(t, err)
			require.NoError(t, other.SaveItemLock(t.Context(), operation.ItemLock{Item: "/i", Holder: "b", Since: began}, etag))
		})
		_, err := s.Expire(t.Context(), began.Add(time.Minute), 10)
		require.NoError(t, err)
		lock, etag, err := s.LoadItemLock(t.Context(), "/i")
		require.NoError(t, err)
		require.NotEmpty(t, etag, moment)
		require.Equal(t, "b", lock.Holder, moment)
	}
}

// A purge that another purge overtakes reports that there may be more.
func purgeOvertaken(t *testing.T, a *account) {
	var w wire
	s, other := a.storeAt(t, "purged", w.options), a.storeAt(t, "purged", nil)
	at := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	var ids []string
	for i := range 3 {
		record := rejected.Request{ID: rejected.NewID(at, rejected.Requests, fmt.Sprint("m", i), nil), At: at, Source: rejected.Requests, Reason: "x"}
		require.NoError(t, s.SaveRejected(t.Context(), record))
		ids = append(ids, record.ID)
	}
	w.meanwhile("BATCH rejected", func() { require.NoError(t, other.DeleteRejected(t.Context(), ids[1])) })
	deleted, more, err := s.PurgeRejected(t.Context(), at.Add(time.Minute), 10)
	require.NoError(t, err)
	require.Zero(t, deleted)
	require.True(t, more)
	w.meanwhile("BATCH rejected", func() { require.NoError(t, other.DeleteRejected(t.Context(), ids[0])) })
	done, err := s.Expire(t.Context(), at.Add(time.Minute), 10)
	require.NoError(t, err)
	require.True(t, done.More)
	deleted, more, err = s.PurgeRejected(t.Context(), at.Add(time.Minute), 10)
	require.NoError(t, err)
	require.Equal(t, 1, deleted)
	require.False(t, more)
}

// A purge that is overtaken after its first transaction counts what it has deleted,
// for the record of the removal.
func purgeOvertakenLater(t *testing.T, a *account) {
	var w wire
	s, other := a.storeAt(t, "purgedlater", w.options), a.storeAt(t, "purgedlater", nil)
	at := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	oldest := ""
	for i := range 101 {
		record := rejected.Request{ID: rejected.NewID(at.Add(-time.Duration(i)*time.Second), rejected.Requests, "m", nil), At: at, Source: rejected.Requests, Reason: "x"}
		require.NoError(t, s.SaveRejected(t.Context(), record))
		oldest = record.ID
	}
	w.meanwhile("BATCH rejected", func() { require.NoError(t, other.DeleteRejected(t.Context(), oldest)) })
	deleted, more, err := s.PurgeRejected(t.Context(), at.Add(time.Minute), 1000)
	require.NoError(t, err)
	require.Equal(t, 100, deleted)
	require.True(t, more)
}
