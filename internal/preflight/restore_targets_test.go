package preflight_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/preflight"
)

// targetsSite is a site whose only subject is the list of restore targets.
func targetsSite(t *testing.T, targets ...string) *site {
	t.Helper()
	s := newSite(t)
	s.cfg.Vaults, s.cfg.RestoreTargets = nil, targets
	return s
}

// aboutTargets returns the failed findings without that of the missing vaults.
func aboutTargets(r preflight.Report) (all []preflight.Finding) {
	for _, f := range wrong(r) {
		if f.Subject != "AZBACKUPFLOW_VAULTS" {
			all = append(all, f)
		}
	}
	return all
}

const demo = "/subscriptions/" + armsim.DemoSubscription + "/resourceGroups/"

func TestCheck_ReadsEachKindOfRestoreTarget(t *testing.T) {
	t.Parallel()
	for _, target := range []string{
		demo + "restored",
		demo + "AzureFiles/providers/Microsoft.Storage/storageAccounts/testvault2",
		demo + "AzureFiles/providers/Microsoft.Storage/storageAccounts/testvault2/fileServices/default/shares/testshare",
		demo + "machines/providers/Microsoft.Compute/virtualMachines/vm2",
		demo + "clusters/providers/Microsoft.ContainerService/managedClusters/akscluster2",
		demo + "pgflextest/providers/Microsoft.DBforPostgreSQL/flexibleServers/pgflextestserver",
		demo + "mysqltest/providers/Microsoft.DBforMySQL/flexibleServers/mysqltestserver",
		demo + "disks/providers/Microsoft.Compute/disks/datadisk1",
		demo + "net/providers/Microsoft.Network/virtualNetworks/vnet1",
		targetServer,
	} {
		s := targetsSite(t, " "+target+"/ ", strings.ToUpper(target[:20])+target[20:])
		require.Empty(t, aboutTargets(s.check(t)), target)
	}
}

// A target that does not exist, or that the app may not read, is reported once and
// by its name.
func TestCheck_NamesRestoreTargetsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]string{
		demo + "clusters/providers/Microsoft.ContainerService/managedClusters/gone":                                    "Check that the resource ID is correct",
		demo + "blobs/providers/Microsoft.Storage/storageAccounts/gone":                                                "Check that the resource ID is correct",
		demo + "AzureFiles/providers/Microsoft.Storage/storageAccounts/testvault2/fileServices/default/shares/missing": "Create the file share",
		demo + "keys/providers/Microsoft.KeyVault/vaults/kv1":                                                          "Correct the entry, or remove it.",
		"restored":                                     "Correct the entry, or remove it.",
		demo + "x/../y":                                "Correct the entry, or remove it.",
		"http://a.blob.core.windows.net/c":             "Correct the entry, or remove it.",
		"https://a.blob.core.windows.net":              "Correct the entry, or remove it.",
		"https://a.blob.core.windows.net/c?sig=SECRET": "Correct the entry, or remove it.",
		"https://a.blob.core.windows.net/c/d":          "Correct the entry, or remove it.",
	} {
		report := targetsSite(t, target).check(t)
		found := aboutTargets(report)
		require.Len(t, found, 1, "%s: %+v", target, found)
		require.Contains(t, found[0].Do, want, target)
		if !strings.Contains(target, "://") {
			require.Contains(t, found[0].Problem+found[0].Subject, strings.TrimRight(target, "/"), target)
		}
		require.NotContains(t, found[0].Problem, "SECRET")
	}

	cluster := demo + "clusters/providers/Microsoft.ContainerService/managedClusters/akscluster2"
	s := targetsSite(t, cluster)
	s.DenyAction("Microsoft.ContainerService/managedClusters/read")
	found := aboutTargets(s.check(t))
	require.Len(t, found, 1)
	require.Equal(t, cluster, found[0].Subject)
	require.Equal(t, []string{"Microsoft.ContainerService/managedClusters/read"}, found[0].Missing)
	require.Contains(t, found[0].Do, "azbackupflow Datasource Reader")

	s = targetsSite(t, cluster)
	s.Inject(armsim.Rule{Kind: "GET managedClusters", Effect: armsim.AnswerError(http.StatusTooManyRequests, "TooManyRequests", "slow down", nil)})
	found = aboutTargets(s.check(t))
	require.Len(t, found, 1)
	require.Equal(t, cluster, found[0].Subject)
}
