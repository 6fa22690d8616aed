package autoprotect_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/autoprotect"
	"azbackupflow/internal/local/armsim"
)

func surveyAll(t *testing.T, s *site, pause bool) (all []autoprotect.Surveyed) {
	t.Helper()
	e := s.evaluator()
	scopes, err := e.Scopes()
	require.NoError(t, err)
	for _, scope := range scopes {
		for after, rounds := "", 0; ; rounds++ {
			require.Less(t, rounds, 100, "endless")
			found, next, err := e.Survey(t.Context(), scope, arm.CallOptions{}, after, func() bool { return !pause })
			require.NoError(t, err)
			all = append(all, found...)
			if after = next; next == "" {
				break
			}
		}
	}
	return all
}

func TestSurvey_ShowsWhatTheRulesDecide(t *testing.T) {
	t.Parallel()
	s := newSite(t, "{name: tmp, exclude: true, match: {names: [tmp-*]}}", toDaily, "{name: servers, match: {names: [pg0*]}, "+toBackup+"}")
	all := surveyAll(t, s, false)
	by := map[string]autoprotect.Surveyed{}
	outcomes := map[autoprotect.Outcome]int{}
	for _, r := range all {
		by[r.ID] = r
		outcomes[r.Outcome]++
	}
	require.Len(t, by, len(all), "each resource once")
	require.Equal(t, autoprotect.Exclude, by[tmpID].Outcome)
	require.Equal(t, "tmp", by[tmpID].Rule)
	require.Positive(t, outcomes[autoprotect.Protect])
	require.Positive(t, outcomes[autoprotect.None], "a server that no rule matches")
	for _, r := range all {
		require.Equal(t, r.Outcome == autoprotect.Protect, r.Flow != "" && r.Parameters["policy"] != "", r.ID)
	}
	require.ElementsMatch(t, all, surveyAll(t, s, true), "a survey that stops after each storage account reads the same")
	require.Len(t, s.evaluator().RuleVaults(), 2)
	require.Empty(t, s.operations(), "it starts nothing")
}

// An account whose shares are all excluded is not listed: that would cost a call.
func TestSurvey_DoesNotListTheSharesOfAnExcludedAccount(t *testing.T) {
	t.Parallel()
	s := newSite(t, `{name: none, exclude: true, match: {storageAccounts: ["st*"]}}`, toDaily)
	excluded := 0
	for _, r := range surveyAll(t, s, false) {
		if r.ID == accountID+"/fileServices/default" {
			require.Equal(t, autoprotect.Exclude, r.Outcome)
			require.Equal(t, "stapp01", r.Name)
			excluded++
		}
	}
	require.Equal(t, 1, excluded)
	for _, r := range s.arm.Requests() {
		require.NotContains(t, r.Path, "stapp01")
	}
}

func TestSurvey_KeepsWhatItReadBeforeAnError(t *testing.T) {
	t.Parallel()
	s := newSite(t, toDaily)
	e := s.evaluator()
	scopes, err := e.Scopes()
	require.NoError(t, err)
	remove := s.arm.Inject(armsim.Rule{Kind: "GET shares", Effect: armsim.Answer(500, "", nil)})
	found, next, err := e.Survey(t.Context(), scopes[0], arm.CallOptions{}, "", func() bool { return true })
	require.Error(t, err)
	require.Empty(t, found)
	require.Empty(t, next)
	remove()
	found, next, err = e.Survey(t.Context(), scopes[0], arm.CallOptions{}, "", func() bool { return true })
	require.NoError(t, err)
	require.NotEmpty(t, found)
	require.Empty(t, next)

	s.config.RulesErr = errors.New("rule 1")
	_, err = s.evaluator().Scopes()
	require.ErrorContains(t, err, "rule 1")
}
