package engine_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// atTrigger returns a rig whose operation is about to make the call that must
// happen once.
func atTrigger(t *testing.T) (*rig, string) {
	t.Helper()
	r := newRig(t)
	id := r.start()
	r.until(id, "trigger")
	return r, id
}

func TestClaim_IsSavedBeforeTheCall(t *testing.T) {
	t.Parallel()
	r, id := atTrigger(t)
	var saved *operation.Claim
	r.azure.on("trigger", func(a *azure, c step.Call) (operation.Outcome, error) {
		saved = r.operation(id).Claim
		require.Equal(t, saved.AttemptID, c.AttemptID, "Azure gets the attempt id that the row holds")
		require.Equal(t, saved, c.Operation.Claim)
		return accepted(a, c)
	})
	r.step()
	require.NotNil(t, saved)
	require.Equal(t, time.Minute, saved.NotAfter.Sub(saved.ClaimedAt))
	require.Nil(t, r.operation(id).Claim)
}

func TestClaim_ExpiredClaimIsNotUsed(t *testing.T) {
	t.Parallel()
	r, id := atTrigger(t)
	r.store.on("save", afterwards(func() { r.clock.Advance(time.Minute) }))
	r.step()
	require.Empty(t, r.azure.made("trigger"))
	require.Nil(t, r.operation(id).Claim, "a delivery that was too late drops its claim")
	r.finish()
	r.requireSucceeded(id)
	require.Empty(t, r.azure.made("reconcile"))
}

func TestClaim_CrashBeforeTheCallIsReconciledAndRetried(t *testing.T) {
	t.Parallel()
	r, id := atTrigger(t)
	r.azure.on("trigger", dies)
	m := r.next()
	began := m.Due
	r.deliver(m)
	first := r.operation(id).Claim
	require.NotNil(t, first)
	waiting := r.queue.Waiting()
	require.Len(t, waiting, 1)
	require.Equal(t, began.Add(6*time.Minute), waiting[0].Due, "a minute for the call, five until its job is visible")
	require.NotEqual(t, m.ID, waiting[0].ID, "duplicate detection would drop it")

	r.finish()
	r.requireSucceeded(id)
	calls := r.azure.made("trigger")
	require.Len(t, calls, 2)
	require.Equal(t, first.AttemptID, calls[0].attempt)
	require.NotEqual(t, first.AttemptID, calls[1].attempt)
	looks := r.azure.made("reconcile")
	require.Len(t, looks, 1)
	require.Equal(t, first.AttemptID, looks[0].attempt)
	require.Equal(t, began.Add(6*time.Minute), looks[0].at)
}

func TestReconcile_AdoptsJobOfUnansweredCall(t *testing.T) {
	t.Parallel()
	r, id := atTrigger(t)
	r.azure.on("trigger", unanswered(true))
	r.step()
	require.Equal(t, "trigger", r.operation(id).Step)
	require.Equal(t, "the reconciliation of an unanswered request", r.operation(id).WaitingFor)
	r.step()
	op := r.operation(id)
	require.Equal(t, "await", op.Step)
	require.Equal(t, r.azure.jobs[0], op.Tracking.JobID)
	require.Equal(t, 6*time.Minute, r.azure.made("reconcile")[0].at.Sub(r.azure.made("trigger")[0].at))
	r.finish()
	r.requireSucceeded(id)
	require.Len(t, r.azure.made("trigger"), 1)
}

func TestReconcile_RetriesUnansweredCallWithoutEffect(t *testing.T) {
	t.Parallel()
	r, id := atTrigger(t)
	r.azure.on("trigger", unanswered(false), unanswered(false))
	r.finish()
	r.requireSucceeded(id)
	require.Len(t, r.azure.made("trigger"), 3)
	require.Len(t, r.azure.made("reconcile"), 2)
}

func TestReconcile_FailsAfterRepeatedCallsWithoutEffect(t *testing.T) {
	t.Parallel()
	r, id := atTrigger(t)
	for range 20 {
		r.azure.on("trigger", unanswered(false))
	}
	r.finish()
	require.Equal(t, operation.Failed, r.operation(id).Status)
	require.Equal(t, "NoAnswer", r.operation(id).LastError.Code)
	require.Len(t, r.azure.made("trigger"), 13)
}

func TestReconcile_AmbiguousResultParks(t *testing.T) {
	t.Parallel()
	doubtful := &operation.Error{Code: "BackupUnclear", Class: operation.UserAction, Message: "two jobs fit"}
	park := func(t *testing.T) (*rig, string) {
		t.Helper()
		r, id := atTrigger(t)
		r.azure.on("trigger", unanswered(false))
		r.azure.on("reconcile", returns(operation.Outcome{Kind: operation.Unclear, Err: doubtful}))
		r.finish()
		require.Equal(t, operation.Parked, r.operation(id).Status)
		require.Equal(t, doubtful, r.operation(id).LastError)
		require.Equal(t, []string{id}, r.live())
		return r, id
	}
	t.Run("a cancel names the call that may be running", func(t *testing.T) {
		t.Parallel()
		r, id := park(t)
		require.NoError(t, second(r.engine.Cancel(r.ctx(), id, operation.Cause{})))
		r.finish()
		op := r.operation(id)
		require.Equal(t, operation.Canceled, op.Status)
		require.Len(t, op.Warnings, 1)
		require.Contains(t, op.Warnings[0], r.azure.made("trigger")[0].attempt)
		require.Empty(t, r.live())
	})
	t.Run("a retry does not reconcile again", func(t *testing.T) {
		t.Parallel()
		r, id := park(t)
		require.NoError(t, second(r.engine.Retry(r.ctx(), id, operation.Cause{})))
		r.finish()
		r.requireSucceeded(id)
		require.Len(t, r.azure.made("trigger"), 2)
		require.Len(t, r.azure.made("reconcile"), 1)
	})
}

func TestReconcile_FailureIsRetriedAndKeepsTheClaim(t *testing.T) {
	t.Parallel()
	r, id := atTrigger(t)
	r.azure.on("trigger", unanswered(true))
	r.azure.on("reconcile", throttled(10*time.Minute), fails(errUnavailable))
	r.step()
	claim := r.operation(id).Claim
	for range 2 {
		r.step()
		require.Equal(t, claim, r.operation(id).Claim)
	}
	r.finish()
	r.requireSucceeded(id)
	looks := r.azure.made("reconcile")
	require.Len(t, looks, 3)
	require.Equal(t, 10*time.Minute, looks[1].at.Sub(looks[0].at))
	require.Len(t, r.azure.made("trigger"), 1)
}

func TestClaim_ThrottledCallDropsTheClaim(t *testing.T) {
	t.Parallel()
	r, id := atTrigger(t)
	r.azure.on("trigger", throttled(324*time.Second))
	r.step()
	op := r.operation(id)
	require.Nil(t, op.Claim)
	require.Zero(t, op.Attempts)
	require.Equal(t, 324*time.Second, op.DueAt.Sub(r.clock.Now()))
	r.finish()
	r.requireSucceeded(id)
	calls := r.azure.made("trigger")
	require.Len(t, calls, 2)
	require.NotEqual(t, calls[0].attempt, calls[1].attempt)
	require.Empty(t, r.azure.made("reconcile"))
}

func TestClaim_DuplicateDuringTheCallMakesNoOther(t *testing.T) {
	t.Parallel()
	r, id := atTrigger(t)
	m := r.next()
	r.azure.on("trigger", func(a *azure, c step.Call) (operation.Outcome, error) {
		require.NoError(t, r.invoke(m.Wakeup, 1), "it schedules a reconciliation and acknowledges")
		return accepted(a, c)
	})
	r.deliver(m)
	require.Len(t, r.queue.Waiting(), 2)
	r.finish()
	r.requireSucceeded(id)
	require.Empty(t, r.azure.made("reconcile"), "the claim was answered before")
}

func TestClaim_OneOfTwoConcurrentClaimsCalls(t *testing.T) {
	t.Parallel()
	r, id := atTrigger(t)
	m := r.next()
	r.store.on("save", meanwhile(func() { require.NoError(t, r.invoke(m.Wakeup, 1)) }))
	r.deliver(m)
	require.Len(t, r.azure.made("trigger"), 1)
	r.finish()
	r.requireSucceeded(id)
}

func TestClaim_ForeignClaimPreventsTheCall(t *testing.T) {
	t.Parallel()
	r, id := atTrigger(t)
	m := r.next()
	r.azure.on("trigger", dies)
	r.store.on("save", meanwhile(func() { require.ErrorIs(t, r.invoke(m.Wakeup, 1), errDied) }))
	r.deliver(m)
	calls := r.azure.made("trigger")
	require.Len(t, calls, 1)
	require.Equal(t, calls[0].attempt, r.operation(id).Claim.AttemptID)
	r.finish()
	r.requireSucceeded(id)
	require.Len(t, r.azure.made("reconcile"), 1)
}

func TestClaim_UnansweredSaveIsRecognized(t *testing.T) {
	t.Parallel()
	r, id := atTrigger(t)
	r.store.on("save", lost())
	r.step()
	require.Len(t, r.azure.made("trigger"), 1)
	r.finish()
	r.requireSucceeded(id)
	claims := 0
	for _, line := range r.history(id) {
		if strings.Contains(line, "claimed the call") {
			claims++
		}
	}
	require.Equal(t, 1, claims)
}

func TestReconcile_FindsAnAnswerThatWasNotSaved(t *testing.T) {
	t.Parallel()
	r, id := atTrigger(t)
	// The call is answered. Then storage and queue are unavailable.
	r.store.on("save", none(), unavailable())
	r.store.on("load", none(), unavailable(), unavailable(), unavailable(), unavailable(), unavailable())
	r.bus.on("send", unavailable())
	r.step()
	r.finish()
	r.requireSucceeded(id)
	require.Len(t, r.azure.made("reconcile"), 1)
}

func TestReconcile_PrecedesCancelPauseAndDeadline(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		meet func(r *rig, id string) error
		want operation.Status
	}{
		"cancel":   {func(r *rig, id string) error { return second(r.engine.Cancel(r.ctx(), id, operation.Cause{})) }, operation.Canceled},
		"pause":    {func(r *rig, id string) error { return second(r.engine.Pause(r.ctx(), id, operation.Cause{})) }, operation.Running},
		"deadline": {func(r *rig, _ string) error { r.clock.Advance(48 * time.Hour); return nil }, operation.TimedOut},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, id := atTrigger(t)
			r.azure.on("trigger", unanswered(true))
			r.step()
			require.NoError(t, c.meet(r, id))
			r.finish()
			op := r.operation(id)
			require.Len(t, r.azure.made("reconcile"), 1)
			require.Nil(t, op.Claim)
			require.Equal(t, "await", op.Step)
			require.Equal(t, r.azure.jobs[0], op.Tracking.JobID, "the job is known")
			require.Equal(t, c.want, op.Status)
			require.Empty(t, r.azure.made("await"))
			if c.want == operation.Canceled {
				require.Contains(t, op.Warnings[0], r.azure.jobs[0])
			}
		})
	}
}

// A claim is reconciled only after the grace period, whatever wakes its
// operation: before that, Azure may not list the job of the call.
func TestReconcile_WaitsForTheGraceWhateverWakesTheOperation(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]answer{"the process died": dies, "the answer was lost": unanswered(true)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, id := atTrigger(t)
			r.azure.on("trigger", answer)
			m := r.next()
			r.deliver(m)
			claim := r.operation(id).Claim
			require.NotNil(t, claim)
			visible := claim.NotAfter.Add(operation.AzureWaits().ClaimGrace)
			r.clock.Advance(visible.Sub(r.clock.Now()) - time.Second)
			row := r.operation(id)
			for _, wake := range []engine.Message{
				engine.StepMessage(row, ""), engine.RescueMessage(row, 1, r.clock.Now(), ""), engine.WakeMessage(row, r.clock.Now(), "flag", ""),
			} {
				require.NoError(t, r.invoke(wake.Wakeup, 1))
			}
			require.NoError(t, errOfChange(r.engine.Cancel(r.ctx(), id, operation.Cause{})))
			require.NoError(t, r.invoke(engine.StepMessage(row, "").Wakeup, 2))
			require.Empty(t, r.azure.made("reconcile"))
			require.NotNil(t, r.operation(id).Claim)

			r.clock.Advance(time.Second)
			require.NoError(t, r.invoke(engine.StepMessage(r.operation(id), "").Wakeup, 1))
			require.Len(t, r.azure.made("reconcile"), 1)
		})
	}
}
