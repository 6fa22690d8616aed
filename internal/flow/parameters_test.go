package flow_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/step"
)

const (
	vaultForm   = "/subscriptions/{id}/resourceGroups/{group}/providers/Microsoft.RecoveryServices/vaults/{name}"
	accountForm = "/subscriptions/{id}/resourceGroups/{group}/providers/Microsoft.Storage/storageAccounts/{name}"
	itemForm    = vaultForm + "/backupFabrics/Azure/protectionContainers/{container}/protectedItems/{item}"
	policyForm  = "the name of a policy of the vault, or its resource ID"
	shareForm   = "3 to 63 lower-case letters, digits and single hyphens"
	typesForm   = "one of Full, Differential, Log, CopyOnlyFull, Incremental, SnapshotFull, SnapshotCopyOnlyFull"

	notAnID   = "not a resource ID; a resource ID starts with /subscriptions/{id}/resourceGroups/{group}/providers"
	demoItem  = demoVault + "/backupFabrics/Azure/protectionContainers/c/protectedItems/i"
	someVault = "/subscriptions/" + "11111111-1111-1111-1111-111111111111" + "/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/another"
)

// checked returns the result of a flow's check: the normal form, or the field
// errors.
func checked(t *testing.T, name string, parameters string) (json.RawMessage, []step.FieldError) {
	t.Helper()
	f, ok := registry(t, morning()).Newest(name)
	require.True(t, ok)
	normal, err := f.Check(json.RawMessage(parameters))
	if err == nil {
		return normal, nil
	}
	var invalid *step.Invalid
	require.ErrorAs(t, err, &invalid)
	return nil, invalid.Fields
}

func TestProtectFileShare_NamesInvalidParameters(t *testing.T) {
	t.Parallel()
	ids := `"vaultId":"` + demoVault + `","storageAccountId":"` + demoAccount + `"`
	for name, c := range map[string]struct {
		parameters string
		want       []step.FieldError
	}{
		"none": {`{}`, []step.FieldError{
			{Field: "parameters.vaultId", Problem: "is missing", Want: vaultForm},
			{Field: "parameters.storageAccountId", Problem: "is missing", Want: accountForm},
			{Field: "parameters.fileShare", Problem: "is missing", Want: "the file share's name"},
			{Field: "parameters.policy", Problem: "is missing", Want: policyForm},
		}},
		"a list": {`[]`, []step.FieldError{{Field: "parameters", Problem: "is an array", Want: "a JSON object"}}},
		"an unknown field": {`{"policyId":"x"}`, []step.FieldError{
			{Field: "parameters.policyId", Problem: "is an unknown field", Want: "one of vaultId, storageAccountId, fileShare, policy, firstBackup"},
		}},
		"an unknown nested field": {`{"firstBackup":{"expiry":1}}`, []step.FieldError{
			{Field: "parameters.firstBackup.expiry", Problem: "is an unknown field", Want: "one of recoveryPointExpiryTimeInUTC"},
		}},
		"a wrong type": {`{"vaultId":7}`, []step.FieldError{{Field: "parameters.vaultId", Problem: "is a number", Want: "a JSON string"}}},
		"names where ids belong": {`{"vaultId":"azurefilesvault","storageAccountId":"testvault2","fileShare":"testshare","policy":"schedule1"}`, []step.FieldError{
			{Field: "parameters.vaultId", Problem: notAnID, Want: vaultForm},
			{Field: "parameters.storageAccountId", Problem: `"testvault2" is not the resource ID of a storage account`, Want: accountForm},
		}},
		"ids in each other's place": {`{"vaultId":"` + demoAccount + `","storageAccountId":"` + demoVault + `","fileShare":"testshare","policy":"schedule1"}`, []step.FieldError{
			{Field: "parameters.vaultId", Problem: "resource ID has the type Microsoft.Storage/storageAccounts; want a Recovery Services vault (Microsoft.RecoveryServices/vaults)", Want: vaultForm},
			{Field: "parameters.storageAccountId", Problem: `"` + demoVault + `" is not the resource ID of a storage account`, Want: accountForm},
		}},
		"an id of something below the account": {`{"vaultId":"` + demoVault + `","storageAccountId":"` + demoAccount + `/fileServices/default","fileShare":"testshare","policy":"schedule1"}`, []step.FieldError{
			{Field: "parameters.storageAccountId", Problem: `"` + demoAccount + `/fileServices/default" is not the resource ID of a storage account`, Want: accountForm},
		}},
		"a malformed vault id, and a policy by id": {`{"vaultId":"` + demoVault + `/","storageAccountId":"` + demoAccount + `","fileShare":"testshare","policy":"` + demoVault + `/backupPolicies/schedule1"}`, []step.FieldError{
			{Field: "parameters.vaultId", Problem: `resource ID has the invalid segment ""`, Want: vaultForm},
		}},
		"capitals in a share's name": {`{` + ids + `,"fileShare":"TestShare","policy":"schedule1"}`, []step.FieldError{
			{Field: "parameters.fileShare", Problem: `"TestShare" is not the name of a file share`, Want: shareForm},
		}},
		"two hyphens in a share's name": {`{` + ids + `,"fileShare":"a--b","policy":"schedule1"}`, []step.FieldError{
			{Field: "parameters.fileShare", Problem: `"a--b" is not the name of a file share`, Want: shareForm},
		}},
		"a share name of 64 letters": {`{` + ids + `,"fileShare":"` + strings.Repeat("a", 64) + `","policy":"schedule1"}`, []step.FieldError{
			{Field: "parameters.fileShare", Problem: `"` + strings.Repeat("a", 64) + `" is not the name of a file share`, Want: shareForm},
		}},
		"an invalid policy name": {`{` + ids + `,"fileShare":"testshare","policy":"a b"}`, []step.FieldError{
			{Field: "parameters.policy", Problem: `"a b" is not the name of a policy`, Want: "1 to 150 letters, digits and the characters -_!."},
		}},
		"an invalid policy ID": {`{` + ids + `,"fileShare":"testshare","policy":"/backupPolicies"}`, []step.FieldError{
			{Field: "parameters.policy", Problem: `"/backupPolicies" is not the resource ID of a backup policy`, Want: vaultForm + "/backupPolicies/{policy}"},
		}},
		"another vault's policy": {`{` + ids + `,"fileShare":"testshare","policy":"` + someVault + `/backupPolicies/schedule1"}`, []step.FieldError{
			{Field: "parameters.policy", Problem: "belongs to vault another", Want: "a policy of the vault in vaultId"},
		}},
		"an expiry that has passed": {`{` + ids + `,"fileShare":"testshare","policy":"schedule1","firstBackup":{"recoveryPointExpiryTimeInUTC":"2026-02-01T00:00:00+01:00"}}`, []step.FieldError{
			{Field: "parameters.firstBackup.recoveryPointExpiryTimeInUTC", Problem: "2026-01-31T23:00:00Z has passed", Want: "a time in the future, such as 2026-03-31T08:00:00Z"},
		}},
		"an expiry that is not a time": {`{` + ids + `,"fileShare":"testshare","policy":"schedule1","firstBackup":{"recoveryPointExpiryTimeInUTC":"tomorrow"}}`, []step.FieldError{
			{Field: "parameters.firstBackup.recoveryPointExpiryTimeInUTC", Problem: `"tomorrow" is not a time`, Want: "a time such as 2030-01-31T18:00:00Z"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, wrong := checked(t, "protect-file-share", c.parameters)
			require.GreaterOrEqual(t, len(wrong), len(c.want))
			require.Equal(t, c.want, wrong[:len(c.want)], "fields that cannot be read come first; missing ones follow")
		})
	}
}

func TestBackupNow_NamesInvalidParameters(t *testing.T) {
	t.Parallel()
	ofShare := `"fileShare":{"vaultId":"` + demoVault + `","storageAccountId":"` + demoAccount + `","name":"testshare"}`
	for name, c := range map[string]struct {
		parameters string
		want       []step.FieldError
	}{
		"nothing to back up": {`{}`, []step.FieldError{
			{Field: "parameters.itemId", Problem: "is missing, and so are fileShare and backupInstanceId", Want: "exactly one of itemId, fileShare and backupInstanceId"},
		}},
		"two things to back up": {`{"itemId":"` + demoItem + `",` + ofShare + `}`, []step.FieldError{
			{Field: "parameters.itemId", Problem: "is not the only target", Want: "exactly one of itemId, fileShare and backupInstanceId"},
		}},
		"a name where an id belongs": {`{"itemId":"testshare"}`, []step.FieldError{
			{Field: "parameters.itemId", Problem: notAnID, Want: itemForm},
		}},
		"a vault's id": {`{"itemId":"` + demoVault + `"}`, []step.FieldError{
			{Field: "parameters.itemId", Problem: "resource ID has the type Microsoft.RecoveryServices/vaults; want a protected item of a Recovery Services vault (Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems)", Want: itemForm},
		}},
		"an empty share": {`{"fileShare":{}}`, []step.FieldError{
			{Field: "parameters.fileShare.vaultId", Problem: "is missing", Want: vaultForm},
			{Field: "parameters.fileShare.storageAccountId", Problem: "is missing", Want: accountForm},
			{Field: "parameters.fileShare.name", Problem: "is missing", Want: "the file share's name"},
		}},
		"a database's backup type for a share": {`{` + ofShare + `,"backupType":"Full"}`, []step.FieldError{
			{Field: "parameters.backupType", Problem: "or enableCompression is set for a target that is not a database", Want: "neither; only databases, named by itemId, have them"},
		}},
		"compression for a share": {`{` + ofShare + `,"enableCompression":false}`, []step.FieldError{
			{Field: "parameters.backupType", Problem: "or enableCompression is set for a target that is not a database", Want: "neither; only databases, named by itemId, have them"},
		}},
		// The API's enumeration has it, but Azure has no such backup.
		"the backup type Invalid": {`{"itemId":"` + demoItem + `","backupType":"Invalid"}`, []step.FieldError{
			{Field: "parameters.backupType", Problem: `"Invalid" is not a backup type`, Want: typesForm},
		}},
		"a backup type in another casing": {`{"itemId":"` + demoItem + `","backupType":"full"}`, []step.FieldError{
			{Field: "parameters.backupType", Problem: `"full" is not a backup type`, Want: typesForm},
		}},
		"an expiry at this very moment": {`{"itemId":"` + demoItem + `","recoveryPointExpiryTimeInUTC":"2026-03-01T08:00:00Z"}`, []step.FieldError{
			{Field: "parameters.recoveryPointExpiryTimeInUTC", Problem: "2026-03-01T08:00:00Z has passed", Want: "a time in the future, such as 2026-03-31T08:00:00Z"},
		}},
		"several things at once": {`{"itemId":"x","backupType":"Invalid","recoveryPointExpiryTimeInUTC":"2020-01-01T00:00:00Z"}`, []step.FieldError{
			{Field: "parameters.itemId", Problem: notAnID, Want: itemForm},
			{Field: "parameters.backupType", Problem: `"Invalid" is not a backup type`, Want: typesForm},
			{Field: "parameters.recoveryPointExpiryTimeInUTC", Problem: "2020-01-01T00:00:00Z has passed", Want: "a time in the future, such as 2026-03-31T08:00:00Z"},
		}},
		"a tag that is a number": {`{"itemId":"` + demoItem + `","tags":{"a":1}}`, []step.FieldError{
			{Field: "parameters.tags.a", Problem: "is a number", Want: "a JSON string"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, wrong := checked(t, "backup-now", c.parameters)
			require.GreaterOrEqual(t, len(wrong), len(c.want))
			require.Equal(t, c.want, wrong[:len(c.want)], "fields that cannot be read come first; missing ones follow")
		})
	}
}

func TestCheck_ReturnsTheNormalForm(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ flow, parameters, want string }{
		"a policy by id becomes its name": {
			"protect-file-share",
			`{"policy":"` + strings.ToUpper(demoVault) + `/BackupPolicies/schedule1","fileShare":"testshare","storageAccountId":"` + demoAccount + `","vaultId":"` + demoVault + `"}`,
			`{"vaultId":"` + demoVault + `","storageAccountId":"` + demoAccount + `","fileShare":"testshare","policy":"schedule1"}`,
		},
		"an empty first backup is one": {
			"protect-file-share",
			`{"vaultId":"` + demoVault + `","storageAccountId":"` + demoAccount + `","fileShare":"testshare","policy":"schedule1","firstBackup":{}}`,
			`{"vaultId":"` + demoVault + `","storageAccountId":"` + demoAccount + `","fileShare":"testshare","policy":"schedule1","firstBackup":{}}`,
		},
		"compression that is turned off stays so": {
			"backup-now",
			`{"itemId":"` + demoItem + `","backupType":"Log","enableCompression":false,"tags":{}}`,
			`{"itemId":"` + demoItem + `","backupType":"Log","enableCompression":false}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			normal, wrong := checked(t, c.flow, c.parameters)
			require.Empty(t, wrong)
			require.JSONEq(t, c.want, string(normal))
			again, wrong := checked(t, c.flow, string(normal))
			require.Empty(t, wrong, "the normal form is valid itself")
			require.JSONEq(t, string(normal), string(again))
		})
	}
}
