package engine_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

func TestCrash_BetweenSaveAndSendIsRepaired(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.start()
	r.bus.on("send", diesBefore())
	m := r.next()
	require.ErrorIs(t, r.invoke(m.Wakeup, 1), errDied)
	require.Equal(t, "refresh", r.operation(id).Step)
	require.Empty(t, r.queue.Waiting(), "the next message was never sent")

	require.NoError(t, r.invoke(m.Wakeup, 2), "the host redelivers the message")
	require.Len(t, r.queue.Waiting(), 1)
	require.Equal(t, engine.StepMessage(r.operation(id), "trace-1"), r.queue.Waiting()[0])
	require.Len(t, r.azure.made("find"), 1, "the call is not repeated")
	r.finish()
	r.requireSucceeded(id)
}

// A moment is just before or just after one call of the store, the queue or
// Azure.
func TestCrash_AtAnyMomentLosesNothingAndStartsOneJob(t *testing.T) {
	t.Parallel()
	everyMoment(t, "dies", die)
}

func TestOutage_AtAnyMomentLosesNothingAndStartsOneJob(t *testing.T) {
	t.Parallel()
	everyMoment(t, "away", unreachable)
}

// Two faults of either kind happen at moments chosen by a fixed seed.
func TestCrash_TwoFaultsLoseNothingAndStartOneJob(t *testing.T) {
	t.Parallel()
	moments := runWithFaults(t, nil)
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		faults := map[int]func() error{}
		for range 2 {
			faults[random.IntN(moments+10)] = []func() error{die, unreachable}[random.IntN(2)]
		}
		t.Run(fmt.Sprint("moments ", slices.Sorted(maps.Keys(faults))), func(t *testing.T) {
			t.Parallel()
			runWithFaults(t, faults)
		})
	}
}

// everyMoment runs the demo flow once for each of its moments, with the fault at
// that moment.
func everyMoment(t *testing.T, what string, fail func() error) {
	t.Helper()
	moments := runWithFaults(t, nil)
	require.Greater(t, moments, 30)
	for at := range moments {
		t.Run(fmt.Sprintf("%s at moment %d", what, at), func(t *testing.T) {
			t.Parallel()
			runWithFaults(t, map[int]func() error{at: fail})
		})
	}
}

// runWithFaults runs the demo flow with faults at moments counted from its first
// message, and returns the number of its moments.
func runWithFaults(t *testing.T, at map[int]func() error) (moments int) {
	t.Helper()
	r := newRig(t)
	id := r.start()
	var count atomic.Int64
	moment := func() error {
		if fail := at[int(count.Add(1)-1)]; fail != nil {
			return fail()
		}
		return nil
	}
	each := func(string) fault { return fault{before: moment, after: moment} }
	r.store.each, r.bus.each = each, each
	for _, name := range []string{"find", "refresh", "protect", "trigger", "await"} {
		planned := usual(name)
		troubled := func(a *azure, c step.Call) (operation.Outcome, error) {
			if err := moment(); err != nil {
				return operation.Outcome{}, err
			}
			out, err := planned(a, c)
			if lost := moment(); lost != nil {
				return operation.Outcome{}, lost
			}
			return out, err
		}
		for range 5 {
			r.azure.on(name, troubled)
		}
	}
	r.finish()
	r.store.each, r.bus.each = nil, nil
	// The sweep is needed only to finalize an ended operation.
	require.True(t, r.operation(id).Status.Terminal(), "the sweep should not be needed: %v", r.history(id))
	r.sweep()
	r.requireSucceeded(id)
	require.Empty(t, r.dead)
	return int(count.Load())
}

func TestRunStep_AcknowledgesDuplicates(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.start()
	var old []engine.Message
	for len(r.queue.Waiting()) > 0 {
		m := r.next()
		r.deliver(m)
		old = append(old, m)
		seq, waiting := r.operation(id).Seq, r.queue.Waiting()
		for _, m := range old {
			require.NoError(t, r.invoke(m.Wakeup, 1))
		}
		require.Equal(t, seq, r.operation(id).Seq)
		require.Equal(t, waiting, r.queue.Waiting(), "a stale copy sends nothing")
	}
	r.requireSucceeded(id)
	require.Len(t, r.azure.made(""), 5)
}

func TestRunStep_ConcurrentDuplicatesStartOneJob(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.start()
	for len(r.queue.Waiting()) > 0 {
		m := r.next()
		done := make(chan error, 2)
		for range 2 {
			go func() { done <- r.invoke(m.Wakeup, 1) }()
		}
		require.NoError(t, <-done)
		require.NoError(t, <-done)
	}
	r.requireSucceeded(id)
}

func TestRunStep_MessageAheadWakesTheRow(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.start()
	first := r.next()
	require.NoError(t, r.invoke(operation.Wakeup{OperationID: id, Seq: 9, TraceParent: "trace-2"}, 1))
	woken := r.queue.Waiting()
	require.Len(t, woken, 1)
	require.Equal(t, operation.Wakeup{OperationID: id, Seq: 1, TraceParent: "trace-2"}, woken[0].Wakeup)
	require.NotEqual(t, first.ID, woken[0].ID, "duplicate detection would drop it")
	require.Equal(t, r.clock.Now(), woken[0].Due)
	r.finish()
	r.requireSucceeded(id)
}

func TestRunStep_AcknowledgesMessageWithoutRow(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	require.NoError(t, r.invoke(operation.Wakeup{OperationID: "gone", Seq: 1}, 1))
	require.Empty(t, r.queue.Waiting())
}

func TestRunStep_PanicParksWithTheStack(t *testing.T) {
	t.Parallel()
	for name, plan := range map[string]func(*azure){
		"trigger":   func(a *azure) { a.on("trigger", panics) },
		"reconcile": func(a *azure) { a.on("trigger", unanswered(false)); a.on("reconcile", panics) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			plan(r.azure)
			id := r.start()
			r.finish()
			op := r.operation(id)
			require.Equal(t, operation.Parked, op.Status)
			require.Equal(t, "Panic", op.LastError.Code)
			require.Contains(t, op.LastError.Message, "step trigger panicked: the sky fell")
			require.Contains(t, op.LastError.Message, "crash_test.go")
			require.NotNil(t, op.Claim, "the call may have been made before the panic")
			require.Equal(t, []string{id}, r.live(), "a parked operation stays live")

			r.clock.Advance(time.Hour)
			_, err := r.engine.Retry(r.ctx(), id, operation.Cause{})
			require.NoError(t, err)
			r.finish()
			r.requireSucceeded(id)
			require.Equal(t, 1, r.operation(id).Round)
		})
	}
}

func panics(*azure, step.Call) (operation.Outcome, error) { panic("the sky fell") }

// A step that returns a nil *operation.Error has succeeded without an outcome.
func TestRunStep_MissingOutcomeParks(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.azure.on("protect", func(*azure, step.Call) (operation.Outcome, error) {
		var nothing *operation.Error
		return operation.Outcome{}, nothing
	})
	id := r.start()
	r.finish()
	require.Equal(t, operation.Parked, r.operation(id).Status)
	require.Equal(t, "UnknownOutcome", r.operation(id).LastError.Code)
	require.Len(t, r.azure.made("protect"), 1)
}
