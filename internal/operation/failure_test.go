package operation_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

// cleaning returns the input of a step that cleans up after a failure.
func cleaning(d time.Duration) operation.Input {
	in := after(d)
	in.OnFailure, in.CleanUpTime = "confirm", 48*time.Hour
	return in
}

// Whatever would end an operation unsuccessfully continues with the clean-up.
func TestFailure_ContinuesWithTheCleanUp(t *testing.T) {
	t.Parallel()
	canceled := operation.Cause{Actor: operation.Actor{Kind: operation.ActorUser, ID: "anna"}, Reason: "wrong share"}
	fatal := failure(operation.Fatal)
	for name, c := range map[string]struct {
		do     func(operation.Operation, operation.Input) (operation.Operation, operation.Event)
		status operation.Status
		err    *operation.Error
		cause  operation.Cause
		claim  *operation.Claim
	}{
		"a fatal error": {func(o operation.Operation, in operation.Input) (operation.Operation, operation.Event) {
			return o.StepFailed(fatal, in)
		}, operation.Failed, fatal, operation.Cause{}, nil},
		"work that failed": {func(o operation.Operation, in operation.Input) (operation.Operation, operation.Event) {
			return o.Answered(plan(), operation.Outcome{Kind: operation.Fail, Next: "find", Err: fatal}, in)
		}, operation.Failed, fatal, operation.Cause{}, nil},
		"a canceled job": {func(o operation.Operation, in operation.Input) (operation.Operation, operation.Event) {
			return o.Answered(plan(), operation.Outcome{Kind: operation.Stop}, in)
		}, operation.Canceled, nil, canceled, nil},
		"a cancel request": {operation.Operation.Canceled, operation.Canceled, nil, canceled, claim()},
		"the deadline":     {operation.Operation.TimedOut, operation.TimedOut, failure(operation.Transient), operation.Cause{}, claim()},
		"a row that is too large": {func(o operation.Operation, in operation.Input) (operation.Operation, operation.Event) {
			return o.RowTooLarge("65 KiB", false, in)
		}, operation.Failed, nil, operation.Cause{}, claim()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			op, in := running(), cleaning(time.Hour)
			op.Claim, op.Tracking = c.claim, &operation.Tracking{JobID: "j1"}
			op.CancelRequested, op.CancelCause, op.Paused, op.RetryStep = true, canceled, true, "find"
			op.LastError = failure(operation.Transient)
			op.Validation = &operation.Validation{Target: "place", Closes: in.Now.Add(time.Hour)}
			next, ev := c.do(op, in)
			require.Contains(t, ev.What, "cleaning up")
			require.Equal(t, operation.Running, next.Status)
			require.Equal(t, "confirm", next.Step)
			require.Equal(t, op.Seq+1, next.Seq)
			require.Equal(t, in.Now, next.DueAt)
			require.Equal(t, in.Now.Add(48*time.Hour), next.Deadline)
			require.Zero(t, next.EndedAt)
			require.False(t, next.CancelRequested || next.Paused, "the flags were for the work that ended")
			require.Nil(t, next.Claim)
			require.Empty(t, next.RetryStep)
			require.Equal(t, op.Tracking, next.Tracking, "the clean-up waits for the job")
			require.Equal(t, in.Now, next.Validation.Closes, "no answer is accepted any more")
			require.Len(t, next.Failures, 1)
			got := next.Failures[0]
			require.Equal(t, []any{c.status, "trigger", in.Now, c.cause, c.claim}, []any{got.Status, got.Step, got.At, got.Cause, got.Claim})
			if c.err != nil {
				require.Equal(t, c.err, got.Err)
			}
			require.Equal(t, got.Err == nil, c.status == operation.Canceled)
		})
	}
}

func TestFailure_OfAParkedOperationThatIsCanceledIsCleanedUp(t *testing.T) {
	t.Parallel()
	op := running()
	op.Status = operation.Parked
	next, _ := op.Canceled(cleaning(time.Hour))
	require.Equal(t, operation.Running, next.Status)
	require.Equal(t, operation.Canceled, next.Failures[0].Status)
}

// A step that fails again has one entry, and none after it is retried.
func TestFailure_OfOneStepIsKeptOnce(t *testing.T) {
	t.Parallel()
	op := running()
	op.Failures = []operation.Failure{{Step: "find", Status: operation.Failed}, {Step: "trigger", Status: operation.TimedOut}}
	next, _ := op.StepFailed(failure(operation.Fatal), cleaning(time.Hour))
	require.Len(t, next.Failures, 2)
	require.Equal(t, operation.Failed, next.Failures[1].Status)
	require.Equal(t, operation.TimedOut, op.Failures[1].Status, "the first version does not change")

	parked, _ := next.Answered(plan(), operation.Outcome{Kind: operation.Unclear, Next: "trigger", Err: failure(operation.UserAction)}, after(2*time.Hour))
	require.Equal(t, operation.Parked, parked.Status)
	retried, _, err := parked.Retried(operation.Cause{}, after(3*time.Hour))
	require.NoError(t, err)
	require.Equal(t, "trigger", retried.Step)
	require.Equal(t, []operation.Failure{{Step: "find", Status: operation.Failed}}, retried.Failures)
}

func TestAnswered_UncancelDropsAnEarlierCancelRequest(t *testing.T) {
	t.Parallel()
	op := running()
	op.CancelRequested, op.CancelCause = true, operation.Cause{Reason: "earlier"}
	next, _ := op.Answered(plan(), operation.Outcome{Kind: operation.Unclear, Uncancel: true}, after(time.Hour))
	require.Equal(t, operation.Parked, next.Status)
	require.False(t, next.CancelRequested)
	require.Zero(t, next.CancelCause)
}

func TestAnswered_MovesTheDeadlineAndOpensAValidation(t *testing.T) {
	t.Parallel()
	asked := &operation.Validation{Target: "place", Closes: start().Add(time.Hour)}
	next, _ := running().Answered(plan(), operation.Outcome{Kind: operation.Advance, Within: time.Hour, Validation: asked}, after(time.Minute))
	require.Equal(t, start().Add(time.Hour+time.Minute), next.Deadline)
	require.Equal(t, asked, next.Validation)
}

// validated returns an operation that waits for a validation until an hour after
// its start.
func validated() operation.Operation {
	op := running()
	op.Validation = &operation.Validation{Target: "place", Opened: start(), Closes: start().Add(time.Hour)}
	return op
}

func TestValidate_SavesTheFirstAnswer(t *testing.T) {
	t.Parallel()
	by := operation.Actor{Kind: operation.ActorApp, ID: "validator"}
	answer := operation.ValidationAnswer{Result: operation.ValidationSuccessful, Text: "312 tables", By: by}
	in := after(time.Minute)
	next, ev, save, err := validated().Validate(answer, "place", in)
	require.NoError(t, err)
	require.True(t, save)
	require.Equal(t, "validated as Successful: 312 tables by app validator", ev.What)
	require.Equal(t, int64(7), next.Seq, "another writer's delivery continues at this seq")
	answer.At = in.Now
	require.Equal(t, answer, *next.Validation.Answer)
	raw, err := json.Marshal(next)
	require.NoError(t, err)
	var stored operation.Operation
	require.NoError(t, json.Unmarshal(raw, &stored))
	require.Equal(t, next.Validation, stored.Validation)

	again, _, save, err := next.Validate(operation.ValidationAnswer{Result: answer.Result, Text: answer.Text, By: by}, "", after(2*time.Hour))
	require.NoError(t, err, "a sender that lost the reply sends it again")
	require.False(t, save)
	require.Equal(t, next, again)
}

func TestValidate_RejectsEveryOtherAnswer(t *testing.T) {
	t.Parallel()
	answered, _, _, err := validated().Validate(operation.ValidationAnswer{Result: operation.ValidationSuccessful}, "", after(time.Minute))
	require.NoError(t, err)
	ended := validated()
	ended.Status = operation.Canceled
	for name, c := range map[string]struct {
		op     operation.Operation
		target string
		after  time.Duration
		want   error
	}{
		"not a drill, or not yet":    {running(), "", time.Minute, operation.ErrNoValidation},
		"another drill":              {validated(), "elsewhere", time.Minute, operation.ErrOtherTarget},
		"when the window closes":     {validated(), "", time.Hour, operation.ErrWindowClosed},
		"after the end":              {ended, "", time.Minute, operation.ErrWindowClosed},
		"a second, different answer": {answered, "", 2 * time.Minute, operation.ErrAnswered},
	} {
		_, _, save, err := c.op.Validate(operation.ValidationAnswer{Result: operation.ValidationFailed}, c.target, after(c.after))
		require.ErrorIs(t, err, c.want, name)
		require.False(t, save, name)
	}
	_, _, save, err := validated().Validate(operation.ValidationAnswer{Result: operation.ValidationFailed}, "", after(time.Hour-time.Nanosecond))
	require.NoError(t, err)
	require.True(t, save)
}

// The IDs of Azure ignore case.
func TestValidate_AcceptsItsTargetInAnotherForm(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"Place", "place/", "PLACE/"} {
		_, _, save, err := validated().Validate(operation.ValidationAnswer{Result: operation.ValidationSuccessful}, target, after(time.Minute))
		require.NoError(t, err, target)
		require.True(t, save, target)
	}
}

// A delivery that moves the operation on keeps the answer that arrived meanwhile.
func TestMergeFlags_KeepsTheAnswerOfAValidator(t *testing.T) {
	t.Parallel()
	row, _, _, err := validated().Validate(operation.ValidationAnswer{Result: operation.ValidationFailed}, "", after(time.Minute))
	require.NoError(t, err)
	moved, _ := validated().Answered(plan(), operation.Outcome{Kind: operation.Advance}, after(2*time.Hour))
	require.Equal(t, row.Validation, moved.MergeFlags(validated(), row).Validation)
	require.Nil(t, running().MergeFlags(running(), row).Validation)

	// The operation does not wait until the window closes.
	waiting, _ := validated().Answered(plan(), operation.Outcome{Kind: operation.Wait, After: 24 * time.Hour}, after(2*time.Minute))
	require.True(t, waiting.DueAt.After(after(time.Hour).Now))
	require.Equal(t, row.Validation.Answer.At, waiting.MergeFlags(validated(), row).DueAt)
}
