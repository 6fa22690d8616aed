package flow_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

// itemState is a state of an item and its meaning.
type itemState struct {
	changes object
	// code is the error code; empty if the item can be used.
	code, message string
}

func itemStates() map[string]itemState {
	return map[string]itemState{
		"protected":                {changes: nil},
		"before its first backup":  {changes: object{"protectionState": "IRPending"}},
		"whose last backup failed": {changes: object{"protectionState": "ProtectionError"}},
		"soft-deleted": {object{"isScheduledForDeferredDelete": true, "protectionState": "ProtectionStopped", "deferredDeleteTimeRemaining": "13.23:59:42.86"}, "ItemSoftDeleted",
			"testshare was deleted from backup and is soft-deleted; Azure purges its backups on 2026-03-15"},
		"whose protection was stopped":   {object{"protectionState": "ProtectionStopped"}, "ProtectionStopped", "protection of testshare was stopped; its backups are kept"},
		"whose backups were suspended":   {object{"protectionState": "BackupsSuspended"}, "BackupsSuspended", "the backups of testshare are suspended; existing backups expire by the policy"},
		"whose policy is in other cases": {changes: object{"policyId": demoVault + "/BackupPolicies/SCHEDULE1"}},
	}
}

func TestProtectFileShare_AcceptsOnlyItemsThatCanBeBackedUp(t *testing.T) {
	t.Parallel()
	for name, c := range itemStates() {
		for _, stepName := range []string{"find-item", "find-item-again", "confirm-protection"} {
			t.Run(stepName+" finds an item "+name, func(t *testing.T) {
				t.Parallel()
				azure := &stub{t: t, answers: map[string]reply{"GET backupProtectedItems": list(shareItem(c.changes))}}
				out, err := azure.run("protect-file-share", stepName, protecting(t, nil))
				if c.code != "" {
					requireError(t, err, c.code, operation.Fatal)
					e := errorOf(t, err)
					require.Equal(t, c.message, e.Message)
					require.NotEmpty(t, e.RecommendedAction)
					return
				}
				require.NoError(t, err)
				require.Equal(t, operation.Finish, out.Kind)
				require.Equal(t, "testshare", out.Learned["friendlyName"])
				require.Equal(t, "AzureFileShareProtectedItem", out.Learned["itemType"])
			})
		}
		t.Run("a backup of an item "+name, func(t *testing.T) {
			t.Parallel()
			azure := &stub{t: t, answers: map[string]reply{"GET AzureFileShare;testshare": {status: http.StatusOK, body: shareItem(c.changes)}}}
			out, err := azure.run("backup-now", "read-item", backingUp(t, nil))
			if c.code != "" {
				requireError(t, err, c.code, operation.Fatal)
				e := errorOf(t, err)
				require.Equal(t, c.message, e.Message)
				return
			}
			require.NoError(t, err)
			require.Equal(t, "Advance : testshare is a AzureFileShareProtectedItem", summary(out))
			require.NotContains(t, out.Learned, "itemId", "the ID stays as requested")
		})
	}
}

func TestProtectFileShare_WaitsUntilTheVaultListsTheItem(t *testing.T) {
	t.Parallel()
	azure := &stub{t: t, answers: map[string]reply{"GET backupProtectedItems": list()}}
	_, err := azure.run("protect-file-share", "confirm-protection", protecting(t, nil))
	requireError(t, err, "ItemNotVisible", operation.NotYet)
}

func TestProtectFileShare_ContinuesWithAnUnprotectedShare(t *testing.T) {
	t.Parallel()
	for stepName, next := range map[string]string{"find-item": "find-registration", "find-item-again": "enable-protection"} {
		azure := &stub{t: t, answers: map[string]reply{"GET backupProtectedItems": list(
			shareItem(object{"friendlyName": "othershare"}),
			shareItem(object{"sourceResourceId": demoAccount + "x"}),
		)}}
		out, err := azure.run("protect-file-share", stepName, protecting(t, nil))
		require.NoError(t, err)
		require.Equal(t, "Advance "+next+": the share is not protected yet", summary(out))
	}
}

func TestBackupNow_RecommendsProtectionForAnUnprotectedShare(t *testing.T) {
	t.Parallel()
	azure := &stub{t: t, answers: map[string]reply{"GET backupProtectedItems": list()}}
	op := backingUp(t, object{"fileShare": object{"vaultId": demoVault, "storageAccountId": demoAccount, "name": "testshare"}})
	_, err := azure.run("backup-now", "find-item", op)
	requireError(t, err, "NotProtected", operation.Fatal)
	e := errorOf(t, err)
	require.Equal(t, "vault azurefilesvault does not protect file share testshare of "+demoAccount, e.Message)
	require.Equal(t, []string{"Protect the share first, with the flow protect-file-share."}, e.RecommendedAction)

	azure = &stub{t: t, answers: map[string]reply{"GET AzureFileShare;testshare": azureError(http.StatusNotFound, "BMSUserErrorDataSourceObjectNotFound", "no")}}
	_, err = azure.run("backup-now", "read-item", backingUp(t, nil))
	requireError(t, err, "NotProtected", operation.Fatal)
}

func TestBackupNow_RejectsParametersThatDoNotFitTheItem(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		itemType string
		more     object
		code     string
	}{
		"a share":                          {"AzureFileShareProtectedItem", nil, ""},
		"a machine":                        {"Microsoft.Compute/virtualMachines", nil, ""},
		"a classic machine":                {"Microsoft.ClassicCompute/virtualMachines", nil, ""},
		"a database with its type":         {"AzureVmWorkloadSQLDatabase", object{"backupType": "Full"}, ""},
		"a HANA database with its type":    {"AzureVmWorkloadSAPHanaDatabase", object{"backupType": "Incremental", "enableCompression": true}, ""},
		"a HANA instance with its type":    {"AzureVmWorkloadSAPHanaDBInstance", object{"backupType": "SnapshotFull"}, ""},
		"a database without a type":        {"AzureVmWorkloadSQLDatabase", nil, "BackupTypeMissing"},
		"a database with compression only": {"AzureVmWorkloadSAPHanaDatabase", object{"enableCompression": true}, "BackupTypeMissing"},
		"a machine with a database's type": {"Microsoft.Compute/virtualMachines", object{"backupType": "Full"}, "BackupTypeDoesNotFit"},
		"a share with compression":         {"AzureFileShareProtectedItem", object{"enableCompression": false}, "BackupTypeDoesNotFit"},
		"an unknown kind":                  {"DPMProtectedItem", nil, "ItemTypeUnknown"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			azure := &stub{t: t, answers: map[string]reply{
				"GET AzureFileShare;testshare": {status: http.StatusOK, body: shareItem(object{"protectedItemType": c.itemType})},
			}}
			out, err := azure.run("backup-now", "read-item", backingUp(t, c.more))
			if c.code != "" {
				requireError(t, err, c.code, operation.Fatal)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.itemType, out.Learned["itemType"])
		})
	}
}

// backingUp returns an operation of the flow backup-now that knows its item.
func backingUp(t *testing.T, parameters object) operation.Operation {
	t.Helper()
	item := learnedShare()
	if _, byName := parameters["fileShare"]; !byName {
		with := object{"itemId": item["itemId"]}
		for k, v := range parameters {
			with[k] = v
		}
		parameters = with
	}
	raw, err := json.Marshal(parameters)
	require.NoError(t, err)
	normal, wrong := checked(t, "backup-now", string(raw))
	require.Empty(t, wrong)
	return operation.Operation{Identity: operation.Identity{ID: "op", Flow: "backup-now", Version: 1, Parameters: normal}, AzureState: operation.AzureState{Learned: item}}
}
