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

func TestSnooze_DoublesWhileStorageIsUnavailable(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.start()
	const s = time.Second
	seen := map[string]bool{}
	for i, want := range []time.Duration{30 * s, 60 * s, 120 * s, 240 * s, 300 * s, 300 * s, 300 * s} {
		r.store.on("load", unavailable())
		r.step()
		waiting := r.queue.Waiting()
		require.Len(t, waiting, 1, "there is one copy, and the message itself is completed")
		m := waiting[0]
		require.Equal(t, want, m.Due.Sub(r.clock.Now()), "snooze %d", i+1)
		require.Equal(t, operation.Wakeup{OperationID: id, Seq: 1, TraceParent: "trace-1", Snoozes: i + 1}, m.Wakeup)
		require.False(t, seen[m.ID], "duplicate detection would drop %s", m.ID)
		seen[m.ID] = true
	}
	r.finish()
	r.requireSucceeded(id)
	require.Len(t, r.azure.made(""), 5)
}

func TestSnooze_SnoozedMessageResends(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.start()
	// The row is saved, but neither the answer nor the row is returned for half
	// a minute. The message is snoozed and is the only one.
	r.store.on("save", lost())
	r.store.on("load", none(), unavailable(), unavailable(), unavailable(), unavailable(), unavailable())
	r.step()
	require.Equal(t, int64(2), r.operation(id).Seq)
	require.Equal(t, int64(1), r.queue.Waiting()[0].Wakeup.Seq)
	r.finish()
	r.requireSucceeded(id)
	require.Len(t, r.azure.made("find"), 1)
}

func TestRunStep_AbandonsOnlyWithoutStorageAndQueue(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.start()
	m := r.next()
	r.store.on("load", unavailable())
	r.bus.on("send", unavailable())
	err := r.invoke(m.Wakeup, 1)
	require.ErrorIs(t, err, engine.ErrRedeliver)
	require.ErrorContains(t, err, "queue unavailable")
	r.deliver(m)
	r.finish()
	r.requireSucceeded(id)
}

func TestRunStep_RedeliverySendsTheMessageWithoutAnotherCall(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]fault{"not sent": unavailable(), "sent, but not answered": lost()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			id := r.start()
			for range 5 {
				r.bus.on("send", fault, none())
			}
			r.finish()
			r.requireSucceeded(id)
			require.Len(t, r.azure.made(""), 5)
		})
	}
}

// In a rolling deployment, an older program may receive a newer program's message.
func TestUnknownFlow_IsSnoozed(t *testing.T) {
	t.Parallel()
	r := newRig(t, versionTwo)
	id := r.start()
	require.Equal(t, 2, r.operation(id).Version)
	r.deploy(demo)
	for i := range 20 {
		r.step()
		require.Equal(t, i+1, r.queue.Waiting()[0].Wakeup.Snoozes)
	}
	require.Empty(t, r.azure.made(""))
	require.Equal(t, int64(1), r.operation(id).Seq, "the row does not change")
	r.deploy(demo, versionTwo)
	r.finish()
	r.requireSucceeded(id)
	require.Equal(t, "two", r.azure.made("")[0].step)
}

// A deployment that is rolled back for hours must not park operations that it
// cannot run.
func TestUnknownFlow_IsNotParkedWithoutProgress(t *testing.T) {
	t.Parallel()
	r := newRig(t, versionTwo)
	id := r.start()
	r.deploy(demo)
	for hour := range 5 {
		for until := morning().Add(time.Duration(hour+1) * time.Hour); r.clock.Now().Before(until); {
			r.step()
		}
		r.sweep()
	}
	require.Equal(t, operation.Pending, r.operation(id).Status)
	require.Zero(t, r.operation(id).Rescues)
	copies := 0
	for _, m := range r.queue.Waiting() {
		if m.Wakeup.Rescue == "" {
			copies++
		}
	}
	require.Equal(t, 1, copies, "rescues are not snoozed")
	r.deploy(demo, versionTwo)
	r.finish()
	r.requireSucceeded(id)
}

func versionTwo(a *azure) step.Flow {
	f := demo(a)
	f.Version = 2
	f.Steps = append([]step.Step{{Name: "two", Effect: step.Read, Run: a.does("two", usual("two"))}}, f.Steps...)
	return f
}

func TestUnknownFlow_UnknownStepIsSnoozed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.azure.on("find", returns(operation.Outcome{Kind: operation.Advance, Next: "elsewhere", Pace: operation.PaceNow}))
	id := r.start()
	r.step()
	r.step()
	require.Equal(t, "elsewhere", r.operation(id).Step)
	require.Equal(t, 1, r.queue.Waiting()[0].Wakeup.Snoozes)
}

func TestUnknownFlow_StillTimesOut(t *testing.T) {
	t.Parallel()
	r := newRig(t, versionTwo)
	id := r.start()
	r.deploy(demo)
	r.finish()
	require.Equal(t, operation.TimedOut, r.operation(id).Status)
	require.Empty(t, r.azure.made(""))
}

// Only the flow can cancel work in Azure, so an unknown flow cannot be canceled yet.
func TestUnknownFlow_CancelWaitsForAProgramWithTheFlow(t *testing.T) {
	t.Parallel()
	r := newRig(t, versionTwo)
	id := r.start()
	r.deploy(demo)
	require.NoError(t, second(r.engine.Cancel(r.ctx(), id, operation.Cause{})))
	r.step()
	r.step()
	require.Equal(t, operation.Pending, r.operation(id).Status)
	r.deploy(demo, versionTwo)
	r.finish()
	require.Equal(t, operation.Canceled, r.operation(id).Status)
}

func TestRunStep_KeepsTheVersionOfARunningOperation(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.start()
	r.step()
	r.deploy(demo, versionTwo)
	op, created, err := r.engine.Start(r.ctx(), demoRequest(), engine.Origin{})
	require.NoError(t, err)
	require.False(t, created)
	require.Equal(t, 1, op.Version, "the same key is the same operation")
	r.finish()
	r.requireSucceeded(id)
	require.Len(t, r.azure.made(""), 5)
	require.Empty(t, r.azure.made("two"))
}

// For hours, one dependency after the other is unavailable and available again.
func TestRunStep_SurvivesOutagesOfStorageAndQueue(t *testing.T) {
	t.Parallel()
	for _, every := range []int{2, 3, 5, 7} {
		t.Run(fmt.Sprintf("every call but one in %d fails", every), func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			id := r.start()
			n := 0
			each := func(call string) fault {
				n++
				switch {
				case n%every == 0:
					return none()
				case n%2 == 0 && call == "save":
					return lost()
				}
				return unavailable()
			}
			r.store.each, r.bus.each = each, each
			r.operate(3 * time.Hour)
			r.store.each, r.bus.each = nil, nil
			r.operate(6 * time.Hour)
			r.requireSucceeded(id)
		})
	}
}
