package flow_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/operation"
)

// protectedServer returns a rig with a protected server, and its instance.
func protectedServer(t *testing.T) (*rig, *armsim.Simulator, string) {
	t.Helper()
	r, sim := simulated(t, armsim.DemoWorld())
	return r, sim, r.succeeds("protect-postgres", protectServer()).Learned["backupInstanceId"]
}

func TestSuspendProtection_SuspendsAnInstanceAndExcludesIt(t *testing.T) {
	t.Parallel()
	r, sim, id := protectedServer(t)
	n := len(sim.Requests())

	r.succeeds("suspend-protection", object{"backupInstanceId": id})
	require.Equal(t, []string{"POST suspendBackups"}, sent(sim, n))
	require.Equal(t, "BackupsSuspended", instanceState(sim, id))
	require.Equal(t, []string{demoServer}, r.excluded)

	r.succeeds("suspend-protection", object{"backupInstanceId": id})
	require.Equal(t, []string{"POST suspendBackups"}, sent(sim, n), "nothing is sent again")
	r.failsWith("BackupsSuspended", "change-policy", object{"backupInstanceId": id, "policy": "pgflexpol2"})

	r.succeeds("resume-protection", object{"backupInstanceId": id})
	require.Empty(t, r.excluded)
	r.succeeds("stop-protection", object{"backupInstanceId": id})
	r.failsWith("ProtectionStopped", "suspend-protection", object{"backupInstanceId": id})
}

func TestSuspendProtection_SuspendsAnItemAndKeepsItsPolicy(t *testing.T) {
	t.Parallel()
	r, sim := protectedShare(t, armsim.DemoWorld())
	r.succeeds("suspend-protection", object{"fileShare": namedShare()})
	require.Equal(t, "BackupsSuspended", state(sim))
	r.succeeds("resume-protection", object{"fileShare": namedShare()})
	require.Equal(t, "Protected", state(sim), "the recorded policy is used")
}

func policyOf(sim *armsim.Simulator, id string) string {
	all := sim.BackupInstances()
	return all[slices.IndexFunc(all, func(i armsim.BackupInstance) bool { return strings.EqualFold(i.ID, id) })].Policy
}

func TestChangePolicy_WritesTheInstanceBackWithThePolicy(t *testing.T) {
	t.Parallel()
	r, sim, id := protectedServer(t)
	n := len(sim.Requests())

	op := r.succeeds("change-policy", object{"backupInstanceId": id, "policy": "pgflexpol2"})

	require.Equal(t, "from pgflexpol1 (Default P12W in VaultStore) to pgflexpol2 (Default P24W in VaultStore)", op.Learned["policyChange"])
	require.Equal(t, []string{"PUT backupInstances"}, sent(sim, n))
	require.Equal(t, "pgflexpol2", policyOf(sim, id))
	require.Equal(t, "ProtectionConfigured", instanceState(sim, id))
	var body struct{ Properties map[string]any }
	for _, request := range sim.Requests()[n:] {
		if request.Method == http.MethodPut {
			require.NoError(t, json.Unmarshal([]byte(request.Body), &body))
		}
	}
	require.NotContains(t, body.Properties, "currentProtectionState")
	require.Contains(t, body.Properties, "dataSourceInfo")

	r.succeeds("change-policy", object{"backupInstanceId": id, "policy": "pgflexpol2"})
	require.Equal(t, []string{"PUT backupInstances"}, sent(sim, n), "it has the policy already")
}

func TestChangePolicy_RejectsAShorterRetentionUnlessAllowed(t *testing.T) {
	t.Parallel()
	r, sim, id := protectedServer(t)
	r.succeeds("change-policy", object{"backupInstanceId": id, "policy": "pgflexpol2"})
	n := len(sim.Requests())

	err := r.fails("change-policy", object{"backupInstanceId": id, "policy": "pgflexpol1"})
	require.Equal(t, "RetentionShrinks", err.Code)
	require.Contains(t, err.Message, "P12W instead of P24W")
	r.failsWith("PolicyNotFound", "change-policy", object{"backupInstanceId": id, "policy": "none"})
	r.failsWith("PolicyDoesNotFit", "change-policy", object{"backupInstanceId": id, "policy": "osspol3"})
	require.Empty(t, sent(sim, n), "nothing is written")

	r.succeeds("change-policy", object{"backupInstanceId": id, "policy": "pgflexpol1", "allowShorterRetention": true})
	require.Equal(t, "pgflexpol1", policyOf(sim, id))
}

// A policy that no longer exists cannot be compared.
func TestChangePolicy_RejectsAChangeFromAnUnreadablePolicy(t *testing.T) {
	t.Parallel()
	s := &stub{t: t, answer: func(r *http.Request) reply {
		if strings.HasSuffix(r.URL.Path, "/longer") {
			return reply{status: http.StatusOK, body: object{"id": demoBackupVault + "/backupPolicies/longer", "name": "longer", "properties": object{
				"datasourceTypes": []string{"Microsoft.DBforPostgreSQL/flexibleServers"},
			}}}
		}
		return azureError(http.StatusNotFound, "ResourceNotFound", "no policy")
	}}
	_, err := s.run("change-policy", "compare-instance-policy", operation.Operation{
		Identity: operation.Identity{Parameters: []byte(`{"backupInstanceId":"` + demoInstance + `","policy":"longer"}`)},
		AzureState: operation.AzureState{Learned: map[string]string{
			"backupInstanceId": demoInstance, "policyId": demoBackupVault + "/backupPolicies/gone", "datasourceType": "Microsoft.DBforPostgreSQL/flexibleServers",
		}},
	})
	require.ErrorContains(t, err, "the current policy cannot be read")
}

func TestUndelete_BringsAnInstanceBackAndResumesItOnRequest(t *testing.T) {
	t.Parallel()
	for name, resumes := range map[string]bool{"only back": false, "and resumed": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, sim, id := protectedServer(t)
			r.succeeds("delete-protection", object{"backupInstanceId": id})
			require.Equal(t, []string{demoServer}, r.excluded)
			n := len(sim.Requests())

			r.succeeds("undelete", object{"backupInstanceId": id, "resume": resumes})

			if resumes {
				require.Equal(t, []string{"POST undelete", "POST resumeProtection"}, sent(sim, n))
				require.Equal(t, "ProtectionConfigured", instanceState(sim, id))
				require.Empty(t, r.excluded)
				r.succeeds("backup-now", object{"backupInstanceId": id})
				return
			}
			require.Equal(t, []string{"POST undelete"}, sent(sim, n), "200 at once, nothing to poll")
			require.Equal(t, "ProtectionStopped", instanceState(sim, id))
			require.Equal(t, []string{demoServer}, r.excluded)
			r.succeeds("undelete", object{"backupInstanceId": id})
			require.Equal(t, []string{"POST undelete"}, sent(sim, n), "it is not deleted any more")
		})
	}
}

func TestUndelete_RejectsWhatTheVaultNeverHad(t *testing.T) {
	t.Parallel()
	r, sim := simulated(t, armsim.DemoWorld())
	r.failsWith("NotProtected", "undelete", object{"backupInstanceId": demoBackupVault + "/backupInstances/nobody"})
	require.Empty(t, sent(sim, 0))
}

// A late second attempt finds that the first one succeeded: Azure answers 404.
func TestUndelete_TreatsNotFoundOfARepeatedCallAsDone(t *testing.T) {
	t.Parallel()
	s := &stub{t: t, answers: map[string]reply{
		"POST undelete": azureError(http.StatusNotFound, "UserErrorGenericResourceNotFound", "nothing is there"),
		"GET " + demoInstance[strings.LastIndex(demoInstance, "/")+1:]: {status: http.StatusOK, body: object{
			"id": demoInstance, "properties": object{"friendlyName": "empdb11", "currentProtectionState": "ProtectionStopped"},
		}},
	}}
	out, err := s.run("undelete", "undelete-instance", operation.Operation{AzureState: operation.AzureState{Learned: map[string]string{"backupInstanceId": demoInstance}}})
	require.NoError(t, err)
	require.Equal(t, "confirm-instance-undeleted", out.Next)
}
