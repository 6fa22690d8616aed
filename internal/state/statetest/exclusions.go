package statetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/state"
)

func exclusionTests() []test {
	return []test{
		{"ExclusionIsListedAsItWas", exclusionIsListed},
		{"IncludedResourceIsExcludedNoMore", included},
		{"SameResourceIsExcludedOnceWhateverItsCasing", sameExclusionOnce},
	}
}

func exclusions(t *testing.T, s Store) []state.Exclusion {
	t.Helper()
	var all []state.Exclusion
	for x, err := range s.Exclusions(t.Context()) {
		require.NoError(t, err)
		all = append(all, x)
	}
	return all
}

func exclusionIsListed(t *testing.T, s Store) {
	require.Empty(t, exclusions(t, s))
	x := state.Exclusion{ResourceID: "/subscriptions/s/x?#%é", OperationID: "op0001", At: start()}
	require.NoError(t, s.Exclude(t.Context(), x))
	require.Equal(t, []state.Exclusion{x}, exclusions(t, s))
}

func sameExclusionOnce(t *testing.T, s Store) {
	require.NoError(t, s.Exclude(t.Context(), state.Exclusion{ResourceID: "/Subscriptions/S/a", OperationID: "op0001", At: start()}))
	last := state.Exclusion{ResourceID: "/subscriptions/s/A", OperationID: "op0002", At: start()}
	require.NoError(t, s.Exclude(t.Context(), last))
	require.Equal(t, []state.Exclusion{last}, exclusions(t, s))
}

func included(t *testing.T, s Store) {
	require.NoError(t, s.Include(t.Context(), "/nobody"))
	require.NoError(t, s.Exclude(t.Context(), state.Exclusion{ResourceID: "/Subscriptions/S/a", OperationID: "op0001", At: start()}))
	require.NoError(t, s.Include(t.Context(), "/subscriptions/s/A"))
	require.Empty(t, exclusions(t, s))
}
