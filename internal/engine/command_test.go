package engine_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// waiting is a rig whose operation waits for a job, an hour at a time.
func waiting(t *testing.T) (*rig, string) {
	t.Helper()
	r := newRig(t)
	for range 3 {
		r.azure.on("await", says(operation.Outcome{Kind: operation.Wait, After: time.Hour}))
	}
	id := r.start()
	r.until(id, "await")
	r.step()
	return r, id
}

func TestA_cancel_wakes_its_operation_at_once(t *testing.T) {
	t.Parallel()
	r, id := waiting(t)
	op, err := r.engine.Cancel(r.ctx(), id)
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

func TestA_flow_may_cancel_what_Azure_has_begun(t *testing.T) {
	t.Parallel()
	stoppable := func(a *azure) step.Flow {
		f := demo(a)
		f.Steps[4].OnCancel = "stop"
		f.Steps = append(f.Steps, step.Step{Name: "stop", Effect: step.Repeatable, OnCancel: "stop", Run: a.does("stop", says(operation.Outcome{Kind: operation.Stop, Note: "job canceled"}))})
		return f
	}
	r := newRig(t, stoppable)
	r.azure.on("await", says(operation.Outcome{Kind: operation.Wait, After: time.Hour}))
	r.azure.on("stop", fails(errAway), says(operation.Outcome{Kind: operation.Wait}))
	id := r.start()
	r.until(id, "await")
	r.step()
	require.NoError(t, second(r.engine.Cancel(r.ctx(), id)))
	r.finish()
	require.Equal(t, operation.Canceled, r.operation(id).Status)
	require.Len(t, r.azure.made("await"), 1)
	require.Len(t, r.azure.made("stop"), 3, "a cancellation is carried out like any other step")
	require.Contains(t, r.history(id), "10 Canceled stop: canceled: job canceled")
}

func TestCanceling_twice_or_after_the_end_changes_nothing(t *testing.T) {
	t.Parallel()
	r, id := waiting(t)
	require.NoError(t, second(r.engine.Cancel(r.ctx(), id)))
	saves := r.store.calls("save")
	require.NoError(t, second(r.engine.Cancel(r.ctx(), id)))
	require.Equal(t, saves, r.store.calls("save"))
	r.finish()

	ended := r.operation(id)
	for _, command := range []func(context.Context, string) (operation.Operation, error){r.engine.Cancel, r.engine.Pause, r.engine.Resume} {
		op, err := command(r.ctx(), id)
		require.NoError(t, err)
		require.Equal(t, ended, op)
	}
	require.Equal(t, ended, r.operation(id))
	require.Empty(t, r.queue.Waiting())
}

func TestWhoever_died_between_flag_and_message_is_healed_by_asking_again(t *testing.T) {
	t.Parallel()
	r, id := waiting(t)
	r.bus.on("send", away())
	require.ErrorIs(t, second(r.engine.Cancel(r.ctx(), id)), errAway)
	require.NoError(t, second(r.engine.Cancel(r.ctx(), id)))
	before := r.clock.Now()
	r.step()
	require.Equal(t, operation.Canceled, r.operation(id).Status)
	require.Equal(t, before, r.clock.Now())
}

func TestA_command_for_an_operation_that_does_not_exist_says_so(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, command := range []func(context.Context, string) (operation.Operation, error){r.engine.Cancel, r.engine.Pause, r.engine.Resume, r.engine.Retry} {
		require.ErrorIs(t, second(command(r.ctx(), "gone")), engine.ErrNotFound)
	}
}

func TestA_paused_operation_makes_no_call_until_it_is_resumed(t *testing.T) {
	t.Parallel()
	r, id := waiting(t)
	due := r.operation(id).DueAt
	op, err := r.engine.Pause(r.ctx(), id)
	require.NoError(t, err)
	require.True(t, op.Paused)
	r.finish()
	r.clock.Advance(3 * time.Hour)
	swept, err := r.engine.Sweep(r.ctx())
	require.NoError(t, err)
	require.Equal(t, engine.SweepResult{Live: 1}, swept)
	require.Len(t, r.azure.made("await"), 1)

	require.NoError(t, second(r.engine.Resume(r.ctx(), id)))
	require.Greater(t, r.clock.Now(), due)
	require.Equal(t, r.clock.Now(), r.queue.Waiting()[0].Due)
	r.finish()
	r.requireSucceeded(id)
}

func TestAn_operation_that_is_resumed_early_still_waits_for_Azure(t *testing.T) {
	t.Parallel()
	r, id := waiting(t)
	due := r.operation(id).DueAt
	require.NoError(t, second(r.engine.Pause(r.ctx(), id)))
	require.NoError(t, second(r.engine.Resume(r.ctx(), id)))
	for _, m := range r.queue.Waiting() {
		require.Equal(t, due, m.Due)
	}
	require.Len(t, r.queue.Waiting(), 2)
	require.NoError(t, second(r.engine.Resume(r.ctx(), id)))
	require.Len(t, r.queue.Waiting(), 3)
	require.NotEqual(t, r.queue.Waiting()[1].ID, r.queue.Waiting()[2].ID, "duplicate detection would eat it")
	r.finish()
	r.requireSucceeded(id)
	require.Len(t, r.azure.made("await"), 4, "whoever comes later finds the work done")
}

func TestA_paused_operation_can_be_canceled_and_times_out(t *testing.T) {
	t.Parallel()
	r, id := waiting(t)
	require.NoError(t, second(r.engine.Pause(r.ctx(), id)))
	require.NoError(t, second(r.engine.Cancel(r.ctx(), id)))
	r.finish()
	require.Equal(t, operation.Canceled, r.operation(id).Status)

	r, id = waiting(t)
	require.NoError(t, second(r.engine.Pause(r.ctx(), id)))
	r.operate(25 * time.Hour)
	require.Equal(t, operation.TimedOut, r.operation(id).Status)
	require.Len(t, r.azure.made("await"), 1)
}

func TestAn_operation_ends_at_its_deadline_with_all_that_is_known(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	request := demoRequest()
	request.Deadline = "PT90M"
	for range 5 {
		r.azure.on("await", says(operation.Outcome{Kind: operation.Wait, After: time.Hour, Note: "job j1 (InProgress)"}))
	}
	op, _, err := r.engine.Start(r.ctx(), request, engine.Origin{})
	require.NoError(t, err)
	r.finish()
	op = r.operation(op.ID)
	require.Equal(t, operation.TimedOut, op.Status)
	require.Equal(t, morning().Add(90*time.Minute), op.EndedAt, "not later: the last wait is cut")
	require.Equal(t, "DeadlinePassed", op.LastError.Code)
	require.Contains(t, op.LastError.Message, "job j1 (InProgress)")
	require.Equal(t, "https://signed", op.Tracking.StatusURL)
	require.Empty(t, r.live())
}

// failed is a rig whose operation has failed at a step in the middle.
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

func TestA_retried_operation_goes_on_where_it_stopped(t *testing.T) {
	t.Parallel()
	r, id := failed(t)
	r.clock.Advance(30 * time.Hour)
	op, err := r.engine.Retry(r.ctx(), id)
	require.NoError(t, err)
	require.Equal(t, operation.Running, op.Status)
	require.Equal(t, r.clock.Now().Add(24*time.Hour), op.Deadline)
	require.Equal(t, []string{id}, r.live(), "it is in sight of the sweep again")
	r.finish()
	r.requireSucceeded(id)
	require.Len(t, r.azure.made("find"), 1)
	require.Len(t, r.azure.made("protect"), 2)
}

func TestOnly_what_failed_timed_out_or_was_parked_can_be_retried(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.start()
	require.ErrorIs(t, second(r.engine.Retry(r.ctx(), id)), engine.ErrNotRetriable)
	r.finish()
	err := second(r.engine.Retry(r.ctx(), id))
	require.ErrorIs(t, err, engine.ErrNotRetriable)
	require.ErrorContains(t, err, "Succeeded")
	require.Empty(t, r.queue.Waiting())
	require.Empty(t, r.live())
}

func TestA_retry_recognises_its_own_save(t *testing.T) {
	t.Parallel()
	for name, trouble := range map[string]fault{
		"whose answer was lost":                lost(),
		"that was refused because of itself":   {after: func() error { return engine.ErrConflict }},
		"that was not made, and is made again": away(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, id := failed(t)
			r.store.on("save", trouble)
			op, err := r.engine.Retry(r.ctx(), id)
			require.NoError(t, err)
			require.Equal(t, r.operation(id), op)
			require.Equal(t, 1, op.Round)
			r.finish()
			r.requireSucceeded(id)
		})
	}
}

func TestA_command_tells_when_the_table_is_away(t *testing.T) {
	t.Parallel()
	r, id := failed(t)
	r.store.on("load", away())
	require.ErrorIs(t, second(r.engine.Retry(r.ctx(), id)), errAway)
	r.store.on("reopen", away())
	require.ErrorIs(t, second(r.engine.Retry(r.ctx(), id)), errAway)
	for range 10 {
		r.store.on("save", away())
	}
	require.ErrorIs(t, second(r.engine.Retry(r.ctx(), id)), errAway)
	require.Equal(t, operation.Failed, r.operation(id).Status)
	require.Empty(t, r.queue.Waiting())

	r.bus.on("send", away())
	require.ErrorIs(t, second(r.engine.Retry(r.ctx(), id)), errAway)
	r.operate(time.Hour)
	r.requireSucceeded(id)
}
