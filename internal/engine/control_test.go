package engine_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// waiting returns a rig whose operation checks its job once an hour.
func waiting(t *testing.T) (*rig, string) {
	t.Helper()
	r := newRig(t)
	for range 3 {
		r.azure.on("await", returns(operation.Outcome{Kind: operation.Wait, After: time.Hour}))
	}
	id := r.start()
	r.until(id, "await")
	r.step()
	return r, id
}

func TestCancel_WakesTheOperationNow(t *testing.T) {
	t.Parallel()
	r, id := waiting(t)
	op, err := r.engine.Cancel(r.ctx(), id, operation.Cause{})
	require.NoError(t, err)
	require.True(t, op.CancelRequested)
	require.Equal(t, r.operation(id), op)
	r.step()
	op = r.operation(id)
	require.Equal(t, operation.Canceled, op.Status)
	require.Equal(t, r.clock.Now(), op.EndedAt)
	require.Equal(t, []string{"canceled; work that Azure has already begun continues"}, op.Warnings)
	require.Len(t, r.azure.made("await"), 1)
	r.finish()
	require.Empty(t, r.live())
}

func TestCancel_FlowMayCancelWorkInAzure(t *testing.T) {
	t.Parallel()
	stoppable := func(a *azure) step.Flow {
		f := demo(a)
		f.Steps[4].OnCancel = "stop"
		f.Steps = append(f.Steps, step.Step{Name: "stop", Effect: step.Repeatable, OnCancel: "stop", Run: a.does("stop", returns(operation.Outcome{Kind: operation.Stop, Note: "job canceled"}))})
		return f
	}
	r := newRig(t, stoppable)
	r.azure.on("await", returns(operation.Outcome{Kind: operation.Wait, After: time.Hour}))
	r.azure.on("stop", fails(errUnavailable), returns(operation.Outcome{Kind: operation.Wait}))
	id := r.start()
	r.until(id, "await")
	r.step()
	require.NoError(t, second(r.engine.Cancel(r.ctx(), id, operation.Cause{})))
	r.finish()
	require.Equal(t, operation.Canceled, r.operation(id).Status)
	require.Len(t, r.azure.made("await"), 1)
	require.Len(t, r.azure.made("stop"), 3, "a cancellation runs like any other step")
	require.Contains(t, r.history(id), "10 Canceled stop: canceled: job canceled")
}

func TestCancel_IsIdempotentAndIgnoresEndedOperations(t *testing.T) {
	t.Parallel()
	r, id := waiting(t)
	require.NoError(t, second(r.engine.Cancel(r.ctx(), id, operation.Cause{})))
	saves := r.store.calls("save")
	require.NoError(t, second(r.engine.Cancel(r.ctx(), id, operation.Cause{})))
	require.Equal(t, saves, r.store.calls("save"))
	r.finish()

	ended := r.operation(id)
	op, err := r.engine.Cancel(r.ctx(), id, operation.Cause{})
	require.NoError(t, err)
	require.Equal(t, ended, op)
	for _, command := range []func(context.Context, string, operation.Cause) (operation.Operation, error){r.engine.Pause, r.engine.Resume} {
		require.ErrorIs(t, second(command(r.ctx(), id, operation.Cause{})), engine.ErrEnded)
	}
	require.Equal(t, ended, r.operation(id))
	require.Empty(t, r.queue.Waiting())
}

func TestCancel_RepeatSendsAMessageThatWasLost(t *testing.T) {
	t.Parallel()
	r, id := waiting(t)
	r.bus.on("send", unavailable())
	require.ErrorIs(t, second(r.engine.Cancel(r.ctx(), id, operation.Cause{})), errUnavailable)
	require.NoError(t, second(r.engine.Cancel(r.ctx(), id, operation.Cause{})))
	before := r.clock.Now()
	r.step()
	require.Equal(t, operation.Canceled, r.operation(id).Status)
	require.Equal(t, before, r.clock.Now())
}

func TestControl_ReportsUnknownOperation(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, command := range []func(context.Context, string, operation.Cause) (operation.Operation, error){r.engine.Cancel, r.engine.Pause, r.engine.Resume, r.engine.Retry} {
		err := second(command(r.ctx(), "gone", operation.Cause{}))
		require.ErrorIs(t, err, engine.ErrNotFound)
		require.LessOrEqual(t, strings.Count(err.Error(), "operation gone"), 1, "no layer repeats the other: %v", err)
	}
}

func TestPause_StopsCallsUntilResume(t *testing.T) {
	t.Parallel()
	r, id := waiting(t)
	due := r.operation(id).DueAt
	op, err := r.engine.Pause(r.ctx(), id, operation.Cause{})
	require.NoError(t, err)
	require.True(t, op.Paused)
	r.finish()
	r.clock.Advance(3 * time.Hour)
	swept, err := r.engine.Sweep(r.ctx())
	require.NoError(t, err)
	require.Equal(t, engine.SweepResult{Live: 1}, swept)
	require.Len(t, r.azure.made("await"), 1)

	require.NoError(t, second(r.engine.Resume(r.ctx(), id, operation.Cause{})))
	require.Greater(t, r.clock.Now(), due)
	require.Equal(t, r.clock.Now(), r.queue.Waiting()[0].Due)
	r.finish()
	r.requireSucceeded(id)
}

func TestResume_KeepsTheDueTime(t *testing.T) {
	t.Parallel()
	r, id := waiting(t)
	due := r.operation(id).DueAt
	require.NoError(t, second(r.engine.Pause(r.ctx(), id, operation.Cause{})))
	require.NoError(t, second(r.engine.Resume(r.ctx(), id, operation.Cause{})))
	for _, m := range r.queue.Waiting() {
		require.Equal(t, due, m.Due)
	}
	require.Len(t, r.queue.Waiting(), 2)
	require.NoError(t, second(r.engine.Resume(r.ctx(), id, operation.Cause{})))
	require.Len(t, r.queue.Waiting(), 3)
	require.NotEqual(t, r.queue.Waiting()[1].ID, r.queue.Waiting()[2].ID, "duplicate detection would drop it")
	r.finish()
	r.requireSucceeded(id)
	require.Len(t, r.azure.made("await"), 4, "a later delivery finds the work done")
}

func TestPause_AllowsCancelAndTimeout(t *testing.T) {
	t.Parallel()
	r, id := waiting(t)
	require.NoError(t, second(r.engine.Pause(r.ctx(), id, operation.Cause{})))
	require.NoError(t, second(r.engine.Cancel(r.ctx(), id, operation.Cause{})))
	r.finish()
	require.Equal(t, operation.Canceled, r.operation(id).Status)

	r, id = waiting(t)
	require.NoError(t, second(r.engine.Pause(r.ctx(), id, operation.Cause{})))
	r.operate(25 * time.Hour)
	require.Equal(t, operation.TimedOut, r.operation(id).Status)
	require.Len(t, r.azure.made("await"), 1)
}

func TestDeadline_EndsTheOperationWithEverythingKnown(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	request := demoRequest()
	request.Deadline = "PT90M"
	for range 5 {
		r.azure.on("await", returns(operation.Outcome{Kind: operation.Wait, After: time.Hour, Note: "job j1 (InProgress)"}))
	}
	op, _, err := r.engine.Start(r.ctx(), request, engine.Origin{})
	require.NoError(t, err)
	r.finish()
	op = r.operation(op.ID)
	require.Equal(t, operation.TimedOut, op.Status)
	require.Equal(t, morning().Add(90*time.Minute), op.EndedAt, "the last wait ends at the deadline")
	require.Equal(t, "DeadlinePassed", op.LastError.Code)
	require.Contains(t, op.LastError.Message, "job j1 (InProgress)")
	require.Equal(t, "https://signed", op.Tracking.StatusURL)
	require.Empty(t, r.live())
}

// failed returns a rig whose operation has failed at a step in the middle.
func failed(t *testing.T) (*rig, string) {
	t.Helper()
	r := newRig(t)
	r.azure.on("protect", fails(&operation.Error{Code: "Denied", Class: operation.Fatal}))
	id := r.start()
	r.finish()
	require.Equal(t, operation.Failed, r.operation(id).Status)
	require.Empty(t, r.live())
	return r, id
}

func TestRetry_ContinuesAtTheStepWhereItStopped(t *testing.T) {
	t.Parallel()
	r, id := failed(t)
	r.clock.Advance(30 * time.Hour)
	op, err := r.engine.Retry(r.ctx(), id, operation.Cause{})
	require.NoError(t, err)
	require.Equal(t, operation.Running, op.Status)
	require.Equal(t, r.clock.Now().Add(24*time.Hour), op.Deadline)
	require.Equal(t, []string{id}, r.live(), "the sweep sees it again")
	r.finish()
	r.requireSucceeded(id)
	require.Len(t, r.azure.made("find"), 1)
	require.Len(t, r.azure.made("protect"), 2)
}

func TestRetry_RejectsOtherStatuses(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.start()
	require.ErrorIs(t, second(r.engine.Retry(r.ctx(), id, operation.Cause{})), engine.ErrNotRetriable)
	r.finish()
	err := second(r.engine.Retry(r.ctx(), id, operation.Cause{}))
	require.ErrorIs(t, err, engine.ErrNotRetriable)
	require.ErrorContains(t, err, "Succeeded")
	require.Empty(t, r.queue.Waiting())
	require.Empty(t, r.live())
}

func TestRetry_RecognizesItsOwnSave(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]fault{
		"that was not answered":       lost(),
		"that conflicted with itself": {after: func() error { return engine.ErrConflict }},
		"that failed and is repeated": unavailable(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, id := failed(t)
			r.store.on("save", fault)
			op, err := r.engine.Retry(r.ctx(), id, operation.Cause{})
			require.NoError(t, err)
			require.Equal(t, r.operation(id), op)
			require.Equal(t, 1, op.Round)
			r.finish()
			r.requireSucceeded(id)
		})
	}
}

// The message of a retry may be lost after the save. The caller repeats the retry.
func TestRetry_RepeatedAfterAFailedSendSendsItsMessage(t *testing.T) {
	t.Parallel()
	r, id := failed(t)
	by := operation.Cause{Actor: operation.Actor{Kind: operation.ActorUser, ID: "u"}, Reason: "fixed"}
	r.bus.on("send", unavailable())
	require.ErrorIs(t, second(r.engine.Retry(r.ctx(), id, by)), errUnavailable)
	require.Empty(t, r.queue.Waiting())
	saved, history := r.operation(id), r.history(id)
	r.clock.Advance(time.Second)
	other := by
	other.Reason = "another"
	require.ErrorIs(t, second(r.engine.Retry(r.ctx(), id, other)), engine.ErrNotRetriable)

	for range 2 {
		op, err := r.engine.Retry(r.ctx(), id, by)
		require.NoError(t, err)
		require.Equal(t, saved, op)
	}
	require.Equal(t, saved, r.operation(id))
	require.Equal(t, history, r.history(id))
	waiting := r.queue.Waiting()
	require.Len(t, waiting, 2)
	require.Equal(t, waiting[0].ID, waiting[1].ID, "so that Service Bus drops the second message")
	r.step()
	require.ErrorIs(t, second(r.engine.Retry(r.ctx(), id, by)), engine.ErrNotRetriable, "a step ran since")
	r.finish()
	r.requireSucceeded(id)
}

func TestControl_ReportsUnavailableStorage(t *testing.T) {
	t.Parallel()
	r, id := failed(t)
	r.store.on("load", unavailable())
	require.ErrorIs(t, second(r.engine.Retry(r.ctx(), id, operation.Cause{})), errUnavailable)
	r.store.on("reopen", unavailable())
	require.ErrorIs(t, second(r.engine.Retry(r.ctx(), id, operation.Cause{})), errUnavailable)
	for range 10 {
		r.store.on("save", unavailable())
	}
	require.ErrorIs(t, second(r.engine.Retry(r.ctx(), id, operation.Cause{})), errUnavailable)
	require.Equal(t, operation.Failed, r.operation(id).Status)
	require.Empty(t, r.queue.Waiting())

	r.bus.on("send", unavailable())
	require.ErrorIs(t, second(r.engine.Retry(r.ctx(), id, operation.Cause{})), errUnavailable)
	r.operate(time.Hour)
	r.requireSucceeded(id)
}

func TestCancel_ChangesNoEndedOperation(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.start()
	r.finish()
	r.requireSucceeded(id)
	before, history := r.operation(id), r.history(id)

	canceled, err := r.engine.Cancel(r.ctx(), id, operation.Cause{})

	require.NoError(t, err)
	require.Equal(t, before, canceled)
	require.Equal(t, before, r.operation(id))
	require.Equal(t, history, r.history(id))
}
