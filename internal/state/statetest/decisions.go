package statetest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/autoprotect/decision"
	"azbackupflow/internal/operation"
)

func decisionTests() []test {
	return []test{
		{"the last decision is loaded", lastDecision},
		{"decisions are listed by resource", decisionsByResource},
		{"decisions are filtered by outcome or rule", decisionsFiltered},
		{"an unknown continuation token is an error", decisionsContinue},
	}
}

func lastDecision(t *testing.T, s Store) {
	const id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a/fileServices/default/shares/x"
	_, err := s.LoadDecision(t.Context(), id)
	require.ErrorIs(t, err, decision.ErrNotFound)
	d := decision.Record{ResourceID: id, At: start(), Outcome: "none", Reason: "no rule matches", Source: "event", EventID: "e"}
	require.NoError(t, s.SaveDecision(t.Context(), d))
	d.ResourceID, d.Outcome, d.Rule, d.OperationID, d.DryRunMatches = strings.ToUpper(id), "protect", "all", "op", []string{"x"}
	require.NoError(t, s.SaveDecision(t.Context(), d))
	loaded, err := s.LoadDecision(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, d, loaded)
}

// listDecisions returns the resource IDs of all pages.
func listDecisions(t *testing.T, s Store, q decision.Query) (ids []string) {
	t.Helper()
	for pages := 0; ; pages++ {
		require.Less(t, pages, 1000, "the pages must end")
		page, err := s.ListDecisions(t.Context(), q)
		require.NoError(t, err)
		require.LessOrEqual(t, len(page.Decisions), q.Size())
		for _, d := range page.Decisions {
			require.Equal(t, start(), d.At)
			ids = append(ids, d.ResourceID)
		}
		if page.Continue == "" {
			return ids
		}
		q.Continue = page.Continue
	}
}

func saveDecisions(t *testing.T, s Store) {
	t.Helper()
	for i, id := range []string{"/s/c", "/S/a", "/s/d", "/s/b"} {
		d := decision.Record{ResourceID: id, At: start(), Outcome: "none", Reason: "no rule matches", Source: "sweep"}
		if i%2 == 1 {
			d.Outcome, d.Rule = "protect", "rule's"
		}
		require.NoError(t, s.SaveDecision(t.Context(), d))
	}
}

func decisionsByResource(t *testing.T, s Store) {
	require.Empty(t, listDecisions(t, s, decision.Query{}))
	saveDecisions(t, s)
	want := []string{"/S/a", "/s/b", "/s/c", "/s/d"}
	require.Equal(t, want, listDecisions(t, s, decision.Query{}))
	for _, size := range []int{1, 2, 3, 4} {
		require.Equal(t, want, listDecisions(t, s, decision.Query{PageSize: size}))
	}
}

func decisionsFiltered(t *testing.T, s Store) {
	saveDecisions(t, s)
	require.Equal(t, []string{"/s/c", "/s/d"}, listDecisions(t, s, decision.Query{Outcome: "none", PageSize: 1}))
	require.Equal(t, []string{"/S/a", "/s/b"}, listDecisions(t, s, decision.Query{Rule: "rule's", PageSize: 1}))
	require.Empty(t, listDecisions(t, s, decision.Query{Outcome: "none", Rule: "rule's"}))
}

func decisionsContinue(t *testing.T, s Store) {
	saveDecisions(t, s)
	for _, text := range []string{"?", "JyBvciAn"} {
		_, err := s.ListDecisions(t.Context(), decision.Query{Continue: text})
		require.ErrorIs(t, err, operation.ErrContinue)
	}
}
