package autoprotect_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/autoprotect"
	"azbackupflow/internal/autoprotect/decision"
)

// noExclusions are records whose table of exclusions cannot be read.
type noExclusions struct{ autoprotect.Records }

// LoadExclusion implements autoprotect.Records.
func (noExclusions) LoadExclusion(context.Context, string) (decision.Exclusion, bool, error) {
	return decision.Exclusion{}, false, errors.New("the table is unavailable")
}

func TestEvaluator_StartsNothingIfExclusionsCannotBeRead(t *testing.T) {
	t.Parallel()
	s := newSite(t, toDaily)
	s.config.Records = noExclusions{s.store}
	require.ErrorContains(t, s.evaluator().HandleEvent(t.Context(), event(t, "EventGrid", accountID), ""), "unavailable")
	require.ErrorContains(t, s.evaluator().Sweep(t.Context()), "unavailable")
	require.Empty(t, s.operations())
}

func TestEvaluator_ProtectsAResourceThatWasCreatedAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t, toDaily)
	s.deliver(accountID)
	first := s.verdict(ordersID)
	s.deliver(accountID)
	require.Equal(t, first.OperationID, s.verdict(ordersID).OperationID, "the same resource")

	earlier := first
	earlier.Created, earlier.OperationID = first.Created.Add(-time.Hour), "operation-of-the-deleted-share"
	require.NoError(t, s.store.SaveDecision(t.Context(), earlier))
	s.deliver(accountID)
	require.Equal(t, first.OperationID, s.verdict(ordersID).OperationID, "the decision about the deleted share is not applied")
	require.True(t, first.Created.Equal(s.verdict(ordersID).Created))
}
