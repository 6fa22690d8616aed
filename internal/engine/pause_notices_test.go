package engine_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

// pausedBy is the cause of the pauses of these tests.
func pausedBy() operation.Cause {
	return operation.Cause{Actor: operation.Actor{Kind: "user", ID: "someone"}, Reason: "maintenance"}
}

// idle returns a rig whose operation waits an hour for its job. It has a receiver of
// notices from then on.
func idle(t *testing.T) (*rig, string) {
	t.Helper()
	r, id := waiting(t)
	r.mail.broadcasts = true
	return r, id
}

func TestPauseNotices_AreSentWithActorAndReason(t *testing.T) {
	t.Parallel()
	r, id := idle(t)
	op, err := r.engine.Pause(r.ctx(), id, pausedBy())
	require.NoError(t, err)
	require.Len(t, op.PendingNotices, 1, "it is saved with the pause")
	paused := op.PendingNotices[0]
	require.Equal(t, operation.NoticePaused, paused.Kind)
	by := pausedBy()
	require.Equal(t, &by, paused.Cause)
	r.step()
	require.Equal(t, []string{paused.ID("")[1:] + " Running"}, r.mail.sent, "it is sent at once, although nothing runs")
	require.Empty(t, r.operation(id).PendingNotices)
	require.Len(t, r.azure.made("await"), 1, "a paused operation makes no call")

	op, err = r.engine.Resume(r.ctx(), id, pausedBy())
	require.NoError(t, err)
	resumed := op.PendingNotices[0]
	require.Equal(t, operation.NoticeResumed, resumed.Kind)
	require.Equal(t, &by, resumed.Cause)
	again, err := r.engine.Resume(r.ctx(), id, pausedBy())
	require.NoError(t, err)
	require.Equal(t, op.PendingNotices, again.PendingNotices, "a second resume reports nothing")
	r.finish()
	r.requireSucceeded(id)
	require.Equal(t, []string{
		paused.ID("")[1:] + " Running", resumed.ID("")[1:] + " Running", fmt.Sprintf("%d:succeeded Succeeded", r.operation(id).Seq),
	}, r.mail.sent)
}

// Pauses leave seq as it is, so their notices need IDs of their own: duplicate
// detection would drop a second one.
func TestPauseNotices_OfOneSeqHaveDifferentIDs(t *testing.T) {
	t.Parallel()
	r, id := idle(t)
	r.mail.from("notify", unavailable())
	seen := map[string]bool{}
	for range 15 {
		require.NoError(t, second(r.engine.Pause(r.ctx(), id, pausedBy())))
		op, err := r.engine.Resume(r.ctx(), id, pausedBy())
		require.NoError(t, err)
		for _, n := range op.PendingNotices {
			seen[n.ID(id)] = true
			require.LessOrEqual(t, len(n.ID(id)), 128, "the maximum of a message ID")
		}
		require.LessOrEqual(t, len(op.PendingNotices), 20, "the row does not grow without limit")
	}
	require.Len(t, seen, 30)
	pending := r.operation(id).PendingNotices
	require.Equal(t, operation.NoticeResumed, pending[len(pending)-1].Kind, "the newest stay")
}

func TestPauseNotices_CrashLosesNone(t *testing.T) {
	t.Parallel()
	for name, plan := range map[string]struct {
		call  string
		fault fault
	}{
		"before it is sent":   {"notify", diesBefore()},
		"after it was sent":   {"notify", diesAfter()},
		"its answer is lost":  {"notify", lost()},
		"it is not available": {"notify", unavailable()},
		"the wake-up is lost": {"send", unavailable()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, id := idle(t)
			if plan.call == "notify" {
				r.mail.on("notify", plan.fault)
			} else {
				r.bus.on(plan.call, plan.fault)
			}
			op, err := r.engine.Pause(r.ctx(), id, pausedBy())
			if err != nil { // the caller repeats the command
				op, err = r.engine.Pause(r.ctx(), id, pausedBy())
				require.NoError(t, err)
			}
			want := op.PendingNotices[0].ID("")[1:] + " Running"
			r.operate(3 * time.Hour)
			require.Contains(t, r.mail.sent, want)
			require.Empty(t, r.operation(id).PendingNotices)
			require.True(t, r.operation(id).Paused)
			require.NoError(t, second(r.engine.Resume(r.ctx(), id, operation.Cause{})))
			r.operate(3 * time.Hour)
			r.requireSucceeded(id)
		})
	}
}

func TestPauseNotices_NeedAReceiver(t *testing.T) {
	t.Parallel()
	r, id := waiting(t)
	op, err := r.engine.Pause(r.ctx(), id, pausedBy())
	require.NoError(t, err)
	require.Empty(t, op.PendingNotices)
}
