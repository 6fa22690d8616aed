package flow_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/flow"
	"azbackupflow/internal/local/armsim"
)

func shareItemID(t *testing.T, sim *armsim.Simulator) (id, policy string) {
	t.Helper()
	items := sim.ProtectedItems()
	i := slices.IndexFunc(items, func(i armsim.ProtectedItem) bool { return i.FriendlyName == "testshare" })
	require.GreaterOrEqual(t, i, 0)
	return items[i].ID, items[i].Policy
}

// needsOperator reports whether the request needs the permission of guarded flows.
func (r *rig) needsOperator(parameters object) bool {
	r.t.Helper()
	f, _ := r.flows.Newest("resume-protection")
	raw, err := json.Marshal(parameters)
	require.NoError(r.t, err)
	guarded, err := f.GuardedFor(r.t.Context(), raw)
	require.NoError(r.t, err)
	return guarded
}

func TestResumePolicy_IsTheOneRecordedAtTheStop(t *testing.T) {
	t.Parallel()
	for name, target := range map[string]func(string) object{
		"by name": func(string) object { return object{"fileShare": namedShare()} },
		"by id":   func(id string) object { return object{"itemId": id} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, sim := protectedShare(t, armsim.DemoWorld())
			id, _ := shareItemID(t, sim)
			r.succeeds("stop-protection", target(id))
			r.succeeds("stop-protection", target(id)) // the second stop finds no policy, and keeps the recorded one
			_, policy := shareItemID(t, sim)
			require.Empty(t, policy, "Azure has forgotten it")

			with := func(policy string) object { p := target(id); p["policy"] = policy; return p }
			require.False(t, r.needsOperator(target(id)))
			require.False(t, r.needsOperator(with("schedule1")))
			require.True(t, r.needsOperator(with("schedule2")), "another policy")

			op := r.succeeds("resume-protection", target(id))
			_, policy = shareItemID(t, sim)
			require.Equal(t, "schedule1", policy, "%v", r.story(op.ID))
			require.Empty(t, r.exclusions)
			require.True(t, r.needsOperator(with("schedule1")), "nothing is recorded any more")
		})
	}
}

func TestResumePolicy_OfAnItemStoppedElsewhereMustBeNamed(t *testing.T) {
	t.Parallel()
	r, sim := protectedShare(t, armsim.DemoWorld())
	id, _ := shareItemID(t, sim)
	r.send(sim, "PUT", id, "2024-04-01", object{"properties": object{
		"protectedItemType": "AzureFileShareProtectedItem", "sourceResourceId": demoAccount, "policyId": "", "protectionState": "ProtectionStopped",
	}})
	named := object{"fileShare": namedShare(), "policy": "schedule1"}
	require.True(t, r.needsOperator(named))
	n := len(sim.Requests())
	r.failsWith("PolicyNotRecorded", "resume-protection", object{"fileShare": namedShare()})
	require.Empty(t, sent(sim, n))
	r.succeeds("resume-protection", named)
}

func TestGuardrails_CoverFurtherFlows(t *testing.T) {
	t.Parallel()
	r, err := flow.New(flow.Config{Now: morning, Guardrails: flow.Guardrails{GuardedFlows: []string{"stop-protection"}}})
	require.NoError(t, err)
	for name, guarded := range map[string]bool{"stop-protection": true, "restore-postgres": true, "backup-now": false} {
		f, _ := r.Newest(name)
		require.Equal(t, guarded, f.Guarded, name)
	}
	_, err = flow.New(flow.Config{Now: morning, Guardrails: flow.Guardrails{GuardedFlows: []string{"stop-protection-now"}}})
	require.ErrorContains(t, err, "AZBACKUPFLOW_GUARDED_FLOWS")
}
