package flow_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/operation"
)

const demoContainerName = "StorageContainer;storage;azurefiles;testvault2"

func TestRegistration_EndsWhenTheVaultReportsTheContainerAsRegistered(t *testing.T) {
	t.Parallel()
	container := func(status string) reply {
		return reply{status: http.StatusOK, body: object{"name": demoContainerName, "properties": object{
			"friendlyName": "testvault2", "sourceResourceId": demoAccount, "registrationStatus": status,
		}}}
	}
	for name, c := range map[string]struct {
		container reply
		code      string
		class     operation.Class
	}{
		"registered":          {container("Registered"), "", ""},
		"registered, in caps": {container("REGISTERED"), "", ""},
		"soft-deleted items":  {container("SoftDeleted"), "", ""},
		"still registering":   {container("Registering"), "StorageAccountNotRegistered", operation.NotYet},
		"not registered":      {container("NotRegistered"), "StorageAccountNotRegistered", operation.NotYet},
		"failed":              {container("RegistrationFailed"), "StorageAccountNotRegistered", operation.NotYet},
		"not visible":         {azureError(http.StatusNotFound, "ResourceNotFound", "no"), "StorageAccountNotRegistered", operation.NotYet},
		"throttled":           {azureError(http.StatusTooManyRequests, "TooManyRequests", "slowly"), "TooManyRequests", operation.Throttled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			azure := &stub{t: t, answers: map[string]reply{"GET o1": status("Succeeded", nil), "GET " + demoContainerName: c.container}}
			op := protecting(t, nil)
			op.Learned["containerName"], op.Tracking = demoContainerName, &operation.Tracking{StatusURL: statusURL}
			out, err := azure.run("protect-file-share", "await-registration", op)
			if c.code != "" {
				requireError(t, err, c.code, c.class)
				return
			}
			require.NoError(t, err)
			require.Equal(t, "Advance : the registration of the storage account is done", summary(out))
		})
	}
}

func TestRegistration_IsNotReadBeforeItHasEnded(t *testing.T) {
	t.Parallel()
	azure := &stub{t: t, answers: map[string]reply{"GET o1": status("InProgress", nil)}}
	op := protecting(t, nil)
	op.Tracking = &operation.Tracking{StatusURL: statusURL}
	out, err := azure.run("protect-file-share", "await-registration", op)
	require.NoError(t, err)
	require.Equal(t, operation.Wait, out.Kind)
}

func TestRegistration_IsCheckedOnTheWayToProtection(t *testing.T) {
	t.Parallel()
	r, sim := simulated(t, armsim.DemoWorld())
	r.succeeds("protect-file-share", demoShare(nil))
	require.Len(t, requests(sim, "GET protectionContainers"), 1)
}
