package operation_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

func TestOverdue_DoublesTheTimeBetweenRescues(t *testing.T) {
	t.Parallel()
	for late, want := range map[time.Duration]int{
		-24 * time.Hour: 0, 0: 0, 10*time.Minute - 1: 0,
		10 * time.Minute: 1, 20*time.Minute - 1: 1,
		20 * time.Minute: 2, 40*time.Minute - 1: 2,
		40 * time.Minute: 3, 80 * time.Minute: 4, 160 * time.Minute: 5,
	} {
		rescue, overdue := running().Overdue(start().Add(late), operation.AzureWaits())
		require.Equal(t, want, rescue, "%s late", late)
		require.Equal(t, want > 0, overdue, "%s late", late)
	}
}

func TestOverdue_ExcludesEndedAndParkedOperations(t *testing.T) {
	t.Parallel()
	year := start().Add(365 * 24 * time.Hour)
	for _, status := range operation.Statuses() {
		op := running()
		op.Status = status
		_, overdue := op.Overdue(year, operation.AzureWaits())
		require.Equal(t, !status.Terminal() && status != operation.Parked, overdue, string(status))
	}
}

func TestOverdue_PausedOperationCountsFromItsDeadline(t *testing.T) {
	t.Parallel()
	w := operation.AzureWaits()
	op := running()
	op.Paused = true
	_, overdue := op.Overdue(op.Deadline.Add(9*time.Minute), w)
	require.False(t, overdue)
	rescue, overdue := op.Overdue(op.Deadline.Add(10*time.Minute), w)
	require.True(t, overdue)
	require.Equal(t, 1, rescue)

	for name, change := range map[string]func(*operation.Operation){
		"a claim is still reconciled": func(op *operation.Operation) { op.Claim = claim() },
		"a cancel is still honored":   func(op *operation.Operation) { op.CancelRequested = true },
	} {
		woken := op
		change(&woken)
		_, overdue := woken.Overdue(start().Add(10*time.Minute), w)
		require.True(t, overdue, name)
	}
}

func TestOverdue_ParkedOperationCountsFromItsCancellation(t *testing.T) {
	t.Parallel()
	w := operation.AzureWaits()
	op := running()
	op.Status, op.DueAt = operation.Parked, time.Time{}
	op.CancelRequested, op.UpdatedAt = true, start().Add(time.Hour)
	_, overdue := op.Overdue(start().Add(69*time.Minute), w)
	require.False(t, overdue)
	rescue, overdue := op.Overdue(start().Add(70*time.Minute), w)
	require.True(t, overdue)
	require.Equal(t, 1, rescue)
}

func TestRescued_CountsEachOnceAndParksAtTheFifth(t *testing.T) {
	t.Parallel()
	op, in := claimed(), after(time.Hour)
	for n := 1; n < operation.MaxRescues; n++ {
		name := operation.RescueName(n)
		next, ev, counted := op.Rescued(name, in)
		require.True(t, counted)
		requireMatchingEvent(t, next, ev, in)
		require.Equal(t, n, next.Rescues)
		require.Equal(t, op.Seq, next.Seq, "the message of this seq stays valid")
		require.Equal(t, op.DueAt, next.DueAt)
		require.Equal(t, claim(), next.Claim)
		require.Equal(t, operation.Running, next.Status)

		again, _, counted := next.Rescued(name, in)
		require.False(t, counted, "a redelivered rescue is not counted")
		require.Equal(t, next, again)
		_, _, counted = next.Rescued("another", in)
		require.False(t, counted, "after an outage, all its rescues arrive at once")
		op, in = next, after(time.Hour+time.Duration(n)*10*time.Minute)
	}
	next, ev, counted := op.Rescued(operation.RescueName(operation.MaxRescues), in)
	require.True(t, counted)
	requireSaved(t, op, next, ev, in)
	require.Equal(t, operation.Parked, next.Status)
	require.Equal(t, "NoProgress", next.LastError.Code)
	require.Contains(t, next.LastError.Message, "trigger")
	require.NotEmpty(t, next.LastError.RecommendedAction)
	require.Equal(t, claim(), next.Claim, "the call must still be reconciled")
}

func TestRescued_ProgressResetsTheCount(t *testing.T) {
	t.Parallel()
	op := running()
	op.Rescues, op.LastRescue, op.RescuedAt = 4, "rescue-4", start()
	next, _ := op.Answered(plan(), operation.Outcome{Kind: operation.Wait}, after(0))
	require.Zero(t, next.Rescues)
	require.Empty(t, next.LastRescue)
	require.Zero(t, next.RescuedAt)
}

func TestRescueName_IsUnique(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for n := range 100 {
		seen[operation.RescueName(n)] = true
	}
	require.Len(t, seen, 100)
}
