package statetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/autoprotect/decision"
)

func exclusionTests() []test {
	return []test{
		{"an exclusion is deleted", exclusionDeleted},
		{"a resource has one exclusion in any casing", sameExclusionOnce},
		{"an exclusion is found in any casing", exclusionFound},
		{"all exclusions are listed", exclusionsListed},
	}
}

func sameExclusionOnce(t *testing.T, s Store) {
	require.NoError(t, s.SaveExclusion(t.Context(), decision.Exclusion{ResourceID: "/Subscriptions/S/x?#%é", OperationID: "op0001", At: start()}))
	last := decision.Exclusion{ResourceID: "/subscriptions/s/X?#%é", OperationID: "op0002", At: start()}
	require.NoError(t, s.SaveExclusion(t.Context(), last))
	x, found, err := s.LoadExclusion(t.Context(), "/Subscriptions/S/x?#%é")
	require.NoError(t, err)
	require.True(t, found)
	require.Equal(t, last, x)
	require.NoError(t, s.DeleteExclusion(t.Context(), last.ResourceID))
	_, found, err = s.LoadExclusion(t.Context(), "/Subscriptions/S/x?#%é")
	require.NoError(t, err)
	require.False(t, found, "there is no second one")
}

func exclusionDeleted(t *testing.T, s Store) {
	require.NoError(t, s.DeleteExclusion(t.Context(), "/nobody"))
	require.NoError(t, s.SaveExclusion(t.Context(), decision.Exclusion{ResourceID: "/Subscriptions/S/a", OperationID: "op0001", At: start()}))
	require.NoError(t, s.DeleteExclusion(t.Context(), "/subscriptions/s/A"))
	_, found, err := s.LoadExclusion(t.Context(), "/Subscriptions/S/a")
	require.NoError(t, err)
	require.False(t, found)
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

func exclusionsListed(t *testing.T, s Store) {
	var want []decision.Exclusion
	for _, id := range []string{"/Subscriptions/S/a", "/subscriptions/s/b?#%é"} {
		x := decision.Exclusion{ResourceID: id, OperationID: "op0001", At: start(), PolicyID: "p"}
		require.NoError(t, s.SaveExclusion(t.Context(), x))
		want = append(want, x)
	}
	require.NoError(t, s.SaveExclusion(t.Context(), decision.Exclusion{ResourceID: "/gone", OperationID: "op0001", At: start()}))
	require.NoError(t, s.DeleteExclusion(t.Context(), "/gone"))
	all, err := s.ListExclusions(t.Context())
	require.NoError(t, err)
	require.ElementsMatch(t, want, all)
}
