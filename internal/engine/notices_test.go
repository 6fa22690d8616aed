package engine_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/state"
)

// mail records the notices that were sent. It is unavailable, slow or killed on
// demand, under the name "notify".
type mail struct {
	faults
	// broadcasts is true if there is a receiver for all operations' notices.
	broadcasts bool
	sent       []string
}

func (m *mail) Broadcasts() bool { return m.broadcasts }

func (m *mail) Notify(_ context.Context, op operation.Operation, n operation.Notice) error {
	return m.around("notify", func() error {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.sent = append(m.sent, fmt.Sprintf("%s %s%s", n.ID("")[1:], n.Status, n.To))
		_ = op
		return nil
	})
}

// noticed returns a rig with a receiver for all operations' notices.
func noticed(t *testing.T) *rig {
	t.Helper()
	r := newRig(t)
	r.mail.broadcasts = true
	return r
}

func TestNotices_ReportStartAndEnd(t *testing.T) {
	t.Parallel()
	r := noticed(t)
	id := r.start()
	require.Len(t, r.operation(id).PendingNotices, 1, "it is pending from the first save on")
	r.step()
	require.Equal(t, []string{"1:started Pending"}, r.mail.sent)
	require.Empty(t, r.operation(id).PendingNotices)
	require.Equal(t, int64(2), r.operation(id).Seq, "the save of the step also removes the sent notice")
	r.finish()
	r.requireSucceeded(id)
	last := r.operation(id).Seq
	require.Equal(t, []string{"1:started Pending", fmt.Sprintf("%d:succeeded Succeeded", last)}, r.mail.sent)
	require.Contains(t, r.history(id), fmt.Sprintf("%d Succeeded await: notice sent: succeeded", last))
}

func TestNotices_AreNotQueuedWithoutAReceiver(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.start()
	r.finish()
	r.requireSucceeded(id)
	require.Empty(t, r.mail.sent)
	require.Zero(t, r.mail.calls("notify"))
}

func TestNotices_GoToTheReplyQueue(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	op, _, err := r.engine.Start(r.ctx(), demoRequest(), engine.Origin{ReplyTo: " to answers"})
	require.NoError(t, err)
	require.NoError(t, errOfChange(r.engine.Cancel(r.ctx(), op.ID, operation.Cause{})))
	r.finish()
	require.Equal(t, operation.Canceled, r.operation(op.ID).Status)
	require.Equal(t, []string{"1:started Pending to answers", "2:canceled Canceled to answers"}, r.mail.sent)
}

func errOfChange(_ operation.Operation, err error) error { return err }

func TestNotices_UnsentNoticeDelaysNoOperationAndIsSentLater(t *testing.T) {
	t.Parallel()
	r := noticed(t)
	r.mail.from("notify", unavailable())
	id := r.start()
	r.finish()
	require.Equal(t, operation.Succeeded, r.operation(id).Status)
	require.Equal(t, []string{id}, r.live(), "the marker stays while a notice is pending")
	require.Equal(t, engine.SweepResult{Live: 1, PendingNotices: 1}, r.sweep(), "the delivery that queued it may still be sending it")
	last := r.operation(id).Seq

	r.clock.Advance(20 * time.Minute)
	require.Equal(t, engine.SweepResult{Live: 1, PendingNotices: 1}, r.sweep())
	require.Len(t, r.queue.Waiting(), 1)
	r.finish()
	require.Equal(t, []string{id}, r.live())

	r.mail.from("notify", none())
	r.clock.Advance(10 * time.Minute)
	r.sweep()
	r.finish()
	r.requireSucceeded(id)
	require.Equal(t, []string{"1:started Pending", fmt.Sprintf("%d:succeeded Succeeded", last)}, r.mail.sent)
}

func TestNotices_AreDroppedAfterAWeek(t *testing.T) {
	t.Parallel()
	r := noticed(t)
	r.mail.from("notify", unavailable())
	id := r.start()
	r.finish()
	r.clock.Advance(8 * 24 * time.Hour)
	r.sweep()
	r.finish()
	r.requireSucceeded(id)
	require.Contains(t, r.history(id), fmt.Sprintf("%d Succeeded await: notice dropped because it could not be sent: started, succeeded", r.operation(id).Seq))
}

func TestNotices_CrashLosesNone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		call string
		plan []fault
		want []string
	}{
		"before the last is sent":      {"notify", []fault{none(), diesBefore()}, []string{"1:started Pending", "%d:succeeded Succeeded"}},
		"after the last was sent":      {"notify", []fault{none(), diesAfter()}, []string{"1:started Pending", "%d:succeeded Succeeded", "%d:succeeded Succeeded"}},
		"before the first":             {"notify", []fault{diesBefore()}, []string{"1:started Pending", "%d:succeeded Succeeded"}},
		"its answer is lost":           {"notify", []fault{none(), lost()}, []string{"1:started Pending", "%d:succeeded Succeeded", "%d:succeeded Succeeded"}},
		"before the marker is gone":    {"finalize", []fault{diesBefore()}, []string{"1:started Pending", "%d:succeeded Succeeded"}},
		"the marker cannot be removed": {"finalize", []fault{unavailable()}, []string{"1:started Pending", "%d:succeeded Succeeded"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := noticed(t)
			id := r.start()
			if c.call == "notify" {
				r.mail.on("notify", c.plan...)
			} else {
				r.store.on(c.call, c.plan...)
			}
			r.operate(3 * time.Hour)
			r.requireSucceeded(id)
			var want []string
			for _, w := range c.want {
				if w[0] == '%' {
					w = fmt.Sprintf(w, r.operation(id).Seq)
				}
				want = append(want, w)
			}
			require.Equal(t, want, r.mail.sent)
		})
	}
}

func TestNotices_ReportParkedAndRetriedOperation(t *testing.T) {
	t.Parallel()
	r := noticed(t)
	id := r.start()
	r.step()
	r.azure.on("refresh", returns(operation.Outcome{Kind: operation.Unclear, Err: &operation.Error{Code: "Unclear", Class: operation.Fatal, Message: "reconcile"}}))
	r.mail.on("notify", unavailable())
	r.step()
	require.Equal(t, operation.Parked, r.operation(id).Status)
	require.Equal(t, "Unclear", r.operation(id).PendingNotices[0].Error.Code)
	r.clock.Advance(10 * time.Minute)
	require.Equal(t, engine.SweepResult{Live: 1, Parked: 1, PendingNotices: 1}, r.sweep())
	r.finish()
	require.Empty(t, r.operation(id).PendingNotices)
	require.NoError(t, errOfChange(r.engine.Retry(r.ctx(), id, operation.Cause{})))
	r.finish()
	r.requireSucceeded(id)
	require.Equal(t, []string{
		"1:started Pending", "3:needs-attention Parked", "4:started Running", fmt.Sprintf("%d:succeeded Succeeded", r.operation(id).Seq),
	}, r.mail.sent)
}

func TestNotices_PendingNoticeSurvivesARetry(t *testing.T) {
	t.Parallel()
	r := noticed(t)
	id := r.start()
	r.azure.on("find", fails(&operation.Error{Code: "No", Class: operation.Fatal}))
	r.mail.on("notify", none(), unavailable())
	r.finish()
	require.Equal(t, operation.Failed, r.operation(id).Status)
	require.NoError(t, errOfChange(r.engine.Retry(r.ctx(), id, operation.Cause{})))
	r.finish()
	r.requireSucceeded(id)
	require.Equal(t, []string{
		"1:started Pending", "2:failed Failed", "3:started Running", fmt.Sprintf("%d:succeeded Succeeded", r.operation(id).Seq),
	}, r.mail.sent)
}

func TestWakeDeadLettered_SendsPendingNotices(t *testing.T) {
	t.Parallel()
	r := noticed(t)
	id := r.start()
	r.mail.from("notify", unavailable())
	r.finish()
	r.mail.from("notify", none())
	require.NoError(t, r.engine.WakeDeadLettered(r.ctx(), operation.Wakeup{OperationID: id, Seq: 3}))
	r.finish()
	r.requireSucceeded(id)
	require.Len(t, r.mail.sent, 2)
}

func TestRescue_SimultaneousRescuesCountAsOne(t *testing.T) {
	t.Parallel()
	r, id := silent(t)
	r.azure.on("refresh", dies, dies, dies, dies, dies)
	op := r.operation(id)
	r.clock.Advance(3 * time.Hour)
	for n := 1; n <= operation.MaxRescues; n++ {
		m := engine.RescueMessage(op, n, r.clock.Now(), "")
		require.ErrorIs(t, r.invoke(m.Wakeup, 1), errDied)
	}
	require.Equal(t, 1, r.operation(id).Rescues)
	require.Equal(t, operation.Running, r.operation(id).Status)
}

func TestRescue_DoesNotCountDuringAnOpenClaim(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.start()
	r.until(id, "trigger")
	r.azure.on("trigger", dies)
	require.ErrorIs(t, r.invoke(r.next().Wakeup, 1), errDied)
	op := r.operation(id)
	require.NotNil(t, op.Claim)
	for n := 1; n <= operation.MaxRescues; n++ {
		require.NoError(t, r.invoke(engine.RescueMessage(op, n, r.clock.Now(), "").Wakeup, 1))
	}
	require.Zero(t, r.operation(id).Rescues)
	r.finish()
	r.requireSucceeded(id)
}

func TestSave_TooLargeRowFailsTheOperation(t *testing.T) {
	t.Parallel()
	large := &state.TooLarge{Field: "learned", Size: 2 << 20, Limit: 900 << 10}
	refused := fault{before: func() error { return fmt.Errorf("save: %w", large) }}
	for name, plan := range map[string][]fault{"once": {refused}, "twice": {refused, refused}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := noticed(t)
			id := r.start()
			r.store.on("save", plan...)
			r.finish()
			op := r.operation(id)
			require.Equal(t, operation.Failed, op.Status)
			require.Equal(t, "TooLarge", op.LastError.Code)
			require.Contains(t, op.LastError.Message, "shorten learned")
			require.Empty(t, r.live())
			require.Equal(t, []string{"1:started Pending", "2:failed Failed"}, r.mail.sent)
		})
	}
}

func TestSweep_BeginsAnywhereAndCountsEachOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for i := range 100 {
		asked := demoRequest()
		asked.Key = fmt.Sprintf("k%d", i)
		require.NoError(t, errOf(r.engine.Start(r.ctx(), asked, engine.Origin{})))
	}
	r.queue.Due(r.clock.Now())
	r.clock.Advance(time.Hour)
	require.Equal(t, engine.SweepResult{Live: 100, Overdue: 100}, r.sweep())
	waiting := map[string]bool{}
	for _, m := range r.queue.Waiting() {
		waiting[m.Wakeup.OperationID] = true
	}
	require.Len(t, waiting, 100)
	ctx, cancel := context.WithCancel(t.Context())
	r.store.on("load", afterwards(cancel))
	swept, err := r.engine.Sweep(ctx)
	require.NoError(t, err)
	require.Positive(t, swept.Skipped)
	require.Less(t, swept.Skipped, 100)
}
