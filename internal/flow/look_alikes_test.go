package flow_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/flow"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

func TestLookAlikes_ShareOfAnotherAccountIsNotThisOne(t *testing.T) {
	t.Parallel()
	other := shareItem(object{"sourceResourceId": strings.Replace(demoAccount, "testvault2", "testvault22", 1)})
	azure := &stub{t: t, answers: map[string]reply{"GET backupProtectedItems": list(other)}}
	out, err := azure.run("protect-file-share", "find-item", protecting(t, nil))
	require.NoError(t, err)
	require.Equal(t, "find-registration", out.Next)
	require.Contains(t, azure.asked[0].URL.Query().Get("$filter"), "friendlyName eq 'testshare'", "one item is found by its name")
}

func TestLookAlikes_InstanceOfAnotherServerIsNotWrittenOver(t *testing.T) {
	t.Parallel()
	r, sim := simulated(t, armsim.DemoWorld())
	parameters := protectServer()
	parameters["instanceName"] = demoInstance[strings.LastIndexByte(demoInstance, '/')+1:]
	r.failsWith("InstanceNameTaken", "protect-postgres", parameters)
	require.Empty(t, sent(sim, 0))
}

// A late deletion must not hit an instance that has the name of the deleted one.
func TestLookAlikes_InstanceThatWasProtectedAgainIsNotDeleted(t *testing.T) {
	t.Parallel()
	world := armsim.DemoWorld()
	world.BackupVaults[0].SoftDelete = "Off"
	r, sim := simulated(t, world)
	id := r.succeeds("protect-postgres", protectServer()).Learned["backupInstanceId"]
	target := object{"backupInstanceId": id}
	r.succeeds("backup-now", target)
	late := r.begin("delete-protection", target)
	r.until(late, "delete-instance")
	_, err := r.engine.Pause(t.Context(), late, operation.Cause{})
	require.NoError(t, err)
	r.succeeds("delete-protection", target)
	r.succeeds("protect-postgres", protectServer())
	n := len(sim.Requests())

	_, err = r.engine.Resume(t.Context(), late, operation.Cause{})
	require.NoError(t, err)
	op := r.finish(late)

	require.Equal(t, "ChangedMeanwhile", op.LastError.Code)
	require.Empty(t, sent(sim, n))
	require.Equal(t, "ProtectionConfigured", instanceState(sim, demoBackupVault+"/backupInstances/"+flow.InstanceName(demoServer)))
}

func TestLookAlikes_RestoreJobOfAnotherPrefixIsNotThisOne(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		url, prefix string
		want        operation.ReconcileResult
	}{
		"the same target":         {demoContainer, "mine", operation.Found},
		"another prefix":          {demoContainer, "mine-too", operation.NotFound},
		"another container":       {demoContainer + "2", "mine", operation.NotFound},
		"no prefix":               {demoContainer, "", operation.Found},
		"an unknown target":       {"", "mine", operation.Ambiguous},
		"the container's account": {demoContainer[:strings.LastIndexByte(demoContainer, '/')], "mine", operation.NotFound},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			job := object{"id": demoBackupVault + "/backupJobs/j1", "name": "j1", "properties": object{
				"status": "InProgress", "operationCategory": "Restore", "startTime": morning().Add(time.Second).Format(time.RFC3339),
				"backupInstanceId": demoInstance, "activityID": "bbbbbbbb-0000-4000-8000-000000000001",
				"extendedInfo": object{"recoveryDestination": c.url, "additionalDetails": object{"Restore File Prefix": c.prefix}},
			}}
			azure := &stub{t: t, answers: map[string]reply{"GET backupJobs": list(job), "GET j1": {status: http.StatusOK, body: job}}}
			parameters, wrong := checkedRestore(t, "mine")
			require.NoError(t, wrong)
			op := operation.Operation{
				Identity: operation.Identity{Parameters: parameters},
				AzureState: operation.AzureState{
					Learned: map[string]string{"backupInstanceId": demoInstance, "recoveryPointId": "p"},
					Claim:   &operation.Claim{AttemptID: attempt, ClaimedAt: morning()},
				},
			}
			found, err := azure.one("restore-postgres", "restore").Reconcile(t.Context(), step.Call{Operation: op, Now: morning().Add(time.Minute), AttemptID: attempt})
			require.NoError(t, err)
			require.Equal(t, c.want, found.Result)
		})
	}
}

// checkedRestore returns the parameters of a restore as files.
func checkedRestore(t *testing.T, prefix string) ([]byte, error) {
	t.Helper()
	f, _ := registry(t, morning()).Newest("restore-postgres")
	return f.Check([]byte(`{"backupInstanceId":"` + demoInstance + `","recoveryPoint":{"latest":true},"asFiles":{"containerUrl":"` + demoContainer + `","prefix":"` + prefix + `"}}`))
}
