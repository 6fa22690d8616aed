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

func (r *rig) sweep() engine.SweepResult {
	r.t.Helper()
	swept, err := r.engine.Sweep(r.ctx())
	require.NoError(r.t, err)
	return swept
}

// silent returns a rig whose operation lost its message at its second step.
func silent(t *testing.T) (*rig, string) {
	t.Helper()
	r := newRig(t)
	id := r.start()
	r.step()
	r.queue.Due(r.clock.Now().Add(time.Hour))
	return r, id
}

func TestSweep_RescuesAfterTenMinutes(t *testing.T) {
	t.Parallel()
	r, id := silent(t)
	before := r.operation(id)
	r.clock.Advance(10*time.Minute - time.Second)
	require.Equal(t, engine.SweepResult{Live: 1}, r.sweep())
	r.clock.Advance(time.Second)
	require.Equal(t, engine.SweepResult{Live: 1, Overdue: 1}, r.sweep())
	require.Equal(t, before, r.operation(id), "the sweep never writes the row")
	require.Equal(t, []engine.Message{{
		ID: id + ":2:rescue-1", Due: r.clock.Now(),
		Wakeup: operation.Wakeup{OperationID: id, Seq: 2, TraceParent: "trace-1", Rescue: "rescue-1"},
	}}, r.queue.Waiting())
	r.finish()
	r.requireSucceeded(id)
	require.Contains(t, r.history(id), "2 Running refresh: rescued by the sweep: its own message did not arrive")
}

func TestSweep_SameRescueHasTheSameName(t *testing.T) {
	t.Parallel()
	r, id := silent(t)
	var names []string
	for range 9 {
		r.clock.Advance(5 * time.Minute)
		r.sweep()
	}
	for _, m := range r.queue.Waiting() {
		names = append(names, m.ID)
	}
	one, two, three := id+":2:rescue-1", id+":2:rescue-2", id+":2:rescue-3"
	require.Equal(t, []string{one, one, two, two, two, two, three, three}, names)
}

func TestRescue_CountsDeliveredRescuesOnce(t *testing.T) {
	t.Parallel()
	r, id := silent(t)
	r.azure.on("refresh", dies, dies, dies, dies)
	r.clock.Advance(15 * time.Minute)
	r.sweep()
	m := r.next()
	for count := 1; count <= 4; count++ {
		require.ErrorIs(t, r.invoke(m.Wakeup, count), errDied)
	}
	require.Equal(t, 1, r.operation(id).Rescues, "a rescue is counted before the step runs")
	r.deliver(m)
	require.Zero(t, r.operation(id).Rescues, "progress resets the count")
	r.finish()
	r.requireSucceeded(id)
}

func TestRescue_FiveWithoutProgressPark(t *testing.T) {
	t.Parallel()
	r, id := silent(t)
	kill := true
	for range 1000 {
		r.azure.on("refresh", func(a *azure, c step.Call) (operation.Outcome, error) {
			if kill {
				return dies(a, c)
			}
			return usual("refresh")(a, c)
		})
	}
	for n, minutes := range []int{10, 20, 40, 80} {
		r.clock.Advance(morning().Add(time.Duration(minutes) * time.Minute).Sub(r.clock.Now()))
		r.sweep()
		r.deliver(r.next())
		require.Equal(t, n+1, r.operation(id).Rescues, "after %d minutes", minutes)
	}
	r.clock.Advance(morning().Add(160 * time.Minute).Sub(r.clock.Now()))
	r.sweep()
	r.deliver(r.next())
	op := r.operation(id)
	require.Equal(t, operation.Parked, op.Status)
	require.Equal(t, "NoProgress", op.LastError.Code)
	require.Equal(t, engine.SweepResult{Live: 1, Parked: 1}, r.sweep(), "a parked operation stays live and is not woken")

	kill = false
	r.dead = nil
	require.NoError(t, second(r.engine.Retry(r.ctx(), id, operation.Cause{})))
	r.finish()
	r.requireSucceeded(id)
}

func TestSweep_FinalizesEndedOperations(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.store.on("finalize", unavailable())
	id := r.start()
	r.finish()
	require.Equal(t, []string{id}, r.live())
	require.Equal(t, engine.SweepResult{Live: 1, Finalized: 1}, r.sweep())
	r.requireSucceeded(id)
	require.Equal(t, engine.SweepResult{}, r.sweep(), "its cost grows with live operations only")
}

func TestSweep_RemovesMarkerWithoutRowAfterAWhile(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	// Its writer is between marker and row.
	require.NoError(t, r.rows.Reopen(t.Context(), "unborn", r.clock.Now()))
	r.clock.Advance(10*time.Minute - time.Second)
	require.Equal(t, engine.SweepResult{Live: 1}, r.sweep())
	require.Equal(t, []string{"unborn"}, r.live())
	r.clock.Advance(time.Second)
	require.Equal(t, engine.SweepResult{Live: 1, Finalized: 1}, r.sweep())
	require.Empty(t, r.live())
}

func TestSweep_ContinuesAfterAFailure(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for i := range 5 {
		asked := demoRequest()
		asked.Key = fmt.Sprintf("k%d", i)
		require.NoError(t, errOf(r.engine.Start(r.ctx(), asked, engine.Origin{})))
	}
	r.queue.Due(r.clock.Now())
	r.clock.Advance(time.Hour)
	r.store.on("load", none(), unavailable(), none(), none())
	r.bus.on("send", none(), unavailable())
	require.Equal(t, engine.SweepResult{Live: 5, Overdue: 4, Failed: 2}, r.sweep())
	require.Equal(t, engine.SweepResult{Live: 5, Overdue: 5}, r.sweep())

	r.store.on("live", unavailable())
	_, err := r.engine.Sweep(r.ctx())
	require.ErrorIs(t, err, errUnavailable)
}

func TestWakeDeadLettered_WakesLaterEachTime(t *testing.T) {
	t.Parallel()
	r, id := silent(t)
	dead := operation.Wakeup{OperationID: id, Seq: 2, TraceParent: "trace-2"}
	for rescues, want := range []time.Duration{10 * time.Minute, 20 * time.Minute, 40 * time.Minute, 80 * time.Minute} {
		require.NoError(t, r.engine.WakeDeadLettered(r.ctx(), dead))
		waiting := r.queue.Due(r.clock.Now().Add(24 * time.Hour))
		require.Len(t, waiting, 1)
		require.Equal(t, want, waiting[0].Due.Sub(r.clock.Now()))
		require.Equal(t, operation.RescueName(rescues+1), waiting[0].Wakeup.Rescue, "the name is the same as the sweep's")
		require.Equal(t, int64(2), waiting[0].Wakeup.Seq)
		require.Equal(t, "trace-2", waiting[0].Wakeup.TraceParent)

		row, err := r.rows.Load(t.Context(), id)
		require.NoError(t, err)
		row.Operation.Rescues++
		_, err = r.rows.Save(t.Context(), row, operation.Event{Seq: 2, At: r.clock.Now(), WriteID: r.newID()})
		require.NoError(t, err)
	}
}

func TestWakeDeadLettered_HandlesOtherSeqs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		seq  int64
		want []string
	}{
		"the previous delivery may have died between save and send": {1, []string{":2"}},
		"an older one is dropped":                                   {0, nil},
		"one that is ahead is dropped":                              {3, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, id := silent(t)
			require.NoError(t, r.engine.WakeDeadLettered(r.ctx(), operation.Wakeup{OperationID: id, Seq: c.seq}))
			var sent []string
			for _, m := range r.queue.Waiting() {
				sent = append(sent, m.ID[len(id):])
			}
			require.Equal(t, c.want, sent)
		})
	}
}

func TestWakeDeadLettered_FinalizesEndedAndDropsMissingOperations(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	require.NoError(t, r.engine.WakeDeadLettered(r.ctx(), operation.Wakeup{OperationID: "gone", Seq: 1}))
	r.store.on("finalize", unavailable())
	id := r.start()
	r.finish()
	require.NoError(t, r.engine.WakeDeadLettered(r.ctx(), operation.Wakeup{OperationID: id, Seq: 5}))
	r.requireSucceeded(id)
}

func TestWakeDeadLettered_FailsWhileStorageIsUnavailable(t *testing.T) {
	t.Parallel()
	r, id := silent(t)
	r.store.on("load", unavailable())
	dead := operation.Wakeup{OperationID: id, Seq: 2, TraceParent: "trace-2", Snoozes: 3, Rescue: "rescue-1"}
	require.ErrorIs(t, r.engine.WakeDeadLettered(r.ctx(), dead), errUnavailable, "the message stays in the dead-letter queue")
	require.Empty(t, r.queue.Due(r.clock.Now().Add(24*time.Hour)))
	require.NoError(t, r.engine.WakeDeadLettered(r.ctx(), dead))
	require.Len(t, r.queue.Due(r.clock.Now().Add(24*time.Hour)), 1)
}
