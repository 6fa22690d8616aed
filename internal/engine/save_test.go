package engine_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
)

func TestA_cancel_that_comes_during_a_call_is_merged_with_its_answer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.start()
	r.store.on("save", meanwhile(func() { require.NoError(t, second(r.engine.Cancel(r.ctx(), id))) }))
	r.step()

	op := r.operation(id)
	require.True(t, op.CancelRequested)
	require.Equal(t, "refresh", op.Step, "the answer is not dropped")
	require.Equal(t, map[string]string{"item": "i1"}, op.Learned)
	require.Equal(t, operation.Running, op.Status)
	r.finish()
	require.Equal(t, operation.Canceled, r.operation(id).Status)
	require.Len(t, r.azure.made(""), 1)
	require.Equal(t, []string{
		"1 Pending find: accepted",
		"1 Pending find: cancel requested",
		"2 Running refresh: done: found i1",
		"3 Canceled refresh: canceled; Azure runs nothing that this operation started",
	}, r.history(id))
}

func TestA_pause_that_comes_during_a_call_is_merged_with_its_answer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.start()
	r.store.on("save", meanwhile(func() { require.NoError(t, second(r.engine.Pause(r.ctx(), id))) }))
	r.finish()
	require.Equal(t, "refresh", r.operation(id).Step)
	require.Len(t, r.azure.made(""), 1)
	require.NoError(t, second(r.engine.Resume(r.ctx(), id)))
	r.finish()
	r.requireSucceeded(id)
}

func TestA_flag_set_after_a_lost_save_is_not_taken_for_a_refusal(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.start()
	// The save is made, its answer lost, and someone cancels before it is
	// looked for: the row has neither the own write id nor the old seq.
	r.store.on("save", lost())
	r.store.on("load", none(), meanwhile(func() { require.NoError(t, second(r.engine.Cancel(r.ctx(), id))) }))
	r.step()
	require.Equal(t, "refresh", r.operation(id).Step)
	r.finish()
	require.Equal(t, operation.Canceled, r.operation(id).Status)
	require.Len(t, r.azure.made(""), 1)
}

func TestA_save_whose_answer_is_lost_is_recognised_by_its_write_id(t *testing.T) {
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

// The client of Table Storage repeats a request whose answer was lost, and then
// finds the row changed by itself.
func TestA_save_that_is_refused_because_of_itself_is_recognised(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.start()
	r.store.on("save", fault{after: func() error { return engine.ErrConflict }})
	r.finish()
	r.requireSucceeded(id)
	require.Len(t, r.azure.made("find"), 1)
}

func TestA_save_that_was_not_made_is_made_again_and_the_call_is_not(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for range 6 {
		r.store.on("save", away(), none())
	}
	id := r.start()
	r.finish()
	r.requireSucceeded(id)
	require.Len(t, r.azure.made(""), 5)
	require.Empty(t, r.sleeps, "the row could be read: there is nothing to wait for")
}

func TestAn_answer_is_held_for_half_a_minute_while_the_table_is_away(t *testing.T) {
	t.Parallel()
	const s = time.Second
	r := newRig(t)
	id := r.start()
	r.store.on("save", away())
	r.store.on("load", none(), away(), away(), away(), away())
	r.step()
	require.Equal(t, []time.Duration{2 * s, 4 * s, 8 * s, 16 * s}, r.sleeps)
	require.Equal(t, "refresh", r.operation(id).Step)
	require.Len(t, r.azure.made("find"), 1)

	// Beyond that its message is put off, and the call that may be made again
	// is made again.
	r.store.on("save", away())
	r.store.on("load", none(), away(), away(), away(), away(), away())
	r.step()
	require.Equal(t, "refresh", r.operation(id).Step)
	require.Equal(t, 1, r.queue.Waiting()[0].Wakeup.Snoozes)
	r.finish()
	r.requireSucceeded(id)
	require.Len(t, r.azure.made("refresh"), 2)
}

func TestEach_time_that_the_table_goes_away_an_answer_is_held_anew(t *testing.T) {
	t.Parallel()
	const s = time.Second
	r := newRig(t)
	id := r.start()
	r.store.on("save", away(), away())
	r.store.on("load", none(), away(), away(), away(), none(), away(), away(), away())
	r.step()
	require.Equal(t, []time.Duration{2 * s, 4 * s, 8 * s, 2 * s, 4 * s, 8 * s}, r.sleeps)
	require.Equal(t, "refresh", r.operation(id).Step)
	require.Len(t, r.azure.made("find"), 1)
}

func TestAn_invocation_that_was_overtaken_leaves_everything_to_the_other(t *testing.T) {
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

func TestAn_overtaken_redelivery_heals_what_the_other_may_have_left_undone(t *testing.T) {
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

func TestA_row_that_others_save_again_and_again_gives_the_message_back(t *testing.T) {
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
	_, err := flag(r.ctx(), id)
	require.ErrorIs(t, err, engine.ErrConflict, "a person is told, too")

	r.store.each = nil
	require.NoError(t, r.invoke(m.Wakeup, 2))
	r.finish()
	r.requireSucceeded(id)
}

// vanishing has no row any more when it is to be saved.
func TestA_row_that_vanishes_ends_the_matter(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	missing := fault{before: func() error { return engine.ErrNotFound }}
	r.store.on("save", missing)
	r.store.on("load", none(), missing)
	require.NoError(t, r.invoke(r.next().Wakeup, 1))
	require.Empty(t, r.queue.Waiting())
}

// second is the error of a call that gives an operation, too.
func second(_ operation.Operation, err error) error { return err }
