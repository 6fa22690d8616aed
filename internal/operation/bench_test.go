package operation_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

// polled is a running operation that polls a long status URL, and the delivery of
// its message.
func polled() (operation.Operation, operation.Delivery) {
	op := running()
	op.Tracking = &operation.Tracking{StatusURL: "https://management.azure.com/status", SubmittedAt: start()}
	return op, operation.Delivery{Wakeup: operation.Wakeup{OperationID: op.ID, Seq: op.Seq}, Count: 1}
}

func BenchmarkFence(b *testing.B) {
	op, d := polled()
	now := start().Add(time.Minute)
	b.ReportAllocs()
	for b.Loop() {
		if op.Fence(d, now) != operation.Run {
			b.Fatal("the message is for the row's seq")
		}
	}
}

// A poll that finds nothing new is the most frequent transition.
func BenchmarkTransition(b *testing.B) {
	op, _ := polled()
	in, steps := after(time.Minute), plan()
	outcome := operation.Outcome{Kind: operation.Wait, Note: "the job", Pace: operation.PaceJob}
	b.ReportAllocs()
	for b.Loop() {
		if next, _ := op.Answered(steps, outcome, in); next.Seq != op.Seq+1 {
			b.Fatal("the operation did not move on")
		}
	}
}

// The fence allocates nothing, and a poll that finds nothing new allocates only
// what the next row does not share with the last.
func TestTransition_AllocatesOnlyTheNextRow(t *testing.T) { //nolint:paralleltest // AllocsPerRun counts what all goroutines allocate.
	op, d := polled()
	in, steps := after(time.Minute), plan()
	outcome := operation.Outcome{Kind: operation.Wait, Note: "the job", Pace: operation.PaceJob}
	require.Zero(t, testing.AllocsPerRun(100, func() { op.Fence(d, in.Now) }))
	require.LessOrEqual(t, testing.AllocsPerRun(100, func() { op.Answered(steps, outcome, in) }), 8.0)
}
