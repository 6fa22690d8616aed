package autoprotect_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/datasource"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/autoprotect"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/operation"
)

func TestSweep_FindsResourcesWithoutEvent(t *testing.T) {
	t.Parallel()
	s := newSite(t, "{name: tmp, exclude: true, match: {names: [tmp-*]}}", toDaily, "{name: servers, match: {names: [pg0*]}, "+toBackup+"}")
	require.NoError(t, s.arm.CreateShare(accountID, armsim.Share{Name: "over-smb"}))
	require.NoError(t, s.evaluator().Sweep(t.Context()))
	found := map[string]string{}
	for _, op := range s.operations() {
		require.Equal(t, "sweep", op.Labels["source"])
		found[op.Labels["rule"]] += " " + op.Flow
	}
	require.Equal(t, map[string]string{"daily": " protect-file-share protect-file-share", "servers": " protect-postgres"}, found)
	require.Equal(t, "sweep", s.verdict(accountID+"/fileServices/default/shares/over-smb").Source)

	s.clock.Advance(time.Hour)
	require.NoError(t, s.evaluator().Sweep(t.Context()))
	require.Len(t, s.operations(), 3, "a pending operation is not started again")
	s.deliver(accountID)
	require.Len(t, s.operations(), 3, "a late event starts nothing")
}

// A dry run shows what a rule would do with resources that exist already, and writes
// each decision once.
func TestSweep_RecordsWhatADryRunWouldDo(t *testing.T) {
	t.Parallel()
	s := newSite(t, "{name: try, dryRun: true, match: {names: [orders, tmp-*]}, "+toVault+"}", "{name: tmp, exclude: true, match: {names: [tmp-*]}}")
	const would = "try: protect with policy schedule1 of vault azurefilesvault"
	require.NoError(t, s.evaluator().Sweep(t.Context()))
	for id, want := range map[string]string{ordersID: "none", tmpID: "exclude"} {
		got := s.verdict(id)
		require.Equal(t, want, got.Outcome)
		require.Equal(t, []string{would}, got.DryRunMatches)
		require.Equal(t, "sweep", got.Source)
	}
	written := strings.Count(s.logged(), "protection decided")
	require.Equal(t, 2, written)
	for range 3 {
		s.clock.Advance(time.Hour)
		require.NoError(t, s.evaluator().Sweep(t.Context()))
		s.deliver(accountID)
	}
	require.Equal(t, written, strings.Count(s.logged(), "protection decided"), "unchanged decisions are not written again")
	require.Empty(t, s.operations())

	s.config.Rules = rules(t, "{name: tmp, exclude: true, match: {names: [tmp-*]}}", "{name: try, match: {names: [orders, tmp-*]}, "+toVault+"}")
	require.NoError(t, s.evaluator().Sweep(t.Context()))
	require.Equal(t, "protect", s.verdict(ordersID).Outcome)
	require.Len(t, s.operations(), 1)
}

func TestSweep_RetriesFailuresDailyAndRecordsLostProtection(t *testing.T) {
	t.Parallel()
	s := newSite(t, "{name: tmp, exclude: true, match: {names: [tmp-*]}}", toDaily)
	s.deliver(accountID)
	first := s.operations()[0]
	s.end(first.ID, operation.Failed)
	for range 5 {
		require.NoError(t, s.evaluator().Sweep(t.Context()))
		s.clock.Advance(time.Hour)
	}
	require.Len(t, s.operations(), 2)
	again := s.verdict(ordersID).OperationID
	require.NotEqual(t, first.ID, again)

	s.end(again, operation.Succeeded)
	require.NoError(t, s.evaluator().Sweep(t.Context()))
	require.Equal(t, "protect", s.verdict(ordersID).Outcome, "the list of the vault may be out of date")
	s.clock.Advance(2 * time.Hour)
	require.NoError(t, s.evaluator().Sweep(t.Context()))
	require.Equal(t, "lost", s.verdict(ordersID).Outcome)
	require.Contains(t, s.logged(), "resource lost its protection")
	s.deliver(accountID)
	require.Equal(t, "lost", s.verdict(ordersID).Outcome, "an update of the account changes nothing")
	require.Len(t, s.operations(), 2, "lost protection is recorded but not restored")

	expired, err := s.store.Expire(t.Context(), s.clock.Now().Add(time.Hour), 10)
	require.NoError(t, err)
	require.Equal(t, 2, expired.Operations)
	s.clock.Advance(24 * time.Hour)
	require.NoError(t, s.evaluator().Sweep(t.Context()))
	s.deliver(accountID)
	require.Equal(t, "lost", s.verdict(ordersID).Outcome)
	require.Empty(t, s.operations(), "the same after retention deleted the operation")
}

func TestSweep_NeverRestartsCanceledOperations(t *testing.T) {
	t.Parallel()
	s := newSite(t, "{name: tmp, exclude: true, match: {names: [tmp-*]}}", toDaily)
	s.deliver(accountID)
	s.end(s.operations()[0].ID, operation.Failed)
	s.clock.Advance(24 * time.Hour)
	require.NoError(t, s.evaluator().Sweep(t.Context()))
	require.Len(t, s.operations(), 2)
	s.end(s.verdict(ordersID).OperationID, operation.Canceled)
	for range 3 {
		s.clock.Advance(24 * time.Hour)
		require.NoError(t, s.evaluator().Sweep(t.Context()))
		s.deliver(accountID)
	}
	require.Len(t, s.operations(), 2, "neither the first attempt nor the canceled one")
}

func TestSweep_StartsNothingIfAVaultCannotBeRead(t *testing.T) {
	t.Parallel()
	s := newSite(t, toDaily)
	s.arm.Inject(armsim.Rule{Kind: "GET backupProtectedItems", Effect: armsim.Answer(403, "", nil)})
	require.Error(t, s.evaluator().Sweep(t.Context()))
	require.Empty(t, s.operations())
}

func TestSweep_IgnoresProtectedResources(t *testing.T) {
	t.Parallel()
	s := newSite(t, "{name: all, "+toVault+"}", "{name: servers, "+toBackup+"}")
	world := armsim.DemoWorld()
	world.StorageAccounts = []armsim.StorageAccount{{
		Subscription: subscription, ResourceGroup: "rg-app", Name: "stapp01", Location: "westeurope", RegisteredWith: vault,
		Shares: []armsim.Share{{Name: "orders", Policy: "schedule1"}, {Name: "bare"}},
	}}
	world.FlexibleServers = nil
	sim, err := armsim.New(armsim.Config{Now: s.clock.Now, World: &world})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, sim.Close()) })
	s.arm = sim
	client, err := arm.New(arm.Config{Endpoint: sim.Endpoint(), Credential: s, Now: s.clock.Now})
	require.NoError(t, err)
	s.config.Datasources = datasource.New(client)
	s.config.Vaults = autoprotect.Vaults{RecoveryServices: recoveryservices.New(client), DataProtection: dataprotection.New(client)}
	require.NoError(t, s.evaluator().Sweep(t.Context()))
	require.Len(t, s.operations(), 1)
	require.Contains(t, string(s.operations()[0].Parameters), `"bare"`)
}
