package engine_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// changing returns the demo flow with an item that it changes.
func changing(a *azure) step.Flow {
	f := demo(a)
	f.Item = func(operation.Operation) string { return "/shares/s1" }
	return f
}

// ask starts another operation of the demo flow.
func (r *rig) ask(key string) string {
	r.t.Helper()
	asked := demoRequest()
	asked.Key = key
	op, _, err := r.engine.Start(r.ctx(), asked, engine.Origin{})
	require.NoError(r.t, err)
	return op.ID
}

// stands runs the operations until the first is at the step.
func (r *rig) stands(id, step string) {
	r.t.Helper()
	for n := 0; r.operation(id).Step != step; n++ {
		require.Less(r.t, n, 100)
		r.step()
	}
}

func TestItemLock_OneOperationChangesAnItemAtATime(t *testing.T) {
	t.Parallel()
	r := newRig(t, changing)
	first := r.ask("first")
	r.stands(first, "trigger")
	second := r.ask("second")
	for range 4 {
		r.deliver(engine.StepMessage(r.operation(second), ""))
	}
	waiting := r.operation(second)
	require.Equal(t, "operation "+first, waiting.WaitingFor)
	require.Equal(t, "refresh", waiting.Step, "the step that reads is done, the step that writes waits")
	require.Equal(t, operation.Running, waiting.Status)
	require.Equal(t, "/shares/s1", r.operation(first).LockedItem)
	require.Empty(t, waiting.LockedItem)
	require.Len(t, r.azure.made("refresh"), 1)

	r.finish()
	require.Equal(t, operation.Succeeded, r.operation(first).Status)
	require.Equal(t, operation.Succeeded, r.operation(second).Status, "%v", r.history(second))
	require.Len(t, r.azure.jobs, 2)
	began := r.azure.made("refresh")[1].at
	require.GreaterOrEqual(t, began.Sub(r.operation(first).EndedAt), operation.AzureWaits().LockCooldown)
	require.Empty(t, r.live())
}

func TestItemLock_WaitingOperationCanBeCanceledAndTimesOut(t *testing.T) {
	t.Parallel()
	r := newRig(t, changing)
	first := r.ask("first")
	r.stands(first, "trigger")
	second, third := r.ask("second"), r.ask("third")
	for _, id := range []string{second, third} {
		for range 3 {
			r.deliver(engine.StepMessage(r.operation(id), ""))
		}
	}
	require.NoError(t, errOfChange(r.engine.Cancel(r.ctx(), second, operation.Cause{})))
	require.NoError(t, errOfChange(r.engine.Pause(r.ctx(), first, operation.Cause{})))
	r.operate(30 * time.Hour)
	require.Equal(t, operation.Canceled, r.operation(second).Status)
	require.Equal(t, operation.TimedOut, r.operation(third).Status)
	require.Contains(t, r.operation(third).LastError.Message, "operation "+first)
}

func TestItemLock_IsAcquiredFromEndedHolder(t *testing.T) {
	t.Parallel()
	for name, ends := range map[string]func(*rig, string){
		"canceled": func(r *rig, id string) {
			require.NoError(r.t, errOfChange(r.engine.Cancel(r.ctx(), id, operation.Cause{})))
		},
		"failed": func(r *rig, _ string) {
			r.azure.on("protect", fails(&operation.Error{Code: "No", Class: operation.Fatal}))
		},
		"timed out": func(r *rig, id string) { r.clock.Advance(r.operation(id).Deadline.Sub(r.clock.Now())) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, changing)
			first := r.ask("first")
			r.stands(first, "protect")
			ends(r, first)
			r.finish()
			require.True(t, r.operation(first).Status.Terminal())
			second := r.ask("second")
			r.finish()
			require.Equal(t, operation.Succeeded, r.operation(second).Status, "%v", r.history(second))
		})
	}
}

func TestItemLock_RetriedOperationAcquiresItAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t, changing)
	first := r.ask("first")
	r.azure.on("trigger", fails(&operation.Error{Code: "No", Class: operation.Fatal}))
	r.finish()
	require.Equal(t, operation.Failed, r.operation(first).Status)
	r.clock.Advance(time.Hour)
	second := r.ask("second")
	r.stands(second, "trigger")
	require.NoError(t, errOfChange(r.engine.Retry(r.ctx(), first, operation.Cause{})))
	require.Empty(t, r.operation(first).LockedItem)
	r.deliver(engine.StepMessage(r.operation(first), ""))
	require.Equal(t, "operation "+second, r.operation(first).WaitingFor)
	r.finish()
	require.Equal(t, operation.Succeeded, r.operation(first).Status)
	require.Equal(t, operation.Succeeded, r.operation(second).Status)
}

func TestItemLock_LimitsStartsPerDay(t *testing.T) {
	t.Parallel()
	r := newRig(t, changing)
	r.startsPerItem = 2
	r.deploy(changing)
	for i := range 3 {
		id := r.ask(fmt.Sprint(i))
		r.finish()
		r.clock.Advance(time.Minute * 5)
		want := operation.Succeeded
		if i == 2 {
			want = operation.Failed
			require.Equal(t, "TooManyStarts", r.operation(id).LastError.Code)
			require.Contains(t, r.operation(id).LastError.Message, "/shares/s1")
		}
		require.Equal(t, want, r.operation(id).Status)
	}
	require.Len(t, r.azure.jobs, 2)
	r.clock.Advance(24 * time.Hour)
	id := r.ask("tomorrow")
	r.finish()
	require.Equal(t, operation.Succeeded, r.operation(id).Status)
}

func TestItemLock_CrashLosesNothing(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]fault{"before": diesBefore(), "after": diesAfter(), "away": unavailable()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, changing)
			id := r.ask("first")
			r.stands(id, "refresh")
			r.store.on("save", f)
			r.operate(2 * time.Hour)
			r.requireSucceeded(id)
			second := r.ask("second")
			r.operate(2 * time.Hour)
			require.Equal(t, operation.Succeeded, r.operation(second).Status)
		})
	}
}

func TestItemLock_UnavailableLockSnoozesTheMessage(t *testing.T) {
	t.Parallel()
	r := newRig(t, changing)
	first := r.ask("first")
	r.stands(first, "protect")
	second := r.ask("second")
	r.deliver(engine.StepMessage(r.operation(second), ""))
	r.queue.Due(r.clock.Now().Add(time.Hour))
	// The operation's row can be read, the row of the lock's holder cannot.
	r.store.on("load", none(), unavailable())
	r.deliver(engine.StepMessage(r.operation(second), ""))
	require.Len(t, r.queue.Waiting(), 1)
	require.Equal(t, 1, r.queue.Waiting()[0].Wakeup.Snoozes)
}

// A retried operation has no lock, although the row of the lock may still name
// it: another operation may have held the lock and ended since.
func TestItemLock_RetriedHolderLocksAgainBeforeItsNextChange(t *testing.T) {
	t.Parallel()
	r := newRig(t, changing)
	first := r.ask("first")
	r.azure.on("trigger", fails(&operation.Error{Code: "No", Class: operation.Fatal}))
	r.finish()
	r.clock.Advance(time.Hour)
	require.NoError(t, errOfChange(r.engine.Retry(r.ctx(), first, operation.Cause{})))
	require.Empty(t, r.operation(first).LockedItem)
	r.finish()
	lock, _, err := r.rows.LoadItemLock(r.ctx(), "/shares/s1")
	require.NoError(t, err)
	require.Equal(t, first, lock.Holder)
	require.Equal(t, 1, lock.Round, "it acquired the lock in its new round")
	require.Equal(t, "/shares/s1", r.operation(first).LockedItem)
}
