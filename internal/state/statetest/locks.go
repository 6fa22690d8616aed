package statetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
)

func lockTests() []test {
	return []test{
		{"an item without a lock has an empty lock", noLock},
		{"a lock is loaded as it was saved", lockAsSaved},
		{"a save with an old ETag is a conflict", lockGuarded},
		{"locks of unusual items stay distinct", oddLocks},
	}
}

const testItem = "/subscriptions/s/x?#%é"

func lockOf(holder string) operation.ItemLock {
	return operation.ItemLock{Item: testItem, Holder: holder, Round: 2, Since: start(), Day: "2025-03-01", Starts: []string{"op0001", holder}}
}

func noLock(t *testing.T, s Store) {
	lock, etag, err := s.LoadItemLock(t.Context(), testItem)
	require.NoError(t, err)
	require.Empty(t, etag)
	require.Zero(t, lock)
}

func lockAsSaved(t *testing.T, s Store) {
	require.NoError(t, s.SaveItemLock(t.Context(), lockOf("op0002"), ""))
	lock, etag, err := s.LoadItemLock(t.Context(), testItem)
	require.NoError(t, err)
	require.NotEmpty(t, etag)
	require.Equal(t, lockOf("op0002"), lock)
}

func lockGuarded(t *testing.T, s Store) {
	require.ErrorIs(t, s.SaveItemLock(t.Context(), lockOf("op0002"), `W/"datetime'2025-03-01T08%3A00%3A00.0000000Z'"`), engine.ErrConflict, "there is no lock")
	require.NoError(t, s.SaveItemLock(t.Context(), lockOf("op0002"), ""))
	require.ErrorIs(t, s.SaveItemLock(t.Context(), lockOf("op0003"), ""), engine.ErrConflict)
	_, etag, err := s.LoadItemLock(t.Context(), testItem)
	require.NoError(t, err)
	require.NoError(t, s.SaveItemLock(t.Context(), lockOf("op0003"), etag))
	require.ErrorIs(t, s.SaveItemLock(t.Context(), lockOf("op0004"), etag), engine.ErrConflict)
	lock, _, err := s.LoadItemLock(t.Context(), testItem)
	require.NoError(t, err)
	require.Equal(t, "op0003", lock.Holder)
}

func oddLocks(t *testing.T, s Store) {
	for i, item := range odd() {
		lock := operation.ItemLock{Item: item, Holder: fmt.Sprint(i), Since: start().Add(time.Duration(i) * time.Second)}
		require.NoError(t, s.SaveItemLock(t.Context(), lock, ""))
	}
	for i, item := range odd() {
		lock, _, err := s.LoadItemLock(t.Context(), item)
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint(i), lock.Holder, item)
	}
}
