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
	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/request"
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

// unreadableRecords are records of which some cannot be read.
type unreadableRecords struct {
	autoprotect.Records
	exclusion, decision string
}

func (r unreadableRecords) LoadExclusion(ctx context.Context, id string) (decision.Exclusion, bool, error) {
	if id == r.exclusion {
		return decision.Exclusion{}, false, &operation.Unreadable{Record: id, Err: errors.New("cut off")}
	}
	return r.Records.LoadExclusion(ctx, id)
}

func (r unreadableRecords) LoadDecision(ctx context.Context, id string) (decision.Record, error) {
	if id == r.decision {
		return decision.Record{}, &operation.Unreadable{Record: id, Err: errors.New("cut off")}
	}
	return r.Records.LoadDecision(ctx, id)
}

// A decision that cannot be read is made again. It starts no second operation.
func TestEvaluator_ReplacesAnUnreadableDecision(t *testing.T) {
	t.Parallel()
	s := newSite(t, toDaily)
	s.deliver(accountID)
	started := s.operations()
	require.Len(t, started, 2)
	s.config.Records = unreadableRecords{Records: s.store, decision: ordersID}
	s.deliver(accountID)
	require.NoError(t, s.evaluator().Sweep(t.Context()))
	require.Equal(t, started, s.operations())
	require.Contains(t, s.logged(), "decision unreadable")
	require.Equal(t, "protect", s.verdict(ordersID).Outcome)
}

// A resource whose exclusion cannot be read stays excluded: a user ended its
// protection.
func TestEvaluator_KeepsAnUnreadableExclusion(t *testing.T) {
	t.Parallel()
	for name, evaluate := range map[string]func(*site){
		"event": func(s *site) { s.deliver(accountID) },
		"sweep": func(s *site) { require.NoError(s.t, s.evaluator().Sweep(s.t.Context())) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, toDaily)
			s.config.Records = unreadableRecords{Records: s.store, exclusion: ordersID}
			evaluate(s)
			require.Len(t, s.operations(), 1, "the other share is protected")
			v := s.verdict(ordersID)
			require.Equal(t, "excluded", v.Outcome)
			require.Equal(t, "a user ended the protection; the record of it cannot be read", v.Reason)
			require.Equal(t, "protect", s.verdict(tmpID).Outcome)
		})
	}
}

// brokenShare is an engine that cannot start the operation of one share.
type brokenShare struct{ autoprotect.Starter }

func (e brokenShare) Start(ctx context.Context, r request.Request, o engine.Origin) (operation.Operation, bool, error) {
	if strings.Contains(string(r.Parameters), "orders") {
		return operation.Operation{}, false, errors.New("the row of the operation cannot be read")
	}
	return e.Starter.Start(ctx, r, o)
}

// A share whose operation cannot be started does not keep the other shares of the
// account from their protection. The event is delivered again.
func TestHandleEvent_OneFailingShareDoesNotStopTheOthers(t *testing.T) {
	t.Parallel()
	s := newSite(t, toDaily)
	s.config.Engine = brokenShare{s.config.Engine}
	err := s.evaluator().HandleEvent(t.Context(), event(t, "EventGrid", accountID), "")
	require.ErrorContains(t, err, "cannot be read")
	require.Len(t, s.operations(), 1)
	require.Equal(t, "protect", s.verdict(tmpID).Outcome)
}

// A rule that is changed later changes nothing about a resource that it has
// protected, and its record names the policy that was applied.
func TestEvaluator_RecordsThePolicyThatWasApplied(t *testing.T) {
	t.Parallel()
	s := newSite(t, toDaily)
	s.deliver(accountID)
	before := s.verdict(ordersID)
	s.config.Rules = rules(t, strings.ReplaceAll(toDaily, "schedule1", "another-policy"))
	s.deliver(accountID)
	require.Equal(t, before, s.verdict(ordersID))
}
