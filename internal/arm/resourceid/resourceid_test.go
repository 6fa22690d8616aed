package resourceid

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestResourceID_NamesAreFoundAndAppended(t *testing.T) {
	t.Parallel()
	require.Equal(t, "c", NameAfter("/x/ProtectionContainers/c/y", "protectionContainers"))
	require.Empty(t, NameAfter("/x/protectionContainers", "protectionContainers"))
	require.Equal(t, "j", LastName("/x/BackupJobs/j"))
	require.Equal(t, "j", LastName("j"))
	_, err := Below("/x", "a/b")
	require.EqualError(t, err, `"a/b" is not a valid resource name`)
	path, err := Below("/x", "a", "b")
	require.NoError(t, err)
	require.Equal(t, "/x/a/b", path)
}

const account = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/a"

func vault() VaultID {
	return VaultID{
		Type: RecoveryServicesVault, SubscriptionID: "00000000-0000-0000-0000-000000000000", ResourceGroup: "azurefiles", Name: "azurefilesvault",
	}
}

func TestParseVaultID_IgnoresCasing(t *testing.T) {
	t.Parallel()
	for _, id := range []string{
		vault().String(),
		"/Subscriptions/00000000-0000-0000-0000-000000000000/resourcegroups/azurefiles/providers/microsoft.recoveryservices/Vaults/azurefilesvault",
	} {
		v, err := ParseVaultID(id, RecoveryServicesVault)
		require.NoError(t, err)
		require.Equal(t, vault(), v)
		require.True(t, v.Equal(vault()))
	}
}

func TestParseVaultID_RejectsOtherIDs(t *testing.T) {
	t.Parallel()
	const sub = "/subscriptions/00000000-0000-0000-0000-000000000000"
	const vaults = "/providers/Microsoft.RecoveryServices/vaults/"
	for id, says := range map[string]string{
		"":                "empty",
		"azurefilesvault": "not a resource ID",
		account:           "Microsoft.Storage/storageAccounts",
		vault().String() + "/backupFabrics/Azure/protectionContainers/c/protectedItems/i": "protectedItems",
		"/subscriptions/mine/resourceGroups/g" + vaults + "vault":                         "not a GUID",
		sub + "/resourceGroups/g" + vaults + "1vault":                                     "not a valid name",
		sub + "/resourceGroups/g!" + vaults + "vault":                                     "not a valid name",
		sub + "/resourceGroups/../x" + vaults + "vault":                                   "invalid segment",
		sub + "/resourceGroups/g" + vaults + "vault?x=1":                                  "control character",
		sub + "/resourceGroups//g" + vaults + "vault":                                     "invalid segment",
		sub + "/resourceGroups/g/providers/Microsoft.DataProtection/backupVaults/vault":   "Microsoft.DataProtection/backupVaults",
		vault().String() + "/":                                                            "invalid segment",
		vault().String() + " ":                                                            "invalid segment",
	} {
		_, err := ParseVaultID(id, RecoveryServicesVault)
		require.ErrorContains(t, err, says, id)
	}
}

func TestEqual_IgnoresCasing(t *testing.T) {
	t.Parallel()
	require.True(t, Equal("/Subscriptions/A/x", "/subscriptions/a/X/"))
	require.False(t, Equal("/subscriptions/a/x", "/subscriptions/a/y"))
}
