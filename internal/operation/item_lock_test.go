package operation_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

func named(id string) operation.Operation {
	op := running()
	op.ID = id
	return op
}

func TestItemLock_CountsEachOperationOnceADay(t *testing.T) {
	t.Parallel()
	const item, limit = "/shares/s1", 2
	acquire := func(l operation.ItemLock, op operation.Operation, now time.Time) (operation.ItemLock, operation.LockResult) {
		return l.Acquire(op, item, true, limit, now)
	}
	first, result := acquire(operation.ItemLock{}, named("a"), start())
	require.Equal(t, operation.LockFree, result)
	require.Equal(t, operation.ItemLock{Item: item, Holder: "a", Since: start(), Day: "2026-03-01", Starts: []string{"a"}}, first)

	retried := named("a")
	retried.Round = 1
	again, result := acquire(first, retried, start())
	require.Equal(t, operation.LockFree, result, "a retried operation acquires it again")
	require.Equal(t, []string{"a"}, again.Starts)

	second, result := acquire(again, named("b"), start())
	require.Equal(t, operation.LockFree, result)
	require.Equal(t, []string{"a", "b"}, second.Starts)
	require.Equal(t, []string{"a"}, again.Starts, "the lock that was read does not change")

	unchanged, result := acquire(second, named("c"), start())
	require.Equal(t, operation.LockLimitReached, result)
	require.Equal(t, second, unchanged)

	third, result := acquire(second, named("c"), start().Add(24*time.Hour))
	require.Equal(t, operation.LockFree, result, "the next day starts a new count")
	require.Equal(t, []string{"c"}, third.Starts)
}

func TestItemLock_IsHeldUntilItIsReleased(t *testing.T) {
	t.Parallel()
	l := operation.ItemLock{Item: "/shares/s1", Holder: "a"}
	_, result := l.Acquire(named("b"), l.Item, false, 0, start())
	require.Equal(t, operation.LockHeld, result)
	_, result = l.Acquire(named("b"), l.Item, true, 0, start())
	require.Equal(t, operation.LockFree, result)
	_, result = l.Acquire(named("a"), l.Item, false, 0, start())
	require.Equal(t, operation.LockOwned, result)
}

// A late call of an operation that has ended may still arrive.
func TestReleasesLock_WaitsAfterTheEnd(t *testing.T) {
	t.Parallel()
	w := operation.AzureWaits()
	op := running()
	require.False(t, op.ReleasesLock(w, start().Add(24*time.Hour)))
	op.Status, op.EndedAt = operation.Failed, start()
	require.False(t, op.ReleasesLock(w, start().Add(w.LockCooldown-1)))
	require.True(t, op.ReleasesLock(w, start().Add(w.LockCooldown)))
}
