package autoprotect_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/autoprotect"
	"azbackupflow/internal/autoprotect/decision"
	"azbackupflow/internal/operation"
)

func TestHandleEvent_AnotherRuleStartsItsOwnOperation(t *testing.T) {
	t.Parallel()
	s := newSite(t, toDaily)
	s.deliver(ordersID)
	first := s.verdict(ordersID)
	s.config.Rules = rules(t, strings.Replace(toDaily, "name: daily", "name: nightly", 1))
	s.deliver(ordersID)
	second := s.verdict(ordersID)
	require.Equal(t, "nightly", second.Rule)
	require.NotEqual(t, first.OperationID, second.OperationID)
	require.Len(t, s.operations(), 2)
}

// awayDecisions are records whose table of decisions is unavailable.
type awayDecisions struct{ autoprotect.Records }

func (awayDecisions) LoadDecision(context.Context, string) (decision.Record, error) {
	return decision.Record{}, errors.New("the table is unavailable")
}

func TestHandleEvent_StartsNothingIfDecisionsCannotBeRead(t *testing.T) {
	t.Parallel()
	s := newSite(t, toDaily)
	s.config.Records = awayDecisions{s.store}
	require.ErrorContains(t, s.evaluator().HandleEvent(t.Context(), event(t, "EventGrid", accountID), ""), "unavailable")
	require.Empty(t, s.operations())
}

func TestSweep_FindsTheSharesThatARuleNames(t *testing.T) {
	t.Parallel()
	s := newSite(t, "{name: orders, match: {names: [orders]}, "+toVault+"}")
	require.NoError(t, s.evaluator().Sweep(t.Context()))
	require.Len(t, s.operations(), 1)
	require.Equal(t, "protect", s.verdict(ordersID).Outcome)
}

func TestSweep_DryRunThatExcludesHidesNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, "{name: try, exclude: true, dryRun: true}", toDaily)
	require.NoError(t, s.evaluator().Sweep(t.Context()))
	require.Len(t, s.operations(), 2)
	require.Equal(t, []string{"try: exclude from automatic protection"}, s.verdict(ordersID).DryRunMatches)
}

func TestSweep_ExcludedResourceIsNotLost(t *testing.T) {
	t.Parallel()
	s := newSite(t, toDaily)
	s.deliver(ordersID)
	s.end(s.verdict(ordersID).OperationID, operation.Succeeded)
	require.NoError(t, s.store.SaveExclusion(t.Context(), decision.Exclusion{ResourceID: ordersID, OperationID: "op-of-a-user", At: s.clock.Now()}))
	s.clock.Advance(2 * time.Hour)
	require.NoError(t, s.evaluator().Sweep(t.Context()))
	require.Equal(t, "excluded", s.verdict(ordersID).Outcome)
}

func TestSweep_RetriesAFailureOnceADay(t *testing.T) {
	t.Parallel()
	s := newSite(t, "{name: tmp, exclude: true, match: {names: [tmp-*]}}", toDaily)
	s.deliver(accountID)
	for range 5 {
		s.end(s.verdict(ordersID).OperationID, operation.Failed)
		s.clock.Advance(time.Hour)
		require.NoError(t, s.evaluator().Sweep(t.Context()))
	}
	require.Len(t, s.operations(), 2, "the first attempt and the one of today")
	s.clock.Advance(24 * time.Hour)
	require.NoError(t, s.evaluator().Sweep(t.Context()))
	require.Len(t, s.operations(), 3)
}
