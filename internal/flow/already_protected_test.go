package flow_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

// Azure's action names the instance that protects the server. It must reach the
// user.
func TestProtectPostgres_KeepsAzuresErrorAboutAnotherVault(t *testing.T) {
	t.Parallel()
	const action = "Delete the backup instance i1 of vault v2, then configure the backup again."
	body := object{
		"code": "UserErrorDppDatasourceAlreadyHasBackupInstance", "message": "Datasource is protected by vault v2.",
		"additionalInfo": []any{object{"type": "UserFacingError", "info": object{
			"code": "UserErrorDppDatasourceAlreadyHasBackupInstance", "message": "Datasource is protected by vault v2.",
			"recommendedAction": []string{action}, "properties": object{"ActivityId": "a1"},
		}}},
	}
	for name, first := range map[string]reply{
		"rejected at once": {status: http.StatusBadRequest, body: object{"error": body}},
		"rejected later":   {status: http.StatusOK, body: object{"status": "Failed", "error": body}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw, err := json.Marshal(protectServer())
			require.NoError(t, err)
			normal, wrong := checked(t, "protect-postgres", string(raw))
			require.Empty(t, wrong)
			op := operation.Operation{
				Identity:   operation.Identity{Parameters: normal},
				AzureState: operation.AzureState{Learned: map[string]string{"policyId": demoBackupVault + "/backupPolicies/pgflexpol1"}},
			}
			azure := &stub{t: t, answers: map[string]reply{
				"POST validateForBackup": first, "GET o1": first, "GET backupInstances": list(), "GET deletedBackupInstances": list(),
			}}
			at := "validate"
			if first.status == http.StatusOK {
				at, op.Tracking = "await-validation", &operation.Tracking{StatusURL: statusURL}
			}
			out, err := azure.run("protect-postgres", at, op)
			require.NoError(t, err)
			require.Equal(t, "find-existing", out.Next)
			op.Learned["alreadyProtected"] = out.Learned["alreadyProtected"]
			_, err = azure.run("protect-postgres", "find-existing", op)
			e := errorOf(t, err)
			require.Equal(t, "UserErrorDppDatasourceAlreadyHasBackupInstance", e.Code)
			require.Equal(t, "Datasource is protected by vault v2.", e.Message)
			require.Equal(t, []string{action}, e.RecommendedAction)
			require.Equal(t, "a1", e.ActivityID)
			require.Equal(t, operation.Fatal, e.Class)
		})
	}
}

func TestFlows_SayWhatToUseInsteadOfUnsupportedTypes(t *testing.T) {
	t.Parallel()
	_, wrong := checked(t, "protect-postgres", `{"vaultId":"`+demoBackupVault+`","policy":"p","location":"westus","serverId":"/subscriptions/`+"00000000-0000-0000-0000-000000000000"+
		`/resourceGroups/g/providers/Microsoft.DBforPostgreSQL/servers/s"}`)
	require.Len(t, wrong, 1)
	require.Contains(t, wrong[0].Problem, "retired")
	require.Contains(t, wrong[0].Want, "restore-postgres")

	op := operation.Operation{Identity: operation.Identity{Parameters: []byte(`{"backupInstanceId":"` + demoInstance + `","asFiles":{},"recoveryPoint":{"latest":true}}`)}}
	disk := object{"id": demoInstance, "name": "i", "properties": object{
		"friendlyName": "d", "currentProtectionState": "ProtectionConfigured", "dataSourceInfo": object{"datasourceType": "Microsoft.Compute/disks"},
	}}
	_, err := (&stub{t: t, answer: func(*http.Request) reply { return reply{status: http.StatusOK, body: disk} }}).run("restore-postgres", "read-instance", op)
	requireError(t, err, "DatasourceNotSupported", operation.Fatal)
	require.Contains(t, errorOf(t, err).RecommendedAction[0], "az dataprotection backup-instance restore")
}
