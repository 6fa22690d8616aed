package main

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/autoprotect/decision"
)

func TestVerdictsAreListedWithTheirReasons(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	require.Equal(t, "No verdicts.\n", s.succeeds("protect", "verdicts"))
	for i, v := range []decision.Record{
		{Outcome: "protect", Rule: "all", Reason: "protects it", OperationID: "abc", Source: "event", EventID: "e"},
		{Outcome: "none", Reason: "no rule matches", DryRunMatches: []string{"rule trial would protect it"}, Source: "sweep"},
		{Outcome: "lost", Rule: "all", Reason: "the vault lists it no more", Source: "sweep"},
	} {
		v.ResourceID, v.At = fmt.Sprintf("/subscriptions/s/servers/pg%d", i), s.api.Clock.Now()
		require.NoError(t, s.api.Store.SaveDecision(t.Context(), v))
	}
	s.golden("verdicts", s.succeeds("protect", "verdicts", "--limit", "2"))
	var list api.DecisionPage
	require.NoError(t, json.Unmarshal([]byte(s.succeeds("protect", "verdicts", "--rule", "all", "-o", "json")), &list))
	require.Len(t, list.Decisions, 2)
	require.Contains(t, s.succeeds("protect", "verdicts", "--outcome", "lost"), "lists it no more")
	wrong := s.run("protect", "verdicts", "--outcome", "red")
	require.Equal(t, exitUsage, wrong.code)
	require.Contains(t, wrong.stderr, `outcome: "red" is not an outcome`)
	require.Contains(t, s.run("protect", "verdicts", "--limit", "0").stderr, "at least 1")
}
