package operation_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

func TestStepFailed_RetriesByThePolicyOfTheClass(t *testing.T) {
	t.Parallel()
	const m = time.Minute
	cases := map[operation.Class]struct {
		// waits are those after the first failures; the last one repeats.
		waits  []time.Duration
		budget int
	}{
		operation.Transient:  {[]time.Duration{30 * time.Second, m, 2 * m, 4 * m, 8 * m, 10 * m}, 12},
		operation.NotYet:     {[]time.Duration{m, 2 * m, 4 * m, 5 * m}, 12},
		operation.Conflict:   {[]time.Duration{m, 2 * m, 4 * m, 8 * m, 10 * m}, 48},
		operation.UserAction: {[]time.Duration{5 * m, 10 * m}, 5},
		operation.Fatal:      {nil, 0},
		"Unheard":            {nil, 0},
		"":                   {nil, 0},
	}
	for class, c := range cases {
		t.Run("class "+string(class), func(t *testing.T) {
			t.Parallel()
			op, in := running(), after(0)
			for failures := 1; failures <= c.budget; failures++ {
				next, ev := op.StepFailed(failure(class), in)
				requireSaved(t, op, next, ev, in)
				require.Equal(t, operation.Running, next.Status, "failure %d", failures)
				require.Equal(t, "trigger", next.Step)
				require.Equal(t, failures, next.Attempts)
				require.Equal(t, failure(class), next.LastError)
				require.Equal(t, c.waits[min(failures, len(c.waits))-1], wait(next, in), "failure %d", failures)
				require.Contains(t, next.WaitingFor, "Some"+string(class))
				op, in = next, after(next.DueAt.Sub(start()))
			}
			next, ev := op.StepFailed(failure(class), in)
			requireSaved(t, op, next, ev, in)
			require.Equal(t, operation.Failed, next.Status, "after %d failures in a row", c.budget+1)
			require.Equal(t, failure(class), next.LastError)
			require.Equal(t, in.Now, next.EndedAt)
			require.Zero(t, next.DueAt)
			require.Empty(t, next.WaitingFor)
		})
	}
}

func TestStepFailed_NeverCountsThrottling(t *testing.T) {
	t.Parallel()
	op := running()
	op.Attempts = 11
	for i := range 500 {
		in := after(time.Duration(i) * 10 * time.Minute / 10)
		next, ev := op.StepFailed(failure(operation.Throttled), in)
		requireSaved(t, op, next, ev, in)
		require.Equal(t, operation.Running, next.Status)
		require.Equal(t, 11, next.Attempts)
		require.GreaterOrEqual(t, wait(next, in), time.Minute)
		require.LessOrEqual(t, wait(next, in), 10*time.Minute)
		op = next
	}
}

func TestStepFailed_ThrottlingSlowsDownAsTheStepAges(t *testing.T) {
	t.Parallel()
	for age, want := range map[time.Duration]time.Duration{
		0:                time.Minute,
		10 * time.Minute: time.Minute,
		40 * time.Minute: 4 * time.Minute,
		30 * time.Hour:   10 * time.Minute,
	} {
		in := after(age)
		next, _ := running().StepFailed(failure(operation.Throttled), in)
		require.Equal(t, want, wait(next, in), "step of age %s", age)
	}
}

func TestStepFailed_WaitsAtLeastRetryAfter(t *testing.T) {
	t.Parallel()
	follow := map[string]func(operation.Operation, *operation.Error, operation.Input) (operation.Operation, operation.Event){
		"a failed step":           operation.Operation.StepFailed,
		"a failed reconciliation": operation.Operation.ReconcileFailed,
		"going back": func(op operation.Operation, err *operation.Error, in operation.Input) (operation.Operation, operation.Event) {
			return op.Answered(plan(), operation.Outcome{Kind: operation.Back, Next: "find", Err: err}, in)
		},
		"waiting": func(op operation.Operation, err *operation.Error, in operation.Input) (operation.Operation, operation.Event) {
			return op.Answered(plan(), operation.Outcome{Kind: operation.Wait, After: err.RetryAfter}, in)
		},
		"going on": func(op operation.Operation, err *operation.Error, in operation.Input) (operation.Operation, operation.Event) {
			return op.Answered(plan(), operation.Outcome{Kind: operation.Advance, Pace: operation.PaceNow, After: err.RetryAfter}, in)
		},
	}
	classes := []operation.Class{operation.Throttled, operation.Transient, operation.NotYet, operation.Conflict, operation.UserAction}
	for name, do := range follow {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, class := range classes {
				for _, asked := range []time.Duration{time.Second, 10 * time.Second, 324 * time.Second, 10 * time.Minute, 5 * time.Hour} {
					for _, later := range []time.Duration{0, time.Millisecond, time.Minute} {
						err, in := failure(class), after(0)
						err.RetryAfter, in.Spread = asked, func(due time.Time) time.Time { return due.Add(later) }
						next, _ := do(running(), err, in)
						require.Equal(t, asked+later, wait(next, in), "%s, Retry-After %s, spread by %s", class, asked, later)
					}
				}
			}
		})
	}
}

func TestStepFailed_SpreadsBackoffAndNeverAnImmediateStep(t *testing.T) {
	t.Parallel()
	in := after(0)
	in.Spread = func(due time.Time) time.Time { return due.Add(time.Millisecond) }
	next, _ := running().StepFailed(failure(operation.Transient), in)
	require.Equal(t, 30*time.Second+time.Millisecond, wait(next, in))
	next, _ = running().Answered(plan(), operation.Outcome{Kind: operation.Wait}, in)
	require.Equal(t, time.Minute+time.Millisecond, wait(next, in))
	next, _ = running().Answered(plan(), operation.Outcome{Kind: operation.Advance, Pace: operation.PaceNow}, in)
	require.Zero(t, wait(next, in))
}

func TestStepFailed_AmbiguousFailureKeepsTheClaim(t *testing.T) {
	t.Parallel()
	for _, class := range []operation.Class{operation.Transient, operation.Fatal, operation.Conflict} {
		op, in := claimed(), after(10*time.Second)
		err := failure(class)
		err.Ambiguous = true
		next, ev := op.StepFailed(err, in)
		requireSaved(t, op, next, ev, in)
		require.Equal(t, operation.Running, next.Status, "a %s error that may have had an effect fails nothing", class)
		require.Equal(t, claim(), next.Claim)
		require.Equal(t, 1, next.Attempts)
		require.Equal(t, claim().NotAfter.Add(5*time.Minute), next.DueAt)
		require.Equal(t, err, next.LastError)
	}
}

func TestStepFailed_ReconcilesEvenAfterTheDeadline(t *testing.T) {
	t.Parallel()
	op := claimed()
	op.Deadline = start().Add(time.Minute)
	err := failure(operation.Transient)
	err.Ambiguous = true
	next, _ := op.StepFailed(err, after(time.Second))
	require.Equal(t, claim().NotAfter.Add(5*time.Minute), next.DueAt)
}

func TestStepFailed_ReconcilesAfterRetryAfter(t *testing.T) {
	t.Parallel()
	op, in := claimed(), after(0)
	err := failure(operation.Transient)
	err.Ambiguous, err.RetryAfter = true, time.Hour
	next, _ := op.StepFailed(err, in)
	require.Equal(t, time.Hour, wait(next, in))
}

func TestStepFailed_RejectionClearsTheClaim(t *testing.T) {
	t.Parallel()
	for _, class := range []operation.Class{
		operation.Throttled, operation.Transient, operation.NotYet, operation.Conflict, operation.UserAction, operation.Fatal,
	} {
		next, _ := claimed().StepFailed(failure(class), after(0))
		require.Nil(t, next.Claim, string(class))
	}
}

func TestStepFailed_RepeatableCallIsRetriedWithoutAClaim(t *testing.T) {
	t.Parallel()
	err, in := failure(operation.Transient), after(0)
	err.Ambiguous = true
	next, _ := running().StepFailed(err, in)
	require.Equal(t, operation.Running, next.Status)
	require.Equal(t, 30*time.Second, wait(next, in))

	err = failure(operation.Fatal)
	err.Ambiguous = true
	next, _ = running().StepFailed(err, in)
	require.Equal(t, operation.Failed, next.Status)
}

func TestError_IsOneLine(t *testing.T) {
	t.Parallel()
	err := failure(operation.Transient)
	require.EqualError(t, err, "SomeTransient: it did not work")
	err.HTTPStatus = 503
	require.EqualError(t, err, "SomeTransient (HTTP 503): it did not work")
}

func TestBackoff_DoublesUpToItsMaximum(t *testing.T) {
	t.Parallel()
	p, ok := operation.Transient.RetryPolicy()
	require.True(t, ok)
	for failures, want := range map[int]time.Duration{0: 30 * time.Second, 1: 30 * time.Second, 2: time.Minute, 6: 10 * time.Minute, 1 << 30: 10 * time.Minute} {
		require.Equal(t, want, p.Backoff(failures), "%d failures", failures)
	}
	_, ok = operation.Fatal.RetryPolicy()
	require.False(t, ok)
}
