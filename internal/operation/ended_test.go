package operation_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

func TestCanceled_NamesWorkThatContinuesInAzure(t *testing.T) {
	t.Parallel()
	const goesOn = "canceled; work that Azure has already begun continues"
	const unanswered = "; an unanswered request may have taken effect: attempt attempt-1"
	cases := map[string]struct {
		tracking *operation.Tracking
		claim    *operation.Claim
		want     string
		warns    bool
	}{
		"nothing has begun":          {nil, nil, "canceled; Azure runs nothing that this operation started", false},
		"Azure runs an operation":    {&operation.Tracking{StatusURL: "https://signed"}, nil, goesOn, true},
		"Azure runs a job":           {&operation.Tracking{StatusURL: "https://signed", JobID: "j1"}, nil, goesOn + ": job j1", true},
		"a request was not answered": {nil, claim(), "canceled" + unanswered, true},
		"both":                       {&operation.Tracking{JobID: "j1"}, claim(), goesOn + ": job j1" + unanswered, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			op, in := running(), after(time.Hour)
			op.Tracking, op.Claim, op.CancelRequested = c.tracking, c.claim, true
			next, ev := op.Canceled(in)
			requireSaved(t, op, next, ev, in)
			require.Equal(t, operation.Canceled, next.Status)
			require.Equal(t, c.want, ev.What)
			require.NotContains(t, ev.What, "signed", "poll URLs are never shown")
			require.Equal(t, c.tracking, next.Tracking, "tracking stays")
			if c.warns {
				require.Equal(t, []string{c.want}, next.Warnings)
			} else {
				require.Empty(t, next.Warnings)
			}
		})
	}
}

func TestRedirected_GoesToTheCancelingStep(t *testing.T) {
	t.Parallel()
	op, in := running(), after(time.Hour)
	op.Tracking, op.CancelRequested = &operation.Tracking{JobID: "j1"}, true
	op.Attempts, op.LastError = 12, failure(operation.Transient)
	next, ev := op.Redirected("confirm", in)
	requireSaved(t, op, next, ev, in)
	require.Equal(t, operation.Running, next.Status)
	require.Equal(t, "confirm", next.Step)
	require.Equal(t, in.Now, next.DueAt)
	require.Equal(t, in.Now, next.StepStartedAt)
	require.Zero(t, next.Attempts, "the failures of the earlier step are reset")
	require.Equal(t, op.Tracking, next.Tracking, "tracking of the work to cancel stays")
	require.True(t, next.CancelRequested)
}

func TestCanceled_AcceptsParkedOperation(t *testing.T) {
	t.Parallel()
	op := claimed()
	op.Status = operation.Parked
	next, _ := op.Canceled(after(0))
	require.Equal(t, operation.Canceled, next.Status)
}

func TestTimedOut_KeepsEverythingKnown(t *testing.T) {
	t.Parallel()
	op, in := running(), after(240*time.Hour)
	op.Tracking = &operation.Tracking{JobID: "j1"}
	op.WaitingFor = "Backup job j1 (InProgress)"
	next, ev := op.TimedOut(in)
	requireSaved(t, op, next, ev, in)
	require.Equal(t, operation.TimedOut, next.Status)
	require.Equal(t, in.Now, next.EndedAt)
	require.Equal(t, op.Tracking, next.Tracking)
	require.Equal(t, op.Learned, next.Learned)
	require.Equal(t, "DeadlinePassed", next.LastError.Code)
	for _, told := range []string{"2026-03-11T08:00:00Z", "step trigger", "Backup job j1 (InProgress)"} {
		require.Contains(t, next.LastError.Message, told)
	}
	require.NotEmpty(t, next.LastError.RecommendedAction)
}

func TestTimedOut_KeepsTheLastError(t *testing.T) {
	t.Parallel()
	op := running()
	op.LastError = failure(operation.Conflict)
	next, _ := op.TimedOut(after(240 * time.Hour))
	require.Equal(t, failure(operation.Conflict), next.LastError)
}

func TestRetried_AcceptsFailedTimedOutAndParkedOnly(t *testing.T) {
	t.Parallel()
	for _, status := range append(operation.Statuses(), "Resting") {
		op, in := running(), after(20*24*time.Hour)
		op.Status, op.Attempts, op.Setbacks, op.Round = status, 13, 4, 1
		op.EndedAt, op.CancelRequested, op.WaitingFor = start(), true, "an operator"
		op.Rescues, op.LastRescue = 4, "rescue-4"
		next, ev, err := op.Retried(operation.Cause{}, in)
		if status != operation.Failed && status != operation.TimedOut && status != operation.Parked {
			require.Error(t, err, string(status))
			require.Equal(t, op, next, "a rejected retry changes nothing")
			require.Zero(t, ev)
			continue
		}
		require.NoError(t, err, string(status))
		requireSaved(t, op, next, ev, in)
		require.Equal(t, operation.Running, next.Status)
		require.Equal(t, "trigger", next.Step, "a retry continues at the step where it stopped")
		require.Equal(t, in.Now, next.DueAt)
		require.Equal(t, in.Now, next.StepStartedAt)
		require.Equal(t, 2, next.Round)
		require.Zero(t, next.Attempts)
		require.Zero(t, next.Setbacks)
		require.Zero(t, next.EndedAt)
		require.False(t, next.CancelRequested)
		require.Empty(t, next.WaitingFor)
	}
}

func TestRetried_AllowsTheOriginalTimeEachRound(t *testing.T) {
	t.Parallel()
	op := running()
	op.Deadline = start().Add(6 * time.Hour)
	for _, ended := range []time.Duration{10 * time.Hour, 100 * time.Hour, 101 * time.Hour} {
		op.Status = operation.Failed
		var err error
		op, _, err = op.Retried(operation.Cause{}, after(ended))
		require.NoError(t, err)
		require.Equal(t, start().Add(ended+6*time.Hour), op.Deadline)
		require.Equal(t, start(), op.CreatedAt)
	}
}

func TestRetried_ReconcilesTheOldClaimFirst(t *testing.T) {
	t.Parallel()
	lookAt := claim().NotAfter.Add(5 * time.Minute)
	for since, want := range map[time.Duration]time.Time{time.Minute: lookAt, time.Hour: start().Add(time.Hour)} {
		op := claimed()
		op.Status = operation.Parked
		next, _, err := op.Retried(operation.Cause{}, after(since))
		require.NoError(t, err)
		require.Equal(t, claim(), next.Claim)
		require.Equal(t, want, next.DueAt)
	}
}

func TestMergeFlags_KeepsFlagsOfOtherWriters(t *testing.T) {
	t.Parallel()
	for _, mine := range []bool{false, true} {
		for _, theirs := range []bool{false, true} {
			before, row := running(), running()
			before.CancelRequested, row.CancelRequested = mine, theirs
			before.Paused, row.Paused = mine, theirs
			merged := before.MergeFlags(before, row)
			require.Equal(t, mine || theirs, merged.CancelRequested, "a cancel request is final")
			require.Equal(t, theirs, merged.Paused, "the row decides about a pause")
		}
	}
}

// A save of a clean-up that failed is repeated with the flags that it dropped.
func TestMergeFlags_BringsBackNoFlagThatWasDropped(t *testing.T) {
	t.Parallel()
	before := running()
	before.Paused, before.CancelRequested = true, true
	in := after(time.Hour)
	in.OnFailure, in.CleanUpTime = "clean-up", time.Hour
	cleaning, _ := before.TimedOut(in)
	require.False(t, cleaning.Paused)
	merged := cleaning.MergeFlags(before, before)
	require.False(t, merged.Paused)
	require.False(t, merged.CancelRequested)
	again := before
	again.Paused, again.CancelRequested = false, false
	resumed := again
	resumed.Paused = true
	require.True(t, cleaning.MergeFlags(again, resumed).Paused, "a pause of another writer meanwhile counts")
}
