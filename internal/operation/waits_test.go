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
		Default:     time.Second,
		JobShortest: 500 * time.Millisecond, JobLongest: 10 * time.Second,
		Retry:       60,
		ClaimWindow: time.Second, ClaimGrace: 5 * time.Second,
		Jitter:         0.1,
		Overdue:        10 * time.Second,
		Quiet:          2 * time.Second,
		Notice:         168 * time.Minute,
		SnoozeShortest: 500 * time.Millisecond, SnoozeLongest: 5 * time.Second,
	}, operation.AzureWaits().Faster(60))
	require.Equal(t, operation.AzureWaits(), operation.AzureWaits().Faster(1))
	require.Equal(t, operation.AzureWaits().Faster(60), operation.AzureWaits().Faster(6).Faster(10))

	at := after(0)
	at.Waits = at.Waits.Faster(60)
	first, _ := running().StepFailed(failure(operation.Transient), at)
	require.Equal(t, 500*time.Millisecond, wait(first, at))
	back, _ := running().Answered(plan(), operation.Outcome{Kind: operation.Back, Next: "find", Err: failure(operation.UserAction)}, at)
	require.Equal(t, 5*time.Second, wait(back, at))
	look, _ := claimed().LookFailed(failure(operation.Throttled), at)
	require.Equal(t, time.Second, wait(look, at))

	asked := failure(operation.Throttled)
	asked.RetryAfter = 10 * time.Second
	next, _ := running().StepFailed(asked, at)
	require.Equal(t, 10*time.Second, wait(next, at), "what Azure asks for is not divided")
}

func TestA_claim_is_looked_for_long_after_its_call_may_start_and_before_the_sweep_wakes(t *testing.T) {
	t.Parallel()
	w := operation.AzureWaits()
	require.Less(t, w.ClaimWindow, w.ClaimGrace)
	require.Less(t, w.ClaimWindow+w.ClaimGrace, w.Overdue)
}
