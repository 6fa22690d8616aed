package operation_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

// start is the creation time of the operations in these tests.
func start() time.Time { return time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC) }

func plan() operation.Plan { return operation.Plan{"find", "trigger", "await", "confirm"} }

// running returns an operation in the middle of its flow. Its deadline is ten
// days away, longer than any wait.
func running() operation.Operation {
	return operation.Operation{
		Identity: operation.Identity{
			ID: "op", Key: "nightly", Flow: "backup-now", Version: 1,
			Parameters: json.RawMessage(`{"itemId":"x"}`), RequestHash: "hash",
			Labels:    map[string]string{"team": "a"},
			CreatedAt: start(),
		},
		Progress: operation.Progress{
			Status: operation.Running, Step: "trigger", Seq: 7,
			WriteID: "w7", DueAt: start(), Deadline: start().Add(10 * 24 * time.Hour),
			UpdatedAt: start(), StepStartedAt: start(),
		},
		AzureState: operation.AzureState{Learned: map[string]string{"container": "c1", "item": "i1"}},
	}
}

func claim() *operation.Claim {
	return &operation.Claim{AttemptID: "attempt-1", ClaimedAt: start(), NotAfter: start().Add(time.Minute)}
}

// claimed returns a running operation with a claim on its step's call.
func claimed() operation.Operation {
	op := running()
	op.Claim = claim()
	return op
}

// after returns the input for the given time after the operation's creation,
// which spreads nothing.
func after(d time.Duration) operation.Input {
	return operation.Input{Now: start().Add(d), Waits: operation.AzureWaits(), WriteID: "w8"}
}

func failure(class operation.Class) *operation.Error {
	return &operation.Error{Code: "Some" + string(class), Class: class, Message: "it did not work"}
}

// wait returns the time until the operation is due.
func wait(op operation.Operation, in operation.Input) time.Duration { return op.DueAt.Sub(in.Now) }

// requireSaved checks the rules for every transition that moves an operation on:
// the next seq, the save's own write ID, and a matching event.
func requireSaved(t *testing.T, before, next operation.Operation, ev operation.Event, in operation.Input) {
	t.Helper()
	require.Equal(t, before.Seq+1, next.Seq)
	require.Equal(t, in.WriteID, next.WriteID)
	require.Equal(t, in.Now, next.UpdatedAt)
	require.Zero(t, next.Rescues)
	require.Empty(t, next.LastRescue)
	requireMatchingEvent(t, next, ev, in)
}

// requireMatchingEvent checks that the history line matches the row.
func requireMatchingEvent(t *testing.T, next operation.Operation, ev operation.Event, in operation.Input) {
	t.Helper()
	require.NotEmpty(t, ev.What)
	ev.What = ""
	require.Equal(t, operation.Event{
		Seq: next.Seq, At: in.Now, Step: next.Step, Status: next.Status,
		DueAt: next.DueAt, Err: next.LastError, WriteID: in.WriteID,
	}, ev)
}

// transition is one of the package's transitions with valid arguments.
type transition struct {
	name string
	do   func(operation.Operation, operation.Input) (operation.Operation, operation.Event)
}

func transitions() []transition {
	type (
		op = operation.Operation
		at = operation.Input
		ev = operation.Event
	)
	answered := func(out operation.Outcome) func(op, at) (op, ev) {
		return func(o op, a at) (op, ev) { return o.Answered(plan(), out, a) }
	}
	failed := func(class operation.Class, ambiguous bool) func(op, at) (op, ev) {
		return func(o op, a at) (op, ev) {
			err := failure(class)
			err.Ambiguous = ambiguous
			return o.StepFailed(err, a)
		}
	}
	resolved := func(f operation.Reconciliation) func(op, at) (op, ev) {
		return func(o op, a at) (op, ev) { return o.Reconciled(plan(), f, a) }
	}
	taught := operation.Outcome{
		Kind: operation.Advance, Learned: map[string]string{"item": "", "job": "j1"},
		Tracking: &operation.Tracking{JobID: "j1"}, Warnings: []string{"slow"},
	}
	return []transition{
		{"advance", answered(taught)},
		{"advance past the end", answered(operation.Outcome{Kind: operation.Advance, Next: "confirm"})},
		{"wait", answered(operation.Outcome{Kind: operation.Wait})},
		{"finish", answered(operation.Outcome{Kind: operation.Finish})},
		{"back", answered(operation.Outcome{Kind: operation.Back, Next: "find", Err: failure(operation.Transient)})},
		{"back with a fatal error", answered(operation.Outcome{Kind: operation.Back, Next: "find", Err: failure(operation.Fatal)})},
		{"stop", answered(operation.Outcome{Kind: operation.Stop, Note: "job canceled"})},
		{"redirected", func(o op, a at) (op, ev) { return o.Redirected("confirm", a) }},
		{"unclear", answered(operation.Outcome{Kind: operation.Unclear, Err: failure(operation.UserAction)})},
		{"unknown outcome", answered(operation.Outcome{})},
		{"back without a reason", answered(operation.Outcome{Kind: operation.Back})},
		{"unclear without a reason", answered(operation.Outcome{Kind: operation.Unclear})},
		{"throttled", failed(operation.Throttled, false)},
		{"transient", failed(operation.Transient, false)},
		{"ambiguous", failed(operation.Transient, true)},
		{"fatal", failed(operation.Fatal, false)},
		{"unknown class", failed("", false)},
		{"claim expired", operation.Operation.ClaimExpired},
		{"found", resolved(operation.Reconciliation{Result: operation.Found, Outcome: taught})},
		{"not found", resolved(operation.Reconciliation{Result: operation.NotFound})},
		{"ambiguous reconciliation", resolved(operation.Reconciliation{Result: operation.Ambiguous, Err: failure(operation.UserAction)})},
		{"unknown reconciliation", resolved(operation.Reconciliation{})},
		{"reconciliation failed", func(o op, a at) (op, ev) { return o.ReconcileFailed(failure(operation.Transient), a) }},
		{"reconciliation failed with a fatal error", func(o op, a at) (op, ev) { return o.ReconcileFailed(failure(operation.Fatal), a) }},
		{"canceled", operation.Operation.Canceled},
		{"timed out", operation.Operation.TimedOut},
		{"parked", func(o op, a at) (op, ev) { return o.Parked(failure(operation.Fatal), a) }},
		{"retried", func(o op, a at) (op, ev) { n, e, _ := o.Retried(operation.Cause{}, a); return n, e }},
		{"claimed", func(o op, a at) (op, ev) { return o.Claimed("attempt-2", a) }},
		{"rescued", func(o op, a at) (op, ev) { n, e, _ := o.Rescued("rescue-1", a); return n, e }},
	}
}
