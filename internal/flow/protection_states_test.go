package flow_test

import (
	"encoding/json"
	"net/http"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/flow"
	"azbackupflow/internal/operation"
)

// stateCase is a step whose work depends on the state of an item or an instance.
type stateCase struct {
	flow, step, column string
	// writes is the write of the treatment "proceeds"; empty if the step only
	// decides and continues.
	writes string
	// continues is the step that "has nothing to do" continues with; empty means
	// that the operation ends.
	continues string
}

// done reports whether the outcome is what a treatment promises. sent are the
// writes.
func (c stateCase) done(t *testing.T, treatment string, out operation.Outcome, err error, sent []string) {
	t.Helper()
	if treatment == "is rejected" {
		require.Equal(t, operation.Fatal, errorOf(t, err).Class)
		require.NotEmpty(t, errorOf(t, err).RecommendedAction)
		require.Empty(t, sent)
		return
	}
	require.NoError(t, err)
	if treatment == "proceeds" && c.writes != "" {
		require.Equal(t, []string{c.writes}, sent)
		return
	}
	require.Empty(t, sent)
	switch treatment {
	case "proceeds":
		require.Equal(t, operation.Advance, out.Kind)
	case "has nothing to do":
		if c.continues == "" {
			require.Equal(t, operation.Finish, out.Kind)
		}
		require.Equal(t, c.continues, out.Next)
	case "waits":
		require.True(t, out.Kind == operation.Wait || out.Next == "await-protection" || out.Next == "confirm-instance-resumed", summary(out))
	case "configures it again":
		require.Equal(t, "configure", out.Next)
	default:
		require.Fail(t, "unknown treatment "+treatment)
	}
}

// writesOf returns the writes that the stub received.
func writesOf(azure *stub) (all []string) {
	for _, r := range azure.asked {
		if r.Method != http.MethodGet {
			all = append(all, r.Method+" "+path.Base(r.URL.Path))
		}
	}
	return all
}

const shareItemName = "AzureFileShare;testshare"

// itemIn returns a protected item in a state of the table.
func itemIn(state string) object {
	if state == "soft-deleted" {
		return shareItem(object{"protectionState": "ProtectionStopped", "isScheduledForDeferredDelete": true})
	}
	return shareItem(object{"protectionState": state})
}

// onItem returns an operation on the item of the demo share.
func onItem(t *testing.T, name string) operation.Operation {
	t.Helper()
	if name == "protect-file-share" {
		return protecting(t, nil)
	}
	raw, err := json.Marshal(object{"itemId": learnedShare()["itemId"]})
	require.NoError(t, err)
	known := learnedShare()
	known["policyId"], known["readAt"], known["newPolicyId"] = demoVault+"/backupPolicies/schedule1", known["attemptedAt"], demoVault+"/backupPolicies/schedule2"
	return operation.Operation{Identity: operation.Identity{Parameters: raw}, AzureState: operation.AzureState{Learned: known}}
}

func onItems(t *testing.T, state string) *stub {
	t.Helper()
	item := itemIn(state)
	return &stub{t: t, allows: flow.Guardrails{Delete: true}, answers: map[string]reply{
		"GET backupProtectedItems": list(item), "GET " + shareItemName: {status: http.StatusOK, body: item}, "GET backupJobs": list(),
		"PUT " + shareItemName: {status: http.StatusAccepted}, "DELETE " + shareItemName: {status: http.StatusAccepted},
	}}
}

func TestStates_ItemFlowsDoWhatTheTableSays(t *testing.T) {
	t.Parallel()
	for _, c := range []stateCase{
		{"protect-file-share", "find-item", "protect", "", ""},
		{"protect-file-share", "find-item-again", "protect", "", ""},
		{"backup-now", "read-item", "backup", "", ""},
		{"stop-protection", "stop-item", "stop", "PUT " + shareItemName, "confirm-stopped"},
		{"suspend-protection", "suspend-item", "suspend", "PUT " + shareItemName, "confirm-suspended"},
		{"resume-protection", "resume-item", "resume", "PUT " + shareItemName, "confirm-resumed"},
		{"change-policy", "change-item", "change", "PUT " + shareItemName, "confirm-changed"},
		{"delete-protection", "delete-item", "remove", "DELETE " + shareItemName, "confirm-gone"},
	} {
		for state, treatment := range flow.Treatments(false, c.column) {
			t.Run(c.step+", "+state, func(t *testing.T) {
				t.Parallel()
				azure := onItems(t, state)
				out, err := azure.run(c.flow, c.step, onItem(t, c.flow))
				c.done(t, treatment, out, err, writesOf(azure))
			})
		}
	}
}

// A change is confirmed only in the states in which the table has nothing more to
// do.
func TestStates_ItemFlowsEndInTheStatesOfTheTable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ flow, step, column, next string }{
		{"protect-file-share", "confirm-protection", "protect", ""},
		{"stop-protection", "confirm-stopped", "stop", "exclude"},
		{"suspend-protection", "confirm-suspended", "suspend", "exclude"},
		{"resume-protection", "confirm-resumed", "resume", "include"},
		{"delete-protection", "confirm-gone", "remove", "exclude"},
	} {
		for state, treatment := range flow.Treatments(false, c.column) {
			t.Run(c.step+", "+state, func(t *testing.T) {
				t.Parallel()
				out, err := onItems(t, state).run(c.flow, c.step, onItem(t, c.flow))
				failing := c.column == "resume" && state != "ProtectionStopped" && state != "BackupsSuspended"
				switch {
				case treatment == "is rejected":
					require.Equal(t, operation.Fatal, errorOf(t, err).Class)
				case treatment == "has nothing to do":
					require.NoError(t, err)
					require.Contains(t, []operation.Kind{operation.Advance, operation.Finish}, out.Kind)
					require.Equal(t, c.next, out.Next)
				case failing:
					requireError(t, err, "ProtectionNotResumed", operation.NotYet)
					require.Contains(t, errorOf(t, err).Message, state)
				default:
					require.NoError(t, err)
					require.Equal(t, operation.Wait, out.Kind)
				}
			})
		}
	}
}

const instanceName = "testpostgresql-empdb11-aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e"

// onInstances answers for the instance of the demo server in a state.
func onInstances(t *testing.T, state string) *stub {
	t.Helper()
	instance := object{"id": demoInstance, "name": instanceName, "properties": object{
		"friendlyName": "pgflextestserver", "currentProtectionState": state, "policyInfo": object{"policyId": demoBackupVault + "/backupPolicies/pgflexpol1"},
		"dataSourceInfo": object{"resourceID": demoServer, "datasourceType": "Microsoft.DBforPostgreSQL/flexibleServers", "resourceLocation": "westus"},
	}}
	accepted := reply{status: http.StatusAccepted}
	return &stub{t: t, allows: flow.Guardrails{Delete: true}, answers: map[string]reply{
		"GET " + instanceName: {status: http.StatusOK, body: instance}, "DELETE " + instanceName: accepted,
		"PUT " + instanceName: accepted, "POST stopProtection": accepted, "POST suspendBackups": accepted, "POST resumeProtection": accepted,
	}}
}

// onInstance returns an operation on the instance of the demo server.
func onInstance(t *testing.T, name string) operation.Operation {
	t.Helper()
	parameters := object{"backupInstanceId": demoInstance}
	switch name {
	case "protect-postgres":
		parameters = protectServer()
		parameters["instanceName"] = instanceName
	case "restore-postgres":
		parameters["recoveryPoint"], parameters["asFiles"], parameters["tier"] = object{"latest": true}, asFiles("x"), "vault"
	}
	raw, err := json.Marshal(parameters)
	require.NoError(t, err)
	return operation.Operation{Identity: operation.Identity{Parameters: raw}, AzureState: operation.AzureState{Learned: map[string]string{
		"backupInstanceId": demoInstance, "sourceResourceId": demoServer, "policyId": demoBackupVault + "/backupPolicies/pgflexpol1",
		"newPolicyId": demoBackupVault + "/backupPolicies/pgflexpol2",
	}}}
}

func TestStates_InstanceFlowsDoWhatTheTableSays(t *testing.T) {
	t.Parallel()
	for _, c := range []stateCase{
		{"protect-postgres", "find-instance", "protect", "", ""},
		{"backup-now", "read-instance", "backup", "", ""},
		{"restore-postgres", "read-instance", "restore", "", ""},
		{"stop-protection", "stop-instance", "stop", "POST stopProtection", "confirm-instance-stopped"},
		{"suspend-protection", "suspend-instance", "suspend", "POST suspendBackups", "confirm-instance-suspended"},
		{"resume-protection", "resume-instance", "resume", "POST resumeProtection", "confirm-instance-resumed"},
		{"change-policy", "change-instance", "change", "PUT " + instanceName, "confirm-instance-changed"},
		{"delete-protection", "delete-instance", "remove", "DELETE " + instanceName, "confirm-instance-gone"},
	} {
		for state, treatment := range flow.Treatments(true, c.column) {
			t.Run(c.step+", "+state, func(t *testing.T) {
				t.Parallel()
				azure := onInstances(t, state)
				out, err := azure.run(c.flow, c.step, onInstance(t, c.flow))
				c.done(t, treatment, out, err, writesOf(azure))
			})
		}
	}
}

func TestStates_InstanceFlowsEndInTheStatesOfTheTable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ flow, step, column string }{
		{"protect-postgres", "await-protection", "protect"},
		{"stop-protection", "confirm-instance-stopped", "stop"},
		{"suspend-protection", "confirm-instance-suspended", "suspend"},
		{"resume-protection", "confirm-instance-resumed", "resume"},
		{"delete-protection", "confirm-instance-gone", "remove"},
	} {
		for state, treatment := range flow.Treatments(true, c.column) {
			t.Run(c.step+", "+state, func(t *testing.T) {
				t.Parallel()
				azure := onInstances(t, state)
				if c.column == "remove" {
					azure.answer = deletedInstance(azure)
				}
				out, err := azure.run(c.flow, c.step, onInstance(t, c.flow))
				switch {
				case treatment == "is rejected":
					require.Equal(t, operation.Fatal, errorOf(t, err).Class)
				case treatment == "configures it again":
					require.NoError(t, err)
					require.Equal(t, "configure", out.Next)
				case treatment == "has nothing to do" && state != "SoftDeleting":
					require.NoError(t, err)
					require.Contains(t, []operation.Kind{operation.Advance, operation.Finish}, out.Kind)
				default:
					require.NoError(t, err)
					require.Equal(t, operation.Wait, out.Kind)
				}
			})
		}
	}
}

// deletedInstance answers that the vault lists no deleted instance.
func deletedInstance(azure *stub) func(*http.Request) reply {
	live := azure.answers["GET "+instanceName]
	return func(r *http.Request) reply {
		if strings.Contains(r.URL.Path, "/deletedBackupInstances/") {
			return azureError(http.StatusNotFound, "ResourceNotFound", "no")
		}
		return live
	}
}
