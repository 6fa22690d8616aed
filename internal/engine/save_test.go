package engine_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
)

func TestSave_MergesCancelDuringACall(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.start()
	r.store.on("save", meanwhile(func() { require.NoError(t, second(r.engine.Cancel(r.ctx(), id, operation.Cause{}))) }))
	r.step()

	op := r.operation(id)
	require.True(t, op.CancelRequested)
	require.Equal(t, "refresh", op.Step, "the answer is kept")
	require.Equal(t, map[string]string{"item": "i1"}, op.Learned)
	require.Equal(t, operation.Running, op.Status)
	r.finish()
	require.Equal(t, operation.Canceled, r.operation(id).Status)
	require.Len(t, r.azure.made(""), 1)
	require.Equal(t, []string{
		"1 Pending find: accepted",
		"1 Pending find: cancel requested",
		"2 Running find: done: found i1",
		"3 Canceled refresh: canceled; Azure runs nothing that this operation started",
	}, r.history(id))
}

func TestSave_MergesPauseDuringACall(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.start()
	r.store.on("save", meanwhile(func() { require.NoError(t, second(r.engine.Pause(r.ctx(), id, operation.Cause{}))) }))
	r.finish()
	require.Equal(t, "refresh", r.operation(id).Step)
	require.Len(t, r.azure.made(""), 1)
	require.NoError(t, second(r.engine.Resume(r.ctx(), id, operation.Cause{})))
	r.finish()
	r.requireSucceeded(id)
}

func TestSave_FlagAfterAnUnansweredSaveIsNotAConflict(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.start()
	// The save happens, its answer is lost, and someone cancels before the row is
	// read: it has neither the own write ID nor the old seq.
	r.store.on("save", lost())
	r.store.on("load", none(), meanwhile(func() { require.NoError(t, second(r.engine.Cancel(r.ctx(), id, operation.Cause{}))) }))
	r.step()
	require.Equal(t, "refresh", r.operation(id).Step)
	r.finish()
	require.Equal(t, operation.Canceled, r.operation(id).Status)
	require.Len(t, r.azure.made(""), 1)
}

func TestSave_UnansweredSaveIsRecognizedByWriteID(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for range 6 {
		r.store.on("save", lost())
	}
	id := r.start()
	r.finish()
	r.requireSucceeded(id)
	require.Len(t, r.azure.made(""), 5, "each call once")
	require.Len(t, r.history(id), 7, "each save once")
	require.Equal(t, 6, r.store.calls("save"))
}

// The client of Table Storage repeats an unanswered request and then gets a
// conflict with its own change.
func TestSave_ConflictWithItselfIsRecognized(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.start()
	r.store.on("save", fault{after: func() error { return engine.ErrConflict }})
	r.finish()
	r.requireSucceeded(id)
	require.Len(t, r.azure.made("find"), 1)
}

func TestSave_IsRepeatedWithoutAnotherCall(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for range 6 {
		r.store.on("save", unavailable(), none())
	}
	id := r.start()
	r.finish()
	r.requireSucceeded(id)
	require.Len(t, r.azure.made(""), 5)
	require.Empty(t, r.sleeps, "the row could be read, so there is no wait")
}

func TestSave_KeepsAnAnswerForHalfAMinute(t *testing.T) {
	t.Parallel()
	const s = time.Second
	r := newRig(t)
	id := r.start()
	r.store.on("save", unavailable())
	r.store.on("load", none(), unavailable(), unavailable(), unavailable(), unavailable())
	r.step()
	require.Equal(t, []time.Duration{2 * s, 4 * s, 8 * s, 16 * s}, r.sleeps)
	require.Equal(t, "refresh", r.operation(id).Step)
	require.Len(t, r.azure.made("find"), 1)

	// After that its message is snoozed, and the repeatable call is repeated.
	r.store.on("save", unavailable())
	r.store.on("load", none(), unavailable(), unavailable(), unavailable(), unavailable(), unavailable())
	r.step()
	require.Equal(t, "refresh", r.operation(id).Step)
	require.Equal(t, 1, r.queue.Waiting()[0].Wakeup.Snoozes)
	r.finish()
	r.requireSucceeded(id)
	require.Len(t, r.azure.made("refresh"), 2)
}

func TestSave_KeepsAnAnswerDuringEachOutage(t *testing.T) {
	t.Parallel()
	const s = time.Second
	r := newRig(t)
	id := r.start()
	r.store.on("save", unavailable(), unavailable())
	r.store.on("load", none(), unavailable(), unavailable(), unavailable(), none(), unavailable(), unavailable(), unavailable())
	r.step()
	require.Equal(t, []time.Duration{2 * s, 4 * s, 8 * s, 2 * s, 4 * s, 8 * s}, r.sleeps)
	require.Equal(t, "refresh", r.operation(id).Step)
	require.Len(t, r.azure.made("find"), 1)
}

func TestSave_OvertakenDeliveryLeavesTheRowAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.start()
	m := r.next()
	r.store.on("save", meanwhile(func() { require.NoError(t, r.invoke(m.Wakeup, 1)) }))
	require.NoError(t, r.invoke(m.Wakeup, 1))
	require.Equal(t, int64(2), r.operation(id).Seq)
	require.Len(t, r.queue.Waiting(), 1)
	r.finish()
	r.requireSucceeded(id)
}

func TestSave_OvertakenRedeliveryResends(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.start()
	m := r.next()
	r.bus.on("send", diesBefore())
	r.store.on("save", meanwhile(func() { require.ErrorIs(t, r.invoke(m.Wakeup, 1), errDied) }))
	require.NoError(t, r.invoke(m.Wakeup, 2))
	require.Len(t, r.queue.Waiting(), 1)
	r.finish()
	r.requireSucceeded(id)
}

func TestSave_AbandonsAfterTooManyConflicts(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.start()
	m := r.next()
	flag := r.engine.Pause
	r.store.each = func(call string) fault {
		if call != "save" {
			return none()
		}
		return meanwhile(func() {
			row, err := r.rows.Load(r.ctx(), id)
			require.NoError(t, err)
			row.Operation.WriteID = r.newID()
			_, err = r.rows.Save(r.ctx(), row, operation.Event{Seq: row.Operation.Seq, At: r.clock.Now(), WriteID: row.Operation.WriteID})
			require.NoError(t, err)
		})
	}
	require.ErrorIs(t, r.invoke(m.Wakeup, 1), engine.ErrRedeliver)
	require.Equal(t, 9, r.store.calls("save"))
	_, err := flag(r.ctx(), id, operation.Cause{})
	require.ErrorIs(t, err, engine.ErrConflict, "the caller gets the error, too")

	r.store.each = nil
	require.NoError(t, r.invoke(m.Wakeup, 2))
	r.finish()
	r.requireSucceeded(id)
}

// vanishing is a store whose row is missing at the save.
func TestSave_MissingRowEndsTheDelivery(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	missing := fault{before: func() error { return engine.ErrNotFound }}
	r.store.on("save", missing)
	r.store.on("load", none(), missing)
	require.NoError(t, r.invoke(r.next().Wakeup, 1))
	require.Empty(t, r.queue.Waiting())
}

// second returns the second result of a call.
func second(_ operation.Operation, err error) error { return err }
