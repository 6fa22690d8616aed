package operation_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

func TestDefer_IsNotAFailure(t *testing.T) {
	t.Parallel()
	op, in := claimed(), after(time.Minute)
	op.Attempts, op.LastError = 3, failure(operation.Transient)
	off := &operation.Deferral{Limit: "write limit", Wait: 20 * time.Minute, Reservation: "place"}

	next, ev := op.Defer(off, false, in)
	require.Nil(t, next.Claim, "nothing was sent for the claim")
	require.Equal(t, op.Step, next.Step)
	require.Equal(t, 3, next.Attempts)
	require.Equal(t, op.LastError, next.LastError)
	require.Nil(t, ev.Err, "the earlier error did not happen again")
	require.Equal(t, "place", next.Reservation)
	require.GreaterOrEqual(t, wait(next, in), off.Wait)
	require.Equal(t, "write limit, about "+next.DueAt.UTC().Format("15:04"), next.WaitingFor)
	require.Equal(t, op.Seq+1, next.Seq)
}

func TestDefer_KeepsTheClaimOfAReconciliation(t *testing.T) {
	t.Parallel()
	op, in := claimed(), after(6*time.Minute)
	next, _ := op.Defer(&operation.Deferral{Limit: "read limit", Wait: time.Minute}, true, in)
	require.Equal(t, op.Claim, next.Claim)
	require.Equal(t, operation.Running, next.Status)
}

func TestDefer_IsDueAtTheDeadlineAtTheLatest(t *testing.T) {
	t.Parallel()
	op, in := claimed(), after(time.Minute)
	op.Deadline = in.Now.Add(time.Hour)
	next, _ := op.Defer(&operation.Deferral{Limit: "write limit", Wait: 5 * time.Hour}, false, in)
	require.False(t, next.DueAt.After(op.Deadline.Add(time.Minute)))
}
