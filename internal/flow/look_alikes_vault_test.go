package flow_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

// container returns a registered container as the vault lists it.
func container(account, status string) object {
	name := "StorageContainer;storage;azurefiles;" + account[strings.LastIndexByte(account, '/')+1:]
	return object{"name": name, "properties": object{"friendlyName": account[strings.LastIndexByte(account, '/')+1:], "sourceResourceId": account, "registrationStatus": status}}
}

func TestFindRegistration_IsOfThisAccount(t *testing.T) {
	t.Parallel()
	elsewhere := strings.Replace(demoAccount, "AzureFiles", "Other", 1)
	require.NotEqual(t, demoAccount, elsewhere)
	for name, c := range map[string]struct {
		containers []any
		next       string
	}{
		"registered":                        {[]any{container(elsewhere, "Registered"), container(demoAccount, "Registered")}, "inquire"},
		"the same name in another group":    {[]any{container(elsewhere, "Registered")}, ""},
		"its registration failed":           {[]any{container(demoAccount, "RegistrationFailed")}, ""},
		"its registration has not finished": {[]any{container(demoAccount, "Registering")}, ""},
	} {
		azure := &stub{t: t, answers: map[string]reply{"GET backupProtectionContainers": list(c.containers...)}}
		out, err := azure.run("protect-file-share", "find-registration", protecting(t, nil))
		require.NoError(t, err)
		require.Equal(t, c.next, out.Next, name)
		if c.next == "" {
			require.Empty(t, out.Learned, name)
		}
	}
}

func TestFindShare_IsOfThisAccount(t *testing.T) {
	t.Parallel()
	listed := func(account string) object {
		return object{
			"id":   demoVault + "/backupFabrics/Azure/protectionContainers/c/protectableItems/azurefileshare;x",
			"name": "azurefileshare;x", "properties": object{"parentContainerFabricId": account, "friendlyName": "testshare", "protectionState": "NotProtected"},
		}
	}
	azure := &stub{t: t, answers: map[string]reply{"GET backupProtectableItems": list(listed(demoAccount + "2"))}}
	out, err := azure.run("protect-file-share", "find-share", protecting(t, nil))
	require.NoError(t, err)
	require.Equal(t, "find-item", out.Next, "the share of the account is not listed yet")
	azure.answers["GET backupProtectableItems"] = list(listed(demoAccount+"2"), listed(demoAccount))
	out, err = azure.run("protect-file-share", "find-share", protecting(t, nil))
	require.NoError(t, err)
	require.Equal(t, operation.Advance, out.Kind)
	require.Empty(t, out.Next)
}

func protectingServer(t *testing.T) operation.Operation {
	t.Helper()
	raw, err := json.Marshal(protectServer())
	require.NoError(t, err)
	normal, wrong := checked(t, "protect-postgres", string(raw))
	require.Empty(t, wrong)
	return operation.Operation{
		Identity:   operation.Identity{Parameters: normal},
		AzureState: operation.AzureState{Learned: map[string]string{"policyId": demoBackupVault + "/backupPolicies/pgflexpol1"}},
	}
}

// instance returns a backup instance of a server as the vault lists it.
func instance(server, state string) object {
	return object{"id": demoBackupVault + "/backupInstances/i1", "name": "i1", "properties": object{
		"friendlyName": "pg", "currentProtectionState": state,
		"dataSourceInfo": object{"resourceID": server, "datasourceType": "Microsoft.DBforPostgreSQL/flexibleServers"},
		"policyInfo":     object{"policyId": demoBackupVault + "/backupPolicies/pgflexpol1"},
	}}
}

func TestFindExisting_IsOfThisServer(t *testing.T) {
	t.Parallel()
	deleted := instance(demoServer+"2", "SoftDeleted")
	azure := &stub{t: t, answers: map[string]reply{
		"GET backupInstances": list(instance(demoServer+"2", "ProtectionConfigured")), "GET deletedBackupInstances": list(deleted),
	}}
	_, err := azure.run("protect-postgres", "find-existing", protectingServer(t))
	require.Contains(t, []string{"UserErrorDppDatasourceAlreadyProtected", "AlreadyProtected"}, errorOf(t, err).Code, "nothing here is of the server")

	azure.answers["GET backupInstances"] = list(instance(demoServer+"2", "ProtectionConfigured"), instance(demoServer, "ProtectionConfigured"))
	out, err := azure.run("protect-postgres", "find-existing", protectingServer(t))
	require.NoError(t, err)
	require.Equal(t, operation.Finish, out.Kind)
}

func TestAwaitProtection_WaitsUntilItIsConfigured(t *testing.T) {
	t.Parallel()
	for state, kind := range map[string]operation.Kind{"ConfiguringProtection": operation.Wait, "ProtectionConfigured": operation.Finish} {
		op := protectingServer(t)
		op.Learned["backupInstanceId"] = demoBackupVault + "/backupInstances/i1"
		azure := &stub{t: t, answers: map[string]reply{"GET i1": {status: http.StatusOK, body: instance(demoServer, state)}}}
		out, err := azure.run("protect-postgres", "await-protection", op)
		require.NoError(t, err)
		require.Equal(t, kind, out.Kind, state)
	}
}

func TestCheckVault_RejectsADeletionFromAnImmutableVault(t *testing.T) {
	t.Parallel()
	name := demoVault[strings.LastIndexByte(demoVault, '/')+1:]
	for state, code := range map[string]string{"Unlocked": "VaultImmutable", "Locked": "VaultImmutable", "Disabled": "", "": ""} {
		azure := &stub{t: t, answers: map[string]reply{"GET " + name: {status: http.StatusOK, body: object{
			"id": demoVault, "name": name, "properties": object{"securitySettings": object{"immutabilitySettings": object{"state": state}}},
		}}}}
		op := operation.Operation{AzureState: operation.AzureState{Learned: map[string]string{
			"itemId": demoVault + "/backupFabrics/Azure/protectionContainers/c/protectedItems/AzureFileShare;i",
		}}}
		_, err := azure.run("delete-protection", "check-vault", op)
		if code == "" {
			require.NoError(t, err, state)
			continue
		}
		require.Equal(t, code, errorOf(t, err).Code, state)
	}
}
