package operation_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

// arrows is an independent copy of the agreed state machine.
func arrows() map[operation.Status]map[operation.Trigger]operation.Status {
	live := map[operation.Trigger]operation.Status{
		operation.StepAnswered:     operation.Running,
		operation.LastStepDone:     operation.Succeeded,
		operation.DoneWithWarnings: operation.SucceededWithWarnings,
		operation.FailedForGood:    operation.Failed,
		operation.CancelHonored:    operation.Canceled,
		operation.DeadlinePassed:   operation.TimedOut,
		operation.NeedsAttention:   operation.Parked,
		operation.CleanUpBegan:     operation.Running,
	}
	again := map[operation.Trigger]operation.Status{operation.Retried: operation.Running, operation.Corrected: operation.Pending}
	return map[operation.Status]map[operation.Trigger]operation.Status{
		operation.Pending: live,
		operation.Running: live,
		operation.Parked: {
			operation.CancelHonored: operation.Canceled,
			operation.Retried:       operation.Running,
			operation.CleanUpBegan:  operation.Running,
		},
		operation.Failed:   again,
		operation.TimedOut: again,
	}
}

func triggers() []operation.Trigger {
	return []operation.Trigger{
		operation.StepAnswered, operation.LastStepDone, operation.DoneWithWarnings, operation.FailedForGood,
		operation.CancelHonored, operation.DeadlinePassed, operation.NeedsAttention, operation.Retried, operation.Corrected,
		operation.CleanUpBegan,
	}
}

func TestStatusTo_FollowsTheTable(t *testing.T) {
	t.Parallel()
	known := 0
	for _, from := range operation.Statuses() {
		for _, trigger := range triggers() {
			want, exists := arrows()[from][trigger]
			to, err := from.To(trigger)
			if !exists {
				require.Error(t, err, "%s, %s", from, trigger)
				require.ErrorContains(t, err, string(from))
				require.ErrorContains(t, err, string(trigger))
				require.Equal(t, from, to, "a rejected transition keeps the status")
				continue
			}
			known++
			require.NoError(t, err, "%s, %s", from, trigger)
			require.Equal(t, want, to, "%s, %s", from, trigger)
		}
	}
	require.Len(t, operation.Transitions(), known, "the table has unknown or duplicate transitions")
}

func TestStatusTo_RejectsUnknownStatuses(t *testing.T) {
	t.Parallel()
	for _, status := range []operation.Status{"", "running", "Resting"} {
		for _, trigger := range triggers() {
			_, err := status.To(trigger)
			require.Error(t, err)
		}
		require.False(t, status.Terminal())
		require.False(t, status.Successful())
	}
}

func TestStatus_FiveAreTerminalAndTwoSuccessful(t *testing.T) {
	t.Parallel()
	var ends, good []operation.Status
	for _, s := range operation.Statuses() {
		if s.Terminal() {
			ends = append(ends, s)
		}
		if s.Successful() {
			good = append(good, s)
		}
	}
	require.ElementsMatch(t, []operation.Status{
		operation.Succeeded, operation.SucceededWithWarnings, operation.Failed, operation.Canceled, operation.TimedOut,
	}, ends)
	require.ElementsMatch(t, []operation.Status{operation.Succeeded, operation.SucceededWithWarnings}, good)
}

func TestTransitions_ReachEveryStatusFromPending(t *testing.T) {
	t.Parallel()
	reached := []operation.Status{operation.Pending}
	for i := 0; i < len(reached); i++ {
		for _, arrow := range operation.Transitions() {
			if arrow.From == reached[i] && !slices.Contains(reached, arrow.To) {
				reached = append(reached, arrow.To)
			}
		}
	}
	require.ElementsMatch(t, operation.Statuses(), reached)
}

// The result of a transition must follow from the table alone, for every status.
func TestTransitions_FollowTheTable(t *testing.T) {
	t.Parallel()
	stays := []string{"claimed", "rescued"}
	for _, tr := range transitions() {
		for _, status := range append(operation.Statuses(), "", "Resting") {
			op := claimed()
			op.Status = status
			next, ev := tr.do(op, after(0))
			if next.Status == status && (slices.Contains(stays, tr.name) || next.Seq == op.Seq) {
				continue
			}
			require.Equal(t, next.Status, ev.Status)
			drawn := slices.ContainsFunc(operation.Transitions(), func(a operation.Transition) bool {
				return a.From == status && a.To == next.Status
			})
			if !drawn {
				require.Equal(t, operation.Parked, next.Status, "%s of a %s operation", tr.name, status)
				require.Equal(t, "IllegalTransition", next.LastError.Code, "%s of a %s operation", tr.name, status)
			}
		}
	}
}
