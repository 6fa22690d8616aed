package main

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/autoprotect/decision"
	"azbackupflow/internal/cli"
)

func TestProtectDecisions_ListsReasons(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	require.Equal(t, "No decisions.\n", s.succeeds("protect", "decisions"))
	for i, v := range []decision.Record{
		{Outcome: "protect", Rule: "all", Reason: "protects it", OperationID: "abc", Source: "event", EventID: "e"},
		{Outcome: "none", Reason: "no rule matches", DryRunMatches: []string{"rule trial would protect it"}, Source: "sweep"},
		{Outcome: "lost", Rule: "all", Reason: "the vault no longer lists it", Source: "sweep"},
	} {
		v.ResourceID, v.At = fmt.Sprintf("/subscriptions/s/servers/pg%d", i), s.api.Clock.Now()
		require.NoError(t, s.api.Store.SaveDecision(t.Context(), v))
	}
	s.golden("decisions", s.succeeds("protect", "decisions", "--limit", "2"))
	var list api.DecisionPage
	require.NoError(t, json.Unmarshal([]byte(s.succeeds("protect", "decisions", "--rule", "all", "-o", "json")), &list))
	require.Len(t, list.Decisions, 2)
	require.Contains(t, s.succeeds("protect", "decisions", "--outcome", "lost"), "no longer lists it")
	wrong := s.run("protect", "decisions", "--outcome", "red")
	require.Equal(t, cli.ExitUsage, wrong.code)
	require.Contains(t, wrong.stderr, `outcome: "red" is not an outcome`)
	require.Contains(t, s.run("protect", "decisions", "--limit", "0").stderr, "at least 1")
}
