package statetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/autoprotect/decision"
)

func exclusionTests() []test {
	return []test{
		{"an exclusion is listed as it was saved", exclusionIsListed},
		{"an exclusion is deleted", exclusionDeleted},
		{"a resource has one exclusion in any casing", sameExclusionOnce},
		{"an exclusion is found in any casing", exclusionFound},
	}
}

func listExclusions(t *testing.T, s Store) []decision.Exclusion {
	t.Helper()
	var all []decision.Exclusion
	for x, err := range s.ListExclusions(t.Context()) {
		require.NoError(t, err)
		all = append(all, x)
	}
	return all
}

func exclusionIsListed(t *testing.T, s Store) {
	require.Empty(t, listExclusions(t, s))
	x := decision.Exclusion{ResourceID: "/subscriptions/s/x?#%é", OperationID: "op0001", At: start()}
	require.NoError(t, s.SaveExclusion(t.Context(), x))
	require.Equal(t, []decision.Exclusion{x}, listExclusions(t, s))
}

func sameExclusionOnce(t *testing.T, s Store) {
	require.NoError(t, s.SaveExclusion(t.Context(), decision.Exclusion{ResourceID: "/Subscriptions/S/a", OperationID: "op0001", At: start()}))
	last := decision.Exclusion{ResourceID: "/subscriptions/s/A", OperationID: "op0002", At: start()}
	require.NoError(t, s.SaveExclusion(t.Context(), last))
	require.Equal(t, []decision.Exclusion{last}, listExclusions(t, s))
}

func exclusionDeleted(t *testing.T, s Store) {
	require.NoError(t, s.DeleteExclusion(t.Context(), "/nobody"))
	require.NoError(t, s.SaveExclusion(t.Context(), decision.Exclusion{ResourceID: "/Subscriptions/S/a", OperationID: "op0001", At: start()}))
	require.NoError(t, s.DeleteExclusion(t.Context(), "/subscriptions/s/A"))
	require.Empty(t, listExclusions(t, s))
}

func exclusionFound(t *testing.T, s Store) {
	_, found, err := s.LoadExclusion(t.Context(), "/subscriptions/s/a")
	require.NoError(t, err)
	require.False(t, found)
	x := decision.Exclusion{ResourceID: "/Subscriptions/S/a", OperationID: "op0001", At: start()}
	require.NoError(t, s.SaveExclusion(t.Context(), x))
	loaded, found, err := s.LoadExclusion(t.Context(), "/subscriptions/s/A")
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, x, loaded)
}
