package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestScenarios_AThousandOperationsPollNearlyAsSlowlyAsInAzure(t *testing.T) {
	t.Parallel()
	all, err := scenarios("100, 1000")
	require.NoError(t, err)
	require.Len(t, all, 3)
	require.Equal(t, []string{"flat out", "100 waiting", "1000 waiting"}, []string{all[0].Name, all[1].Name, all[2].Name})
	require.GreaterOrEqual(t, all[2].RetryAfter, 8*time.Second)
	for _, s := range all[1:] {
		require.Equal(t, s.RetryAfter, s.Spread, "polls are evenly distributed")
	}
	for _, bad := range []string{"", "many", "0", "100,-1"} {
		_, err := scenarios(bad)
		require.ErrorContains(t, err, "-ops")
	}
}

func TestChoose_RejectsAnUnknownContestant(t *testing.T) {
	t.Parallel()
	_, err := choose("azcore,nobody")
	require.ErrorContains(t, err, `"nobody"`)
	chosen, err := choose("azcore")
	require.NoError(t, err)
	require.Len(t, chosen, 1)
	chosen, err = choose("")
	require.NoError(t, err)
	require.Len(t, chosen, 15)
}
