package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/client/clienttest"
)

// inGroup sets the subscription and the resource group of commands.
func (s *shell) inGroup() {
	s.change = func(e *environment) {
		e.lookup = func(name string) (string, bool) {
			value, ok := map[string]string{"AZBACKUPFLOW_SUBSCRIPTION": "s", "AZBACKUPFLOW_RESOURCE_GROUP": "rg"}[name]
			return value, ok
		}
	}
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
