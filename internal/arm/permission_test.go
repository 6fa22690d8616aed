package arm

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

func TestDo_ForbiddenNamesTheMissingPermission(t *testing.T) {
	t.Parallel()
	const vault = "/subscriptions/s/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/v"
	for name, c := range map[string]struct {
		status     int
		body, want string
	}{
		"from Azure's message": {
			403, `{"error":{"code":"LinkedAuthorizationFailed","message":"The client has permission to perform action 'a/write' on scope '` + vault + `'; however, it does not have permission to perform action(s) 'Microsoft.Compute/virtualMachines/write' on the linked scope(s) '/subscriptions/s/x' (respectively)."}}`,
			`Assign the function app's managed identity the role "azbackupflow Virtual Machine Operator", or another that allows Microsoft.Compute/virtualMachines/write, on /subscriptions/s/x.`,
		},
		"from the call, if Azure names nothing": {
			403, `{"error":{"code":"AuthorizationFailed","message":"no"}}`,
			`Assign the function app's managed identity the role "azbackupflow Backup Operator", or another that allows Microsoft.RecoveryServices/Vaults/backupJobs/cancel/action, on ` + vault + `.`,
		},
		"from the call, if the answer is unreadable": {
			403, `<html>`,
			`Assign the function app's managed identity the role "azbackupflow Backup Operator", or another that allows Microsoft.RecoveryServices/Vaults/backupJobs/cancel/action, on ` + vault + `.`,
		},
		"not for other reasons": {
			403, `{"error":{"code":"RequestDisallowedByPolicy","message":"no"}}`,
			"An Azure Policy or the state of the subscription does not allow this. Ask the owner of the policy for an exemption, or enable the subscription.",
		},
		"not for a missing token": {
			401, `{"error":{"code":"InvalidAuthenticationToken","message":"no"}}`,
			"Check that the managed identity belongs to the tenant of the subscription, and that the settings for cloud and token audience are correct.",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := newAzure(t, answers(c.status, c.body)).client(t).Do(t.Context(), Request{Method: http.MethodPost, Path: vault + "/backupJobs/j/cancel"})
			var refused *operation.Error
			require.ErrorAs(t, err, &refused)
			require.Equal(t, []string{c.want}, refused.RecommendedAction)
		})
	}
}
