package engine_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
)

func TestRunStep_MakesOneCallForEachMessage(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.start()
	require.Equal(t, []string{id}, r.live())
	r.finish()
	r.requireSucceeded(id)

	require.Equal(t, []string{
		"1 Pending find: accepted",
		"2 Running find: done: found i1",
		"3 Running refresh: done",
		"4 Running protect: done",
		"4 Running trigger: claimed the call as attempt " + r.azure.jobs[0],
		"5 Running trigger: done",
		"6 Succeeded await: done: job completed",
	}, r.history(id))
	const s = time.Second
	var steps []string
	for i, call := range r.azure.made("") {
		steps = append(steps, call.step)
		require.Equal(t, morning().Add([]time.Duration{0, 0, 10 * s, 70 * s, 100 * s}[i]), call.at, call.step)
	}
	require.Equal(t, []string{"find", "refresh", "protect", "trigger", "await"}, steps)

	op := r.operation(id)
	require.Equal(t, map[string]string{"item": "i1"}, op.Learned)
	require.Equal(t, morning().Add(100*s), op.EndedAt)
	require.JSONEq(t, `{"share":"s1"}`, string(op.Parameters))
}

func TestRunStep_MessagesCarryNoData(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.start()
	r.finish()
	require.Len(t, r.bus.sent, 5, "one for each seq except the last")
	for i, m := range r.bus.sent {
		seq := int64(i + 1)
		require.Equal(t, fmt.Sprintf("%s:%d", id, seq), m.ID)
		require.Equal(t, operation.Wakeup{OperationID: id, Seq: seq, TraceParent: "trace-1"}, m.Wakeup)
	}
}

func TestRunStep_CostsOneReadAndOneTransactionAndTwoForOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start()
	r.finish()
	require.Equal(t, 5, r.store.calls("load"))
	require.Equal(t, 6, r.store.calls("save"))
	require.Equal(t, 1, r.store.calls("finalize"))
	require.Equal(t, 5, r.bus.calls("send"))
}

func TestRunStep_CallsHaveUniqueAttemptIDs(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.azure.on("find", fails(&operation.Error{Code: "x", Class: operation.Transient}))
	r.start()
	r.finish()
	seen := map[string]bool{}
	for _, call := range r.azure.made("") {
		require.NotEmpty(t, call.attempt)
		require.False(t, seen[call.attempt], "%s used an id again", call.step)
		seen[call.attempt] = true
	}
	require.Len(t, seen, 6)
}

func TestRunStep_HistoryHoldsTheExchanges(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.azure.on("trigger", unanswered(true))
	id := r.start()
	r.finish()
	var exchanges []string
	for ev, err := range r.rows.History(t.Context(), id) {
		require.NoError(t, err)
		require.LessOrEqual(t, len(ev.Exchanges), 1)
		for _, x := range ev.Exchanges {
			exchanges = append(exchanges, fmt.Sprintf("%d %s %s %d", ev.Seq, x.Method, x.Path, x.Status))
		}
	}
	require.Equal(t, []string{
		"2 GET /find 200", "3 GET /refresh 200", "4 GET /protect 200",
		"5 GET /trigger 200", "6 GET /reconcile 200", "7 GET /await 200",
	}, exchanges)
}

func TestRunStep_WarningsAndFailuresEndTheOperation(t *testing.T) {
	t.Parallel()
	denied := &operation.Error{Code: "UserErrorMissingPermissions", Class: operation.Fatal, Message: "no role", RecommendedAction: []string{"assign it"}}
	for name, c := range map[string]struct {
		step   string
		answer answer
		want   operation.Status
		err    *operation.Error
	}{
		"a warning":                    {"await", returns(operation.Outcome{Kind: operation.Finish, Warnings: []string{"slow"}}), operation.SucceededWithWarnings, nil},
		"an error that is not retried": {"protect", fails(denied), operation.Failed, denied},
		"a wrapped error":              {"protect", fails(fmt.Errorf("protect: %w", denied)), operation.Failed, denied},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.azure.on(c.step, c.answer)
			id := r.start()
			r.finish()
			require.Equal(t, c.want, r.operation(id).Status)
			require.Equal(t, c.err, r.operation(id).LastError)
			require.Empty(t, r.live())
			require.Len(t, r.azure.made(c.step), 1)
		})
	}
}

func TestRunStep_UnclassifiedErrorIsTransient(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.azure.on("protect", fails(fmt.Errorf("read body: %w", errUnavailable)))
	id := r.start()
	r.until(id, "protect")
	r.step()
	op := r.operation(id)
	require.Equal(t, &operation.Error{Code: "Unexpected", Class: operation.Transient, Message: "read body: unavailable", Ambiguous: true}, op.LastError)
	require.Equal(t, 1, op.Attempts)
	r.finish()
	r.requireSucceeded(id)
}

func TestRunStep_WaitingIsNeverAFailure(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for range 100 {
		r.azure.on("await", returns(operation.Outcome{Kind: operation.Wait, Pace: operation.PaceJob, Note: "job (InProgress)"}))
		r.azure.on("protect", throttled(2*time.Minute))
	}
	id := r.start()
	r.finish()
	r.requireSucceeded(id)
	require.Equal(t, int64(206), r.operation(id).Seq)
}

func TestNew_NamesTheMissingField(t *testing.T) {
	t.Parallel()
	_, err := engine.New(engine.Config{})
	require.ErrorContains(t, err, "Config.Store is missing")
	r := newRig(t)
	_, err = engine.New(engine.Config{Store: r.store, Queue: r.bus, Flows: registry(t, r.azure)})
	require.ErrorContains(t, err, "Config.Waits is missing")
	_, err = engine.New(engine.Config{Store: r.store, Queue: r.bus, Flows: registry(t, r.azure), Waits: operation.AzureWaits(), Now: r.clock.Now, Jitter: func() float64 { return 0 }, NewID: r.newID, Sleep: r.sleep})
	require.NoError(t, err, "log, locks and notifier are optional")
}
