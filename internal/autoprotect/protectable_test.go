package autoprotect_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/autoprotect"
	"azbackupflow/internal/local/armsim"
)

func TestProtectable_ListsWhatTheRulesMatch(t *testing.T) {
	t.Parallel()
	s := newSite(t, "{name: tmp, exclude: true, match: {names: [tmp-*]}}", toDaily, "{name: servers, dryRun: true, match: {names: [pg0*]}, "+toBackup+"}")
	found, err := s.evaluator().Protectable(t.Context())
	require.NoError(t, err)
	require.Empty(t, found.Unread)
	require.Len(t, found.Vaults, 2)
	require.Contains(t, found.Resources, autoprotect.ProtectableResource{ID: accountID, VaultID: found.Vaults[0]})
	servers := 0
	for _, r := range found.Resources {
		if r.VaultID == found.Vaults[1] {
			servers++
			require.Contains(t, r.ID, "/flexibleServers/pg0")
		}
	}
	require.Positive(t, servers, "a dry run shows what the rule would do")
	require.Empty(t, s.operations(), "it starts nothing")
}

func TestProtectable_IgnoresExcludedResources(t *testing.T) {
	t.Parallel()
	s := newSite(t, `{name: none, exclude: true, match: {storageAccounts: ["st*"]}}`, toDaily)
	found, err := s.evaluator().Protectable(t.Context())
	require.NoError(t, err)
	require.Empty(t, found.Resources)
}

func TestProtectable_NamesTheListsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	s := newSite(t, toDaily, "{name: servers, "+toBackup+"}")
	s.arm.Inject(armsim.Rule{Kind: "GET storageAccounts", Effect: armsim.Answer(403, "", nil)})
	found, err := s.evaluator().Protectable(t.Context())
	require.NoError(t, err)
	require.Len(t, found.Unread, 1)
	require.Equal(t, "Microsoft.Storage/storageAccounts", found.Unread[0].ResourceType)
	require.Equal(t, subscription, found.Unread[0].SubscriptionID)
	require.Error(t, found.Unread[0].Err)
	require.NotEmpty(t, found.Resources, "the rest is listed")

	s.config.RulesErr = errors.New("rule 1")
	_, err = s.evaluator().Protectable(t.Context())
	require.ErrorContains(t, err, "rule 1")
}
