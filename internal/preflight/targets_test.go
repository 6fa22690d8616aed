package preflight_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/preflight"
)

const (
	otherSubscription = "/subscriptions/99999999-0000-0000-0000-000000000000"
	targetServer      = "/subscriptions/" + armsim.DemoSubscription + "/resourceGroups/targetrg/providers/Microsoft.DBforPostgreSQL/servers/targetossserver"

	readerID = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
)

func notChecked(r preflight.Report) (all []preflight.Finding) {
	for _, f := range r.Findings {
		if f.NotChecked {
			all = append(all, f)
		}
	}
	return all
}

// The URL of a container does not name its subscription: of an account that the
// app does not see, the roles are unknown.
func TestCheck_DoesNotBlameAContainerOfAnotherSubscription(t *testing.T) {
	t.Parallel()
	const elsewhere = "https://elsewhere.blob.core.windows.net/restores"
	s := newSite(t)
	s.cfg.RestoreTargets = append(s.cfg.RestoreTargets, elsewhere)
	report := s.check(t)
	require.True(t, report.OK, "%+v", report.Findings)
	unknown := notChecked(report)
	require.Len(t, unknown, 1)
	require.Equal(t, elsewhere, unknown[0].Subject)
	require.False(t, unknown[0].OK)
	require.Empty(t, unknown[0].Missing)
	require.Contains(t, unknown[0].Problem, "does not see storage account elsewhere")
	require.Contains(t, unknown[0].Do, `"Storage Blob Data Contributor"`)

	// An account that the app sees lacks the role.
	s.RemoveRole("ba92f5b4-2d11-453d-a403-e96b0029c9fe")
	report = s.check(t)
	require.False(t, report.OK)
	require.Equal(t, []string{"Storage Blob Data Contributor"}, report.Findings[0].Missing, "what failed is first")
	require.Contains(t, report.Findings[0].Subject, "testossstorageaccount")
	require.True(t, report.Findings[1].NotChecked, "then what is unknown")

	// A list of accounts that cannot be read shows none.
	s.Inject(armsim.Rule{Kind: "GET storageAccounts", Effect: armsim.AnswerError(http.StatusForbidden, "AuthorizationFailed", "no", nil)})
	require.Len(t, notChecked(s.check(t)), 2)
}

func TestCheck_CoversASingleServerAsRestoreTarget(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.cfg.RestoreTargets = []string{" " + targetServer + "/ "}
	report := s.check(t)
	require.True(t, report.OK, "%+v", report.Findings)
	var passed []string
	for _, f := range report.Findings {
		passed = append(passed, f.Check+" "+f.Subject)
	}
	require.Contains(t, passed, "vault identity "+targetServer)

	s.RemoveRole(readerID)
	found := wrong(s.check(t))
	require.Len(t, found, 1)
	require.Equal(t, targetServer, found[0].Subject)
	require.Equal(t, []string{"Reader"}, found[0].Missing)
}

// rules makes what the rules may protect known to the preflight.
func (s *site) rules(p preflight.Protectable) {
	s.cfg.Protectable = func(context.Context) (preflight.Protectable, error) { return p, nil }
}

func TestCheck_LooksAtWhatTheRulesMayProtect(t *testing.T) {
	t.Parallel()
	world := armsim.DemoWorld()
	account, server := world.StorageAccounts[0].ID(), world.FlexibleServers[0].ID()
	vault, backups := world.Vaults[0].ID(), world.BackupVaults[0].ID()
	s := newSite(t)
	s.cfg.Vaults, s.cfg.RestoreTargets = []string{vault}, nil
	s.rules(preflight.Protectable{Vaults: []string{vault, backups}, Resources: []preflight.ProtectableResource{
		{ID: server, VaultID: backups}, {ID: account + "2", VaultID: vault}, {ID: account + "2", VaultID: strings.ToUpper(vault)},
	}})
	report := s.check(t)
	require.True(t, report.OK, "%+v", wrong(report))
	subjects := map[string]int{}
	for _, f := range report.Findings {
		subjects[f.Check+" "+f.Subject]++
	}
	group, _, _ := strings.Cut(server, "/providers/")
	for _, subject := range []string{
		"permissions " + vault, "permissions " + backups, "permissions " + account + "2", "permissions " + server, "vault identity " + server, "vault identity " + group,
	} {
		require.Equal(t, 1, subjects[subject], "%s in %v", subject, subjects)
	}

	giveBack := s.DenyAction("Microsoft.DBforPostgreSQL/flexibleServers/read")
	found := wrong(s.check(t))
	giveBack()
	require.Len(t, found, 1)
	require.Equal(t, server, found[0].Subject)
	s.RemoveRole(readerID)
	found = wrong(s.check(t))
	require.Len(t, found, 1)
	require.Equal(t, group, found[0].Subject)
}

// The roles of each datasource follow from the table, and the app's permission to
// read it from the catalog.
func TestCheck_LooksAtEachKindThatTheRulesMayProtect(t *testing.T) {
	t.Parallel()
	world := armsim.DemoWorld()
	backups := world.BackupVaults[0].ID()
	for i, read := range map[int]string{
		0: "Microsoft.DBforMySQL/flexibleServers/read", 1: "Microsoft.Compute/disks/read", 2: "Microsoft.ContainerService/managedClusters/read",
	} {
		id := world.Resources[i].ID
		s := newSite(t)
		s.cfg.Vaults, s.cfg.RestoreTargets = nil, nil
		s.rules(preflight.Protectable{Vaults: []string{backups}, Resources: []preflight.ProtectableResource{{ID: id, VaultID: backups}}})
		s.DenyAction(read)
		found := wrong(s.check(t))
		var lacking []string
		for _, f := range found {
			if f.Subject == id && f.Check == "permissions" {
				lacking = append(lacking, f.Missing...)
			}
		}
		require.Equal(t, []string{read}, lacking)
		kind, ok := kinds.Find(kinds.All(), strings.TrimSuffix(read, "/read"))
		require.True(t, ok)
		for _, need := range kind.Roles {
			if need.On != kinds.OnSource || need.Restore {
				continue
			}
			s.RemoveRole(need.ID)
			require.Contains(t, fmt.Sprint(wrong(s.check(t))), need.Name, "the vault's identity lacks it on %s", id)
		}
	}
}

func TestCheck_NamesRulesAndListsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.cfg.Protectable = func(context.Context) (preflight.Protectable, error) {
		return preflight.Protectable{}, errors.New("protection rules cannot be parsed: rule 1")
	}
	found := wrong(s.check(t))
	require.Len(t, found, 1)
	require.Equal(t, "protection rules", found[0].Check)
	require.Contains(t, found[0].Problem, "rule 1")

	s.rules(preflight.Protectable{Unread: []preflight.Unread{{
		SubscriptionID: strings.TrimPrefix(otherSubscription, "/subscriptions/"), ResourceType: "Microsoft.Storage/storageAccounts",
		Err: fmt.Errorf("list: %w", &operation.Error{Code: "AuthorizationFailed", HTTPStatus: http.StatusForbidden, Class: operation.UserAction}),
	}}})
	found = wrong(s.check(t))
	require.Len(t, found, 1)
	require.Equal(t, otherSubscription, found[0].Subject)
	require.Equal(t, []string{"Microsoft.Storage/storageAccounts/read"}, found[0].Missing)
}

func TestCheck_BoundsTheResourcesOfTheRules(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var p preflight.Protectable
	for i := range 130 {
		p.Resources = append(p.Resources, preflight.ProtectableResource{
			ID: fmt.Sprintf("/subscriptions/%s/resourceGroups/many/providers/Microsoft.Storage/storageAccounts/many%03d", armsim.DemoSubscription, i),
		})
	}
	s.rules(p)
	report := s.check(t)
	require.True(t, report.OK)
	unknown := notChecked(report)
	require.Len(t, unknown, 1)
	require.Contains(t, unknown[0].Problem, "matches 130 resources; the first 100 are checked")
	require.Len(t, requestsOf(s, "/storageAccounts/many"), 100)
}

func requestsOf(s *site, part string) (paths []string) {
	for _, r := range s.Requests() {
		if strings.Contains(r.Path, part) {
			paths = append(paths, r.Path)
		}
	}
	return paths
}
