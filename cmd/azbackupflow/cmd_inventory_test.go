package main

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/cli"
	"azbackupflow/internal/client/clienttest"
)

// inGroup sets the subscription and the resource group of commands.
func (s *shell) inGroup() {
	s.variables(map[string]string{"AZBACKUPFLOW_SUBSCRIPTION": "s", "AZBACKUPFLOW_RESOURCE_GROUP": "rg"})
}

func TestInventory_TakesTheNameOfAVault(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.inGroup()
	const groups, recovery = "/subscriptions/s/resourceGroups/", "/providers/Microsoft.RecoveryServices/vaults/files"
	for _, command := range [][]string{{"items", "list"}, {"policies", "list"}, {"deleted", "list"}, {"protectable", "list", "--type", "VM"}} {
		for want, vault := range map[string][]string{
			groups + "rg" + recovery:    {"files"},
			groups + "other" + recovery: {"other/files"},
			groups + "third" + recovery: {"-g", "third", "files"},
			clienttest.Vault:            {clienttest.Vault},
		} {
			require.Contains(t, s.succeeds(append(append([]string{"-o", "json"}, command...), vault...)...), `"`+want+`"`)
		}
	}
	require.Contains(t, s.succeeds("-o", "json", "items", "list", clienttest.BackupVaultName), groups+"rg/providers/Microsoft.DataProtection/backupVaults/"+clienttest.BackupVaultName)
}

func TestInventory_TakesTheVaultOfTheContext(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.urlFlag = false
	s.succeeds("context", "add", "test", "--url", s.api.URL, "--vault", clienttest.Vault)
	require.Contains(t, s.succeeds("-o", "json", "items", "list"), clienttest.Vault)
	r := s.run("items", "list", "-g", "other")
	require.Equal(t, cli.ExitUsage, r.code)
	require.Contains(t, r.stderr, "the vault of the context is a resource ID")
}

// Azure answers 403 for a vault that does not exist, if the app has a role on another
// vault only.
func TestInventory_TriesTheOtherTypeOfVault(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.inGroup()
	problem := ""
	s.api.Instead(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.RawQuery, "RecoveryServices") {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusBadGateway)
			_, _ = io.WriteString(w, problem)
			return
		}
		_, _ = io.WriteString(w, `{"entries":[{"id":"/x","name":"disk1","type":"Microsoft.Compute/disks"}]}`)
	})
	problem = `{"type":"` + api.ProblemAzure + `","title":"Azure did not answer the call","status":502,"detail":"AuthorizationFailed"}`
	require.Contains(t, s.succeeds("items", "list", "disks"), "disk1")
	problem = `{"type":"urn:azbackupflow:problem:no-such-route","title":"Route not found","status":404}`
	r := s.run("items", "list", "disks")
	require.NotZero(t, r.code)
	require.Contains(t, r.stderr, "Route not found")
	require.NotContains(t, r.stderr, "neither")
}

func TestInventory_ExplainsVaultsThatItCannotFind(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	for vault, want := range map[string][]string{
		"":      {"no vault is named", "azbackupflow context add --vault"},
		"files": {`vault "files" is a name, and the subscription is unknown`, "set --subscription"},
		"a/b/c": {`vault "a/b/c" is neither a resource ID nor a name`, "write NAME or GROUP/NAME"},
		"a/":    {`vault "a/" is neither a resource ID nor a name`, "write NAME or GROUP/NAME"},
	} {
		args := []string{"items", "list"}
		if vault != "" {
			args = append(args, vault)
		}
		r := s.run(args...)
		require.NotZero(t, r.code)
		for _, text := range want {
			require.Contains(t, r.stderr, text)
		}
	}
	s.inGroup()
	r := s.run("items", "list", clienttest.AbsentVaultName)
	require.NotZero(t, r.code)
	require.Contains(t, r.stderr, `neither a Recovery Services vault nor a Backup vault has the name "absentvault"`)
	require.NotZero(t, s.run("protectable", "list", clienttest.BackupVaultName, "--type", "VM").code)
}
