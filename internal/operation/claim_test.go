package operation_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

func TestClaimed_KeepsTheSeq(t *testing.T) {
	t.Parallel()
	op, in := running(), after(time.Minute)
	op.Rescues, op.LastRescue = 2, "rescue-2"
	next, ev := op.Claimed("attempt-2", in)
	requireMatchingEvent(t, next, ev, in)
	require.Equal(t, &operation.Claim{AttemptID: "attempt-2", ClaimedAt: in.Now, NotAfter: in.Now.Add(time.Minute)}, next.Claim)
	require.Equal(t, op.Seq, next.Seq)
	require.Equal(t, "w8", next.WriteID)
	require.Equal(t, 2, next.Rescues, "a claim keeps the count of rescues: the call was not made yet")
	require.Contains(t, ev.What, "attempt-2")

	next.Claim, next.WriteID, next.UpdatedAt = nil, op.WriteID, op.UpdatedAt
	require.Equal(t, op, next, "nothing else changes")
}

func TestClaimExpired_DropsTheClaimAndRetriesNow(t *testing.T) {
	t.Parallel()
	op, in := claimed(), after(2*time.Minute)
	next, ev := op.ClaimExpired(in)
	requireSaved(t, op, next, ev, in)
	require.Nil(t, next.Claim)
	require.Equal(t, "trigger", next.Step)
	require.Equal(t, operation.Running, next.Status)
	require.Equal(t, in.Now, next.DueAt)
	require.Zero(t, next.Attempts, "a call that was not made is not counted")
}

func TestReconciled_AdoptsCallThatTookEffect(t *testing.T) {
	t.Parallel()
	op, in := claimed(), after(6*time.Minute)
	op.Attempts, op.LastError = 1, failure(operation.Transient)
	next, ev := op.Reconciled(plan(), operation.Reconciliation{Result: operation.Found, Outcome: operation.Outcome{
		Kind: operation.Advance, Pace: operation.PaceNow, Note: "job j1", Tracking: &operation.Tracking{JobID: "j1"},
	}}, in)
	requireSaved(t, op, next, ev, in)
	require.Equal(t, "await", next.Step)
	require.Nil(t, next.Claim)
	require.Nil(t, next.LastError)
	require.Equal(t, "j1", next.Tracking.JobID)
	require.Contains(t, ev.What, "the earlier request had taken effect: job j1")
}

func TestReconciled_RetriesCallWithoutEffect(t *testing.T) {
	t.Parallel()
	op, in := claimed(), after(6*time.Minute)
	op.Attempts, op.LastError = 12, failure(operation.Transient)
	next, ev := op.Reconciled(plan(), operation.Reconciliation{Result: operation.NotFound}, in)
	requireSaved(t, op, next, ev, in)
	require.Equal(t, operation.Running, next.Status)
	require.Equal(t, "trigger", next.Step)
	require.Nil(t, next.Claim)
	require.Equal(t, in.Now, next.DueAt)
	require.Equal(t, 12, next.Attempts, "failures without effect are counted")
}

func TestReconciled_ThirteenCallsWithoutEffectFail(t *testing.T) {
	t.Parallel()
	op := claimed()
	op.Attempts, op.LastError = 13, failure(operation.Transient)
	next, _ := op.Reconciled(plan(), operation.Reconciliation{Result: operation.NotFound}, after(6*time.Minute))
	require.Equal(t, operation.Failed, next.Status)
	require.Equal(t, failure(operation.Transient), next.LastError)
	require.Nil(t, next.Claim)
}

func TestReconciled_AmbiguousCallParks(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]operation.Reconciliation{
		"ambiguous":            {Result: operation.Ambiguous, Err: failure(operation.UserAction)},
		"ambiguous, no reason": {Result: operation.Ambiguous},
		"an unknown result":    {},
	} {
		op, in := claimed(), after(6*time.Minute)
		next, ev := op.Reconciled(plan(), f, in)
		requireSaved(t, op, next, ev, in)
		require.Equal(t, operation.Parked, next.Status, name)
		require.Equal(t, claim(), next.Claim, name)
		require.NotNil(t, next.LastError, name)
		require.Zero(t, next.DueAt, name)
		require.Equal(t, "an operator", next.WaitingFor, name)
	}
}

func TestReconcileFailed_KeepsTheClaimAndNeverFails(t *testing.T) {
	t.Parallel()
	for class, budget := range map[operation.Class]int{
		operation.Transient: 12, operation.NotYet: 12, operation.Conflict: 48, operation.UserAction: 5, operation.Fatal: 0, "": 0,
	} {
		t.Run("class "+string(class), func(t *testing.T) {
			t.Parallel()
			op, in := claimed(), after(6*time.Minute)
			for range budget {
				next, ev := op.ReconcileFailed(failure(class), in)
				requireSaved(t, op, next, ev, in)
				require.Equal(t, operation.Running, next.Status)
				require.Equal(t, claim(), next.Claim)
				require.GreaterOrEqual(t, wait(next, in), 30*time.Second)
				op = next
			}
			next, ev := op.ReconcileFailed(failure(class), in)
			requireSaved(t, op, next, ev, in)
			require.Equal(t, operation.Parked, next.Status, "Failed would say that the call had no effect")
			require.Equal(t, claim(), next.Claim)
			require.Equal(t, failure(class), next.LastError)
		})
	}
}

func TestReconcileFailed_ParksAfterTheDeadline(t *testing.T) {
	t.Parallel()
	op, in := claimed(), after(6*time.Minute)
	op.Deadline = in.Now
	next, ev := op.ReconcileFailed(failure(operation.Throttled), in)
	requireSaved(t, op, next, ev, in)
	require.Equal(t, operation.Parked, next.Status)
	require.Equal(t, claim(), next.Claim)
}

func TestReconcileFailed_DoesNotCountThrottling(t *testing.T) {
	t.Parallel()
	op, in := claimed(), after(6*time.Minute)
	for range 200 {
		next, _ := op.ReconcileFailed(failure(operation.Throttled), in)
		require.Equal(t, operation.Running, next.Status)
		require.Zero(t, next.Attempts)
		require.Equal(t, time.Minute, wait(next, in))
		op = next
	}
}

func TestSameClaim_ComparesAttemptIDs(t *testing.T) {
	t.Parallel()
	other := claimed()
	other.Claim.AttemptID = "attempt-2"
	later := claimed()
	later.Claim.NotAfter = later.Claim.NotAfter.Add(time.Hour)
	require.True(t, running().SameClaim(running()))
	require.True(t, claimed().SameClaim(later))
	require.False(t, claimed().SameClaim(running()))
	require.False(t, running().SameClaim(claimed()))
	require.False(t, claimed().SameClaim(other))
}
