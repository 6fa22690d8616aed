package operation_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

func TestAnswered_FollowsItsOutcome(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		step     string
		out      operation.Outcome
		status   operation.Status
		wantStep string
		wait     time.Duration
	}{
		"advance goes to the following step":     {"trigger", operation.Outcome{Kind: operation.Advance}, operation.Running, "await", time.Minute},
		"advance goes to the step it names":      {"trigger", operation.Outcome{Kind: operation.Advance, Next: "confirm"}, operation.Running, "confirm", time.Minute},
		"advance may go back by name":            {"await", operation.Outcome{Kind: operation.Advance, Next: "find"}, operation.Running, "find", time.Minute},
		"advance at once":                        {"trigger", operation.Outcome{Kind: operation.Advance, Pace: operation.PaceNow}, operation.Running, "await", 0},
		"advance after Azure's Retry-After":      {"trigger", operation.Outcome{Kind: operation.Advance, Pace: operation.PaceNow, After: 10 * time.Second}, operation.Running, "await", 10 * time.Second},
		"advance after the last step is the end": {"confirm", operation.Outcome{Kind: operation.Advance}, operation.Succeeded, "confirm", 0},
		"the last step's warnings are kept":      {"confirm", operation.Outcome{Kind: operation.Advance, Warnings: []string{"w"}}, operation.SucceededWithWarnings, "confirm", 0},
		"wait stays":                             {"await", operation.Outcome{Kind: operation.Wait}, operation.Running, "await", time.Minute},
		"wait stays for Azure's Retry-After":     {"await", operation.Outcome{Kind: operation.Wait, After: 7 * time.Minute}, operation.Running, "await", 7 * time.Minute},
		"wait for hours where Azure says hours":  {"await", operation.Outcome{Kind: operation.Wait, After: 5 * time.Hour}, operation.Running, "await", 5 * time.Hour},
		"a Retry-After of years is capped":       {"await", operation.Outcome{Kind: operation.Wait, After: 20000 * time.Hour}, operation.Running, "await", 24 * time.Hour},
		"finish ends it wherever it is":          {"find", operation.Outcome{Kind: operation.Finish}, operation.Succeeded, "find", 0},
		"finish with a warning":                  {"find", operation.Outcome{Kind: operation.Finish, Warnings: []string{"w"}}, operation.SucceededWithWarnings, "find", 0},
		"stop ends it as canceled":               {"await", operation.Outcome{Kind: operation.Stop}, operation.Canceled, "await", 0},
		"unclear waits for an operator":          {"trigger", operation.Outcome{Kind: operation.Unclear, Err: failure(operation.UserAction)}, operation.Parked, "trigger", 0},
		"back goes to the step it names":         {"await", operation.Outcome{Kind: operation.Back, Next: "trigger", Err: failure(operation.Transient)}, operation.Running, "trigger", 30 * time.Second},
		"back for an error that is not retried":  {"await", operation.Outcome{Kind: operation.Back, Next: "trigger", Err: failure(operation.Fatal)}, operation.Failed, "await", 0},
		"an unknown kind waits for an operator":  {"await", operation.Outcome{}, operation.Parked, "await", 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			op, in := claimed(), after(0)
			op.Step = c.step
			next, ev := op.Answered(plan(), c.out, in)
			requireSaved(t, op, next, ev, in)
			require.Equal(t, c.status, next.Status)
			require.Equal(t, c.wantStep, next.Step)
			require.Nil(t, next.Claim, "an answer clears the claim")
			if next.Status == operation.Running {
				require.Equal(t, c.wait, wait(next, in))
				return
			}
			require.Zero(t, next.DueAt, "an ended operation has no due time")
			require.Equal(t, next.Status.Terminal(), next.EndedAt.Equal(in.Now))
		})
	}
}

func TestAnswered_WaitsForJobATenthOfItsAgeWithinLimits(t *testing.T) {
	t.Parallel()
	for age, want := range map[time.Duration]time.Duration{
		0:                30 * time.Second,
		4 * time.Minute:  30 * time.Second,
		5 * time.Minute:  30 * time.Second,
		20 * time.Minute: 2 * time.Minute,
		time.Hour:        6 * time.Minute,
		100 * time.Hour:  10 * time.Minute,
	} {
		in := after(age)
		next, _ := running().Answered(plan(), operation.Outcome{Kind: operation.Wait, Pace: operation.PaceJob}, in)
		require.Equal(t, want, wait(next, in), "a job of age %s", age)
		require.Equal(t, start(), next.StepStartedAt, "waiting keeps the step's start time")
	}
}

func TestAnswered_StartsNextStepNow(t *testing.T) {
	t.Parallel()
	in := after(time.Hour)
	next, _ := running().Answered(plan(), operation.Outcome{Kind: operation.Advance}, in)
	require.Equal(t, in.Now, next.StepStartedAt)

	next, _ = running().Answered(plan(), operation.Outcome{Kind: operation.Advance, Next: "trigger"}, in)
	require.Equal(t, start(), next.StepStartedAt, "a step that repeats keeps its start time")
}

func TestDueAt_IsNeverAfterTheDeadline(t *testing.T) {
	t.Parallel()
	throttled := failure(operation.Throttled)
	throttled.RetryAfter = 6 * time.Hour
	for name, do := range map[string]func(operation.Operation, operation.Input) (operation.Operation, operation.Event){
		"waiting": func(op operation.Operation, in operation.Input) (operation.Operation, operation.Event) {
			return op.Answered(plan(), operation.Outcome{Kind: operation.Wait, After: 6 * time.Hour}, in)
		},
		"throttled": func(op operation.Operation, in operation.Input) (operation.Operation, operation.Event) {
			return op.StepFailed(throttled, in)
		},
		"going back": func(op operation.Operation, in operation.Input) (operation.Operation, operation.Event) {
			return op.Answered(plan(), operation.Outcome{Kind: operation.Back, Next: "find", Err: throttled}, in)
		},
	} {
		op := running()
		op.Deadline = start().Add(2 * time.Hour)
		next, _ := do(op, after(time.Hour))
		require.Equal(t, op.Deadline, next.DueAt, name)

		// After the deadline a late answer keeps its own pace. The next check
		// ends the operation.
		next, _ = do(op, after(3*time.Hour))
		require.Equal(t, start().Add(9*time.Hour), next.DueAt, name)
	}
}

func TestAnswered_ResetsFailures(t *testing.T) {
	t.Parallel()
	for _, kind := range []operation.Kind{operation.Advance, operation.Wait, operation.Finish} {
		op := running()
		op.Attempts, op.LastError = 5, failure(operation.Transient)
		next, _ := op.Answered(plan(), operation.Outcome{Kind: kind}, after(0))
		require.Zero(t, next.Attempts, string(kind))
		require.Nil(t, next.LastError, string(kind))
	}
}

func TestAnswered_StoresWhatItLearned(t *testing.T) {
	t.Parallel()
	followed := operation.Tracking{StatusURL: "https://status", JobID: "j1"}
	op := running()
	op.Tracking = &operation.Tracking{StatusURL: "https://old"}
	op.Warnings = []string{"first"}

	t.Run("facts are added, changed and removed", func(t *testing.T) {
		t.Parallel()
		next, _ := op.Answered(plan(), operation.Outcome{Kind: operation.Wait, Learned: map[string]string{"item": "i2", "container": "", "job": "j1"}}, after(0))
		require.Equal(t, map[string]string{"item": "i2", "job": "j1"}, next.Learned)
	})
	t.Run("an operation without facts learns", func(t *testing.T) {
		t.Parallel()
		ignorant := op
		ignorant.Learned = nil
		next, _ := ignorant.Answered(plan(), operation.Outcome{Kind: operation.Wait, Learned: map[string]string{"job": "j1"}}, after(0))
		require.Equal(t, map[string]string{"job": "j1"}, next.Learned)
	})
	t.Run("an answer without tracking keeps it", func(t *testing.T) {
		t.Parallel()
		next, _ := op.Answered(plan(), operation.Outcome{Kind: operation.Wait}, after(0))
		require.Equal(t, op.Tracking, next.Tracking)
	})
	t.Run("another tracking replaces it", func(t *testing.T) {
		t.Parallel()
		given := followed
		next, _ := op.Answered(plan(), operation.Outcome{Kind: operation.Wait, Tracking: &given}, after(0))
		given.JobID = "changed later"
		require.Equal(t, &followed, next.Tracking)
	})
	t.Run("an empty tracking removes it", func(t *testing.T) {
		t.Parallel()
		next, _ := op.Answered(plan(), operation.Outcome{Kind: operation.Advance, Tracking: &operation.Tracking{}}, after(0))
		require.Nil(t, next.Tracking)
	})
	t.Run("warnings of all steps end it as SucceededWithWarnings", func(t *testing.T) {
		t.Parallel()
		next, _ := op.Answered(plan(), operation.Outcome{Kind: operation.Finish, Warnings: []string{"second"}}, after(0))
		require.Equal(t, []string{"first", "second"}, next.Warnings)
		require.Equal(t, operation.SucceededWithWarnings, next.Status)
	})
	t.Run("the note becomes WaitingFor", func(t *testing.T) {
		t.Parallel()
		next, ev := op.Answered(plan(), operation.Outcome{Kind: operation.Wait, Note: "Backup job j1 (InProgress)"}, after(0))
		require.Equal(t, "Backup job j1 (InProgress)", next.WaitingFor)
		require.Equal(t, "waiting: Backup job j1 (InProgress)", ev.What)
	})
}

func TestBack_IsLimitedByTheErrorClass(t *testing.T) {
	t.Parallel()
	for class, bound := range map[operation.Class]int{
		operation.Transient: 3, operation.NotYet: 12, operation.Conflict: 48,
		operation.UserAction: 5, operation.Fatal: 0, "": 0,
	} {
		t.Run("class "+string(class), func(t *testing.T) {
			t.Parallel()
			op := running()
			op.Tracking = &operation.Tracking{JobID: "j1"}
			backs := 0
			for ; op.Status == operation.Running; backs++ {
				op.Step, op.Tracking = "await", &operation.Tracking{JobID: "j1"}
				op, _ = op.Answered(plan(), operation.Outcome{Kind: operation.Back, Next: "trigger", Err: failure(class)}, after(0))
				if op.Status == operation.Running {
					require.Equal(t, "trigger", op.Step)
					require.Nil(t, op.Tracking, "tracking of failed work is removed")
					require.Equal(t, failure(class), op.LastError)
				}
			}
			require.Equal(t, bound+1, backs)
			require.Equal(t, operation.Failed, op.Status)
			require.Equal(t, failure(class), op.LastError)
			require.Equal(t, "j1", op.Tracking.JobID, "a failed operation keeps its failed job")
		})
	}
}

func TestBack_HonorsRetryAfterAndBacksOff(t *testing.T) {
	t.Parallel()
	op, in := running(), after(0)
	for _, want := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute} {
		op, _ = op.Answered(plan(), operation.Outcome{Kind: operation.Back, Next: "trigger", Err: failure(operation.Transient)}, in)
		require.Equal(t, want, wait(op, in))
	}
	asked := failure(operation.Conflict)
	asked.RetryAfter = 3 * time.Hour
	op, _ = running().Answered(plan(), operation.Outcome{Kind: operation.Back, Next: "trigger", Err: asked}, in)
	require.Equal(t, 3*time.Hour, wait(op, in))
}

func TestAnswered_OutcomeWithoutReasonLosesNothing(t *testing.T) {
	t.Parallel()
	for kind, want := range map[operation.Kind]operation.Status{operation.Back: operation.Failed, operation.Unclear: operation.Parked} {
		op := running()
		next, ev := op.Answered(plan(), operation.Outcome{Kind: kind, Next: "find"}, after(0))
		requireSaved(t, op, next, ev, after(0))
		require.Equal(t, want, next.Status, string(kind))
		require.Equal(t, "NoReason", next.LastError.Code, string(kind))
	}
}

func TestWaitsAsBefore_OnlyIfTheCheckFoundNothingNew(t *testing.T) {
	t.Parallel()
	wait := func(note string) operation.Outcome { return operation.Outcome{Kind: operation.Wait, Note: note} }
	before, _ := running().Answered(plan(), wait("job j1 (InProgress)"), after(time.Minute))
	same, _ := before.Answered(plan(), wait("job j1 (InProgress)"), after(2*time.Minute))
	require.True(t, same.WaitsAsBefore(before))

	further, _ := before.Answered(plan(), wait("job j1 (InProgress), 63 %"), after(2*time.Minute))
	failed, _ := before.StepFailed(failure(operation.Throttled), after(2*time.Minute))
	recovered, _ := failed.Answered(plan(), wait("job j1 (InProgress)"), after(3*time.Minute))
	warned := same
	warned.Warnings = []string{"job was started again"}
	ended, _ := before.Answered(plan(), operation.Outcome{Kind: operation.Finish}, after(2*time.Minute))
	advanced, _ := before.Answered(plan(), operation.Outcome{Kind: operation.Advance, Note: "job j1 (InProgress)"}, after(2*time.Minute))
	canceled := same
	canceled.CancelRequested = true
	for name, next := range map[string]operation.Operation{
		"progress": further, "an error": failed, "a warning": warned, "the end": ended, "the next step": advanced, "a cancel": canceled,
	} {
		require.False(t, next.WaitsAsBefore(before), name)
	}
	require.False(t, recovered.WaitsAsBefore(failed), "the answer after an error")
	require.False(t, before.WaitsAsBefore(running()), "the first wait")
}
