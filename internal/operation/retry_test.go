package operation_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

func TestRetried_FailedJobIsStartedAgain(t *testing.T) {
	t.Parallel()
	op := running()
	op.Step, op.Tracking = "await", &operation.Tracking{JobID: "j1"}
	failed, _ := op.Answered(plan(), operation.Outcome{Kind: operation.Back, Next: "trigger", Err: failure(operation.Fatal)}, after(time.Hour))
	require.Equal(t, operation.Failed, failed.Status)
	require.Equal(t, "await", failed.Step, "the failed operation keeps its step")
	require.Equal(t, "j1", failed.Tracking.JobID, "the failed operation keeps its job")

	next, _, err := failed.Retried(operation.Cause{}, after(2*time.Hour))
	require.NoError(t, err)
	require.Equal(t, "trigger", next.Step)
	require.Nil(t, next.Tracking)
	require.Empty(t, next.RetryStep)
}

func TestRetried_AmbiguousCallIsNotReconciledAgain(t *testing.T) {
	t.Parallel()
	parked, _ := claimed().Reconciled(plan(), operation.Reconciliation{Result: operation.Ambiguous, Err: failure(operation.UserAction)}, after(time.Hour))
	require.Equal(t, claim(), parked.Claim, "a cancel names the claim")

	next, _, err := parked.Retried(operation.Cause{}, after(2*time.Hour))
	require.NoError(t, err)
	require.Equal(t, parked.Step, next.Step)
	require.Nil(t, next.Claim)
	require.Equal(t, after(2*time.Hour).Now, next.DueAt)

	unclear, _ := running().Answered(plan(), operation.Outcome{Kind: operation.Unclear, Next: "find", Err: failure(operation.UserAction)}, after(time.Hour))
	require.Equal(t, operation.Parked, unclear.Status)
	next, _, err = unclear.Retried(operation.Cause{}, after(2*time.Hour))
	require.NoError(t, err)
	require.Equal(t, "find", next.Step)
}
