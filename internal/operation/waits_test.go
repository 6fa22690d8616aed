package operation_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

func TestNewWaits_DividesOurDurationsAndNotAzures(t *testing.T) {
	t.Parallel()
	require.Equal(t, operation.Waits{
		Default: time.Second,
		MinJob:  500 * time.Millisecond, MaxJob: 10 * time.Second,
		ClaimWindow: time.Second, ClaimGrace: 5 * time.Second,
		SpreadSlot:   4 * time.Millisecond / 60,
		Overdue:      10 * time.Second,
		LockCooldown: 2 * time.Second,
		MaxNoticeAge: 168 * time.Minute,
		MinSnooze:    500 * time.Millisecond, MaxSnooze: 5 * time.Second,
		Retry: map[operation.Class]operation.RetryPolicy{
			operation.Throttled:  {InitialWait: time.Second, MaxWait: 10 * time.Second},
			operation.Transient:  {InitialWait: 500 * time.Millisecond, MaxWait: 10 * time.Second, MaxAttempts: 12, MaxSetbacks: 3},
			operation.NotYet:     {InitialWait: time.Second, MaxWait: 5 * time.Second, MaxAttempts: 12, MaxSetbacks: 12},
			operation.Conflict:   {InitialWait: time.Second, MaxWait: 10 * time.Second, MaxAttempts: 48, MaxSetbacks: 48},
			operation.UserAction: {InitialWait: 5 * time.Second, MaxWait: 10 * time.Second, MaxAttempts: 5, MaxSetbacks: 5},
		},
	}, operation.NewWaits(60))
	require.Equal(t, operation.AzureWaits(), operation.NewWaits(1))

	in := after(0)
	in.Waits = operation.NewWaits(60)
	first, _ := running().StepFailed(failure(operation.Transient), in)
	require.Equal(t, 500*time.Millisecond, wait(first, in))
	back, _ := running().Answered(plan(), operation.Outcome{Kind: operation.Back, Next: "find", Err: failure(operation.UserAction)}, in)
	require.Equal(t, 5*time.Second, wait(back, in))
	reconciliation, _ := claimed().ReconcileFailed(failure(operation.Throttled), in)
	require.Equal(t, time.Second, wait(reconciliation, in))

	throttled := failure(operation.Throttled)
	throttled.RetryAfter = 10 * time.Second
	next, _ := running().StepFailed(throttled, in)
	require.Equal(t, 10*time.Second, wait(next, in), "Azure's Retry-After is not divided")
}

func TestAzureWaits_ReconcileAfterTheClaimAndBeforeTheSweep(t *testing.T) {
	t.Parallel()
	w := operation.AzureWaits()
	require.Less(t, w.ClaimWindow, w.ClaimGrace)
	require.Less(t, w.ClaimWindow+w.ClaimGrace, w.Overdue)
}
