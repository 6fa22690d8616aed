package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/state"
	"azbackupflow/internal/state/memory"
	"azbackupflow/internal/step"
)

func TestCall_PriorityIsThatOfTheFlowOrOfWorkThatRuns(t *testing.T) {
	t.Parallel()
	tracking := returns(operation.Outcome{Kind: operation.Advance, Tracking: &operation.Tracking{JobID: "j"}})
	for _, c := range []struct {
		flow, before, following operation.Priority
	}{
		{0, operation.PriorityOther, operation.PriorityFollow},
		{operation.PriorityBackup, operation.PriorityBackup, operation.PriorityFollow},
		{operation.PriorityRestore, operation.PriorityRestore, operation.PriorityRestore},
	} {
		got := map[string]operation.Priority{}
		r := newRig(t, func(a *azure) step.Flow {
			f := demo(a)
			f.Priority = c.flow
			for i := range f.Steps {
				s := &f.Steps[i]
				run := s.Run
				s.Run = func(ctx context.Context, call step.Call) (operation.Outcome, error) {
					got[s.Name] = call.Priority
					return run(ctx, call)
				}
			}
			return f
		})
		r.azure.on("refresh", tracking)
		r.start()
		r.finish()
		require.Equal(t, c.before, got["find"])
		require.Equal(t, c.following, got["protect"])
	}
}

// A call ends early enough for its answer to be saved, and the next message to be
// sent, before the invocation's two minutes are over.
func TestCall_LeavesTimeForItsSave(t *testing.T) {
	t.Parallel()
	var call time.Time
	r := newRig(t, func(a *azure) step.Flow {
		f := demo(a)
		f.Steps[0].Run = func(ctx context.Context, _ step.Call) (operation.Outcome, error) {
			call, _ = ctx.Deadline()
			return operation.Outcome{Kind: operation.Finish}, nil
		}
		return f
	})
	r.start()
	began := time.Now()
	r.finish()
	require.WithinRange(t, call, began.Add(55*time.Second), time.Now().Add(61*time.Second))
}

// A rate limit may have no room for the reads of a reconciliation. The claim stays
// open: without it, the call would be sent again.
func TestReconcile_DeferralKeepsTheClaim(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.azure.on("trigger", unanswered(true))
	r.azure.on("reconcile", fails(&operation.Deferral{Limit: "read limit", Wait: time.Minute, Reservation: "bucket"}))
	id := r.start()
	r.until(id, "trigger")
	for n := 0; len(r.azure.made("reconcile")) == 0; n++ {
		require.Less(t, n, 10)
		r.step()
	}
	op := r.operation(id)
	require.NotNil(t, op.Claim)
	require.Equal(t, "bucket", op.Reservation)
	r.finish()
	r.requireSucceeded(id)
	require.Len(t, r.azure.made("trigger"), 1)
}

// The notices of an operation that ends are all tried again in the same delivery.
func TestNotices_FailedOneIsSentWithTheEnd(t *testing.T) {
	t.Parallel()
	r := noticed(t)
	r.azure.on("find", returns(operation.Outcome{Kind: operation.Finish}))
	r.mail.on("notify", unavailable())
	id := r.start()
	r.step()
	require.Equal(t, []string{"1:started Pending", "2:succeeded Succeeded"}, r.mail.sent)
	require.Empty(t, r.operation(id).PendingNotices)
	require.Empty(t, r.live())
}

// If what the operation has learned is too large, it fails without that.
func TestSave_TooLargeRowLosesWhatItHasLearned(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.azure.on("refresh", returns(operation.Outcome{Kind: operation.Advance, Warnings: []string{"w"}}))
	id := r.start()
	r.until(id, "protect")
	for range 2 {
		r.store.on("save", fault{before: func() error { return fmt.Errorf("save: %w", &state.TooLarge{Field: "learned"}) }})
	}
	r.finish()
	op := r.operation(id)
	require.Equal(t, operation.Failed, op.Status)
	require.Empty(t, op.Learned)
	require.Empty(t, op.Warnings)
}

// Duplicate detection drops a message with a used ID, so that each wake-up of a
// delivery that is not the first one has its own.
func TestWakeup_HasItsOwnID(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.start()
	ahead := operation.Wakeup{OperationID: id, Seq: 9}
	require.NoError(t, r.invoke(ahead, 1))
	require.NoError(t, r.invoke(ahead, 1))
	ids := map[string]bool{}
	for _, m := range r.bus.sent {
		require.False(t, ids[m.ID], m.ID)
		ids[m.ID] = true
	}
	require.Len(t, ids, 3)
}

func TestSnooze_CopyOfARescueIsNoRescue(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.start()
	r.store.on("load", unavailable())
	require.NoError(t, r.invoke(operation.Wakeup{OperationID: id, Seq: 1, Rescue: "rescue-1"}, 1))
	copied := r.bus.sent[len(r.bus.sent)-1]
	require.Equal(t, operation.Wakeup{OperationID: id, Seq: 1, Snoozes: 1}, copied.Wakeup)
}

func TestItemLock_TooManyStartsFailAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t, changing)
	r.startsPerItem = 1
	r.deploy(changing)
	r.ask("first")
	r.finish()
	second := r.ask("second")
	for n := 0; n < 20 && len(r.queue.Waiting()) > 0; n++ {
		r.step()
	}
	op := r.operation(second)
	require.Equal(t, operation.Failed, op.Status)
	require.Equal(t, "TooManyStarts", op.LastError.Code)
	require.Equal(t, operation.Fatal, op.LastError.Class)
	require.Zero(t, op.Attempts)
}

// A rejected request finds the operation of its key only if it is the same request.
func TestStart_RejectedRequestWithOtherParametersStaysRejected(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.start()
	revoked := errors.New("no longer allowed")
	r.deploy(func(a *azure) step.Flow {
		f := demo(a)
		f.Check = func(raw json.RawMessage) (json.RawMessage, error) {
			return raw, &step.Invalid{Fields: []step.FieldError{{Field: "flow", Problem: revoked.Error()}}}
		}
		return f
	})
	same, _, err := r.engine.Start(t.Context(), demoRequest(), engine.Origin{})
	require.NoError(t, err)
	require.Equal(t, id, same.ID)
	other := demoRequest()
	other.Parameters = []byte(`{"share":"s2"}`)
	_, _, err = r.engine.Start(t.Context(), other, engine.Origin{})
	var invalid *step.Invalid
	require.ErrorAs(t, err, &invalid)
}

func TestStart_DelayedOperationHasItsWholeTime(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	op, _, err := r.engine.Start(t.Context(), demoRequest(), engine.Origin{NotBefore: morning().Add(2 * time.Hour)})
	require.NoError(t, err)
	require.Equal(t, morning().Add(2*time.Hour), op.DueAt)
	require.Equal(t, 24*time.Hour, op.Deadline.Sub(op.DueAt))
}

// A sweep that has no time for all operations begins elsewhere the next time.
func TestSweep_BeginsAtARandomPlace(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var ids []string
	for n := range 64 {
		ids = append(ids, r.ask(fmt.Sprint("key-", n)))
	}
	slices.Sort(ids)
	var mu sync.Mutex
	var order []string
	e, err := engine.New(engine.Config{
		Store: loads{r.rows, func(id string) {
			mu.Lock()
			defer mu.Unlock()
			order = append(order, id)
		}},
		Queue: r.bus, Flows: registry(t, r.azure, demo), Waits: operation.AzureWaits(), Tenant: "contoso",
		Now: r.clock.Now, Jitter: func() float64 { return 0.5 }, NewID: r.newID, Sleep: r.sleep,
	})
	require.NoError(t, err)
	_, err = e.Sweep(t.Context())
	require.NoError(t, err)
	require.Len(t, order, 64)
	require.NotContains(t, order[:8], ids[0])
	require.Greater(t, order[0], ids[16])
}

// loads is a store that lists its operations in order and reports each load.
type loads struct {
	*memory.Store
	loaded func(id string)
}

func (l loads) Load(ctx context.Context, id string) (engine.Row, error) {
	l.loaded(id)
	return l.Store.Load(ctx, id)
}

func (l loads) ListLive(ctx context.Context) iter.Seq2[engine.LiveMarker, error] {
	return func(yield func(engine.LiveMarker, error) bool) {
		var all []engine.LiveMarker
		for one, err := range l.Store.ListLive(ctx) {
			if err != nil {
				yield(one, err)
				return
			}
			all = append(all, one)
		}
		slices.SortFunc(all, func(a, b engine.LiveMarker) int { return strings.Compare(a.ID, b.ID) })
		for _, one := range all {
			if !yield(one, nil) {
				return
			}
		}
	}
}

// A row that is too large stays so, however often it is saved.
func TestCancel_OfARowThatIsTooLargeIsNotRepeated(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.start()
	r.store.from("save", fault{before: func() error { return fmt.Errorf("save: %w", &state.TooLarge{Field: "learned"}) }})
	_, err := r.engine.Cancel(t.Context(), id, operation.Cause{})
	require.ErrorIs(t, err, engine.ErrTooLarge)
	require.Equal(t, 1, r.store.calls("save"))
}
