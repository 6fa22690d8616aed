package engine_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/request"
	"azbackupflow/internal/step"
)

// corrected returns the request of newRig's flow with other parameters.
func corrected(number int) request.Request {
	r := demoRequest()
	r.Parameters = json.RawMessage(fmt.Sprintf(`{"share":"corrected-%d"}`, number))
	r.Labels = map[string]string{"round": fmt.Sprint(number)}
	return r
}

// failedRead returns a rig whose operation failed at its first step, which reads.
func failedRead(t *testing.T) (*rig, string) {
	t.Helper()
	r := newRig(t)
	id := r.start()
	r.azure.on("find", fails(&operation.Error{Code: "NotFound", Class: operation.Fatal, Message: "no such vault"}))
	r.finish()
	require.Equal(t, operation.Failed, r.operation(id).Status)
	return r, id
}

func TestStart_CorrectedRequestStartsAgainBeforeTheFirstWrite(t *testing.T) {
	t.Parallel()
	r, id := failedRead(t)
	before := r.operation(id)
	r.clock.Advance(time.Hour)
	by := operation.Cause{Actor: operation.Actor{Kind: operation.ActorQueue, ID: "requests"}, Reason: "right vault"}
	op, created, err := r.engine.Start(r.ctx(), corrected(1), engine.Origin{Cause: by, MessageID: "m2"})
	require.NoError(t, err)
	require.True(t, created, "something was started")
	require.Equal(t, id, op.ID)
	require.Equal(t, operation.Pending, op.Status)
	require.Equal(t, 1, op.Round)
	require.Equal(t, before.Seq+1, op.Seq)
	require.Equal(t, before.CreatedAt, op.CreatedAt)
	require.JSONEq(t, `{"share":"corrected-1"}`, string(op.Parameters))
	require.Equal(t, map[string]string{"round": "1"}, op.Labels)
	require.Equal(t, "m2", op.RequestID)
	require.Nil(t, op.LastError)
	require.Zero(t, op.EndedAt)
	require.Equal(t, before.Deadline.Sub(before.CreatedAt), op.Deadline.Sub(r.clock.Now()), "the whole time again")
	r.finish()
	r.requireSucceeded(id)
	history := r.history(id)
	require.Contains(t, history[1], "Failed find: failed", "the failed round stays in the history")
	require.Contains(t, history[2], "started again with a corrected request; round 0 ended Failed")

	// Neither request starts anything again, however late it arrives.
	for _, late := range []request.Request{demoRequest(), corrected(1)} {
		op, created, err = r.engine.Start(r.ctx(), late, engine.Origin{})
		require.NoError(t, err)
		require.False(t, created)
		require.Equal(t, operation.Succeeded, op.Status)
	}
	_, _, err = r.engine.Start(r.ctx(), corrected(2), engine.Origin{})
	var conflict *engine.KeyConflict
	require.ErrorAs(t, err, &conflict)
	require.Equal(t, operation.Succeeded, conflict.Status)
}

// A corrected request that names no bulk leaves the operation in its bulk, which
// would otherwise wait for it forever.
func TestStart_CorrectedRequestStaysInTheBulk(t *testing.T) {
	t.Parallel()
	for corrects, want := range map[string]string{"": "night", "morning": "morning"} {
		r := newRig(t)
		_, _, err := r.engine.Start(r.ctx(), demoRequest(), engine.Origin{Bulk: "night"})
		require.NoError(t, err)
		r.azure.on("find", fails(&operation.Error{Code: "NotFound", Class: operation.Fatal}))
		r.finish()
		op, created, err := r.engine.Start(r.ctx(), corrected(1), engine.Origin{Bulk: corrects})
		require.NoError(t, err)
		require.True(t, created)
		require.Equal(t, want, op.Bulk)
	}
}

func TestStart_LateFirstRequestDoesNotReplaceItsCorrection(t *testing.T) {
	t.Parallel()
	r, id := failedRead(t)
	_, created, err := r.engine.Start(r.ctx(), corrected(1), engine.Origin{})
	require.NoError(t, err)
	require.True(t, created)
	r.azure.on("find", fails(&operation.Error{Code: "NotFound", Class: operation.Fatal}))
	r.finish()
	require.Equal(t, operation.Failed, r.operation(id).Status)
	op, created, err := r.engine.Start(r.ctx(), demoRequest(), engine.Origin{})
	require.NoError(t, err)
	require.False(t, created)
	require.Equal(t, operation.Failed, op.Status)
	require.JSONEq(t, `{"share":"corrected-1"}`, string(op.Parameters))
	_, created, err = r.engine.Start(r.ctx(), corrected(2), engine.Origin{})
	require.NoError(t, err)
	require.True(t, created, "another correction starts")
}

func TestStart_AfterTheFirstWriteAnotherRequestIsAConflict(t *testing.T) {
	t.Parallel()
	for _, failing := range []string{"refresh", "protect", "trigger", "await"} {
		t.Run(failing, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			id := r.start()
			r.azure.on(failing, fails(&operation.Error{Code: "Denied", Class: operation.Fatal}))
			r.finish()
			require.Equal(t, operation.Failed, r.operation(id).Status)
			before := r.operation(id)
			_, _, err := r.engine.Start(r.ctx(), corrected(1), engine.Origin{})
			var conflict *engine.KeyConflict
			require.ErrorAs(t, err, &conflict)
			require.Equal(t, before, r.operation(id))
		})
	}
}

// The process dies after the call and before the save. The row then does not say
// that the call was made.
func TestStart_UnsavedWriteIsNotForgotten(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.start()
	r.step() // find
	m := r.next()
	r.store.on("save", diesBefore())
	require.ErrorIs(t, survive(func() error { return r.invoke(m.Wakeup, 1) }), errDied)
	require.Len(t, r.azure.made("refresh"), 1)
	require.True(t, r.operation(id).OnlyRead)
	r.clock.Advance(1000 * time.Hour) // past the deadline
	require.NoError(t, r.invoke(m.Wakeup, 2))
	require.Equal(t, operation.TimedOut, r.operation(id).Status)
	_, _, err := r.engine.Start(r.ctx(), corrected(1), engine.Origin{})
	var conflict *engine.KeyConflict
	require.ErrorAs(t, err, &conflict)
}

func TestStart_CanceledAndLiveOperationsKeepTheirKey(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.start()
	var conflict *engine.KeyConflict
	_, _, err := r.engine.Start(r.ctx(), corrected(1), engine.Origin{})
	require.ErrorAs(t, err, &conflict)
	require.NoError(t, second(r.engine.Cancel(r.ctx(), id, operation.Cause{})))
	r.finish()
	require.Equal(t, operation.Canceled, r.operation(id).Status)
	_, _, err = r.engine.Start(r.ctx(), corrected(1), engine.Origin{})
	require.ErrorAs(t, err, &conflict)
}

// A process dies, or a dependency is unavailable, at each call of a restart. The
// sender repeats its request.
func TestStart_CorrectedRequestSurvivesEveryFault(t *testing.T) {
	t.Parallel()
	for _, call := range []string{"relabel", "reopen", "save", "send"} {
		for name, f := range map[string]fault{"dies before": diesBefore(), "dies after": diesAfter(), "unavailable": unavailable()} {
			t.Run(call+" "+name, func(t *testing.T) {
				t.Parallel()
				r, id := failedRead(t)
				r.store.on(call, f)
				r.bus.on(call, f)
				err := survive(func() error { return errOf(r.engine.Start(r.ctx(), corrected(1), engine.Origin{})) })
				if err != nil {
					require.True(t, errors.Is(err, errDied) || errors.Is(err, errUnavailable), "%v", err)
					op, _, err := r.engine.Start(r.ctx(), corrected(1), engine.Origin{})
					require.NoError(t, err)
					require.Equal(t, operation.Pending, op.Status)
				}
				r.finish()
				r.requireSucceeded(id)
				require.Equal(t, 1, r.operation(id).Round, "one restart")
				require.Len(t, r.azure.made("trigger"), 1)
			})
		}
	}
}

func TestStart_CorrectionsAreLimited(t *testing.T) {
	t.Parallel()
	r, id := failedRead(t)
	var conflict *engine.KeyConflict
	for n := 1; ; n++ {
		_, created, err := r.engine.Start(r.ctx(), corrected(n), engine.Origin{})
		if errors.As(err, &conflict) {
			require.Equal(t, 21, n)
			return
		}
		require.NoError(t, err)
		require.True(t, created)
		r.azure.on("find", fails(&operation.Error{Code: "NotFound", Class: operation.Fatal}))
		r.finish()
		require.Equal(t, n, r.operation(id).Round)
	}
}

// An operation that an earlier version of the app has created does not say
// whether it changed anything.
func TestStart_OperationOfAnEarlierVersionKeepsItsKey(t *testing.T) {
	t.Parallel()
	r, id := failedRead(t)
	row, err := r.rows.Load(r.ctx(), id)
	require.NoError(t, err)
	row.Operation.OnlyRead = false
	_, err = r.rows.Save(r.ctx(), row, operation.Event{Seq: row.Operation.Seq, WriteID: "old"})
	require.NoError(t, err)
	var conflict *engine.KeyConflict
	_, _, err = r.engine.Start(r.ctx(), corrected(1), engine.Origin{})
	require.ErrorAs(t, err, &conflict)
	var invalid *step.Invalid
	require.NotErrorAs(t, err, &invalid)
}
