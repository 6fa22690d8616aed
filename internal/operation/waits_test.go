package operation_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

func TestA_faster_clock_divides_every_duration_of_ours_and_nothing_of_Azures(t *testing.T) {
	t.Parallel()
	require.Equal(t, operation.Waits{
		Default: time.Second,
		MinJob:  500 * time.Millisecond, MaxJob: 10 * time.Second,
		Retry:       60,
		ClaimWindow: time.Second, ClaimGrace: 5 * time.Second,
		Jitter:       0.1,
		Overdue:      10 * time.Second,
		LockCooldown: 2 * time.Second,
		MaxNoticeAge: 168 * time.Minute,
		MinSnooze:    500 * time.Millisecond, MaxSnooze: 5 * time.Second,
	}, operation.AzureWaits().Faster(60))
	require.Equal(t, operation.AzureWaits(), operation.AzureWaits().Faster(1))
	require.Equal(t, operation.AzureWaits().Faster(60), operation.AzureWaits().Faster(6).Faster(10))

	in := after(0)
	in.Waits = in.Waits.Faster(60)
	first, _ := running().StepFailed(failure(operation.Transient), in)
	require.Equal(t, 500*time.Millisecond, wait(first, in))
	back, _ := running().Answered(plan(), operation.Outcome{Kind: operation.Back, Next: "find", Err: failure(operation.UserAction)}, in)
	require.Equal(t, 5*time.Second, wait(back, in))
	look, _ := claimed().ReconcileFailed(failure(operation.Throttled), in)
	require.Equal(t, time.Second, wait(look, in))

	asked := failure(operation.Throttled)
	asked.RetryAfter = 10 * time.Second
	next, _ := running().StepFailed(asked, in)
	require.Equal(t, 10*time.Second, wait(next, in), "what Azure asks for is not divided")
}

func TestA_claim_is_looked_for_long_after_its_call_may_start_and_before_the_sweep_wakes(t *testing.T) {
	t.Parallel()
	w := operation.AzureWaits()
	require.Less(t, w.ClaimWindow, w.ClaimGrace)
	require.Less(t, w.ClaimWindow+w.ClaimGrace, w.Overdue)
}
