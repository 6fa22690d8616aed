package flow_test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/flow"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/operation"
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
	return r.flowNeedsOperator("resume-protection", parameters)
}

func (r *rig) flowNeedsOperator(name string, parameters object) bool {
	r.t.Helper()
	f, _ := r.flows.Newest(name)
	raw, err := json.Marshal(parameters)
	require.NoError(r.t, err)
	guarded, err := f.GuardedFor(r.t.Context(), raw)
	require.NoError(r.t, err)
	return guarded
}

// writeShare writes the item of a share, as the portal does.
func (r *rig) writeShare(sim *armsim.Simulator, id, policyID, state string) {
	r.t.Helper()
	r.send(sim, "PUT", id, "2024-04-01", object{"properties": object{
		"protectedItemType": "AzureFileShareProtectedItem", "sourceResourceId": demoAccount, "policyId": policyID, "protectionState": state,
	}})
}

// protectElsewhere resumes, backs up and stops a share, as someone does in the portal.
func (r *rig) protectElsewhere(sim *armsim.Simulator, id, policy string) {
	r.t.Helper()
	r.writeShare(sim, id, demoVault+"/backupPolicies/"+policy, "")
	r.succeeds("backup-now", object{"itemId": id})
	r.writeShare(sim, id, "", "ProtectionStopped")
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
	r.writeShare(sim, id, "", "ProtectionStopped")
	named := object{"fileShare": namedShare(), "policy": "schedule1"}
	require.True(t, r.needsOperator(named))
	n := len(sim.Requests())
	r.failsWith("PolicyNotRecorded", "resume-protection", object{"fileShare": namedShare()})
	require.Empty(t, sent(sim, n))
	r.succeeds("resume-protection", named)
}

// A record of azbackupflow's own stop says nothing about an item that something
// else resumed, backed up and stopped after it.
func TestResumePolicy_RecordFromBeforeAnotherProtectionIsForgotten(t *testing.T) {
	t.Parallel()
	for name, policy := range map[string]string{"no policy": "", "the recorded policy": "schedule1"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			world := armsim.DemoWorld()
			long := world.Vaults[0].Policies[0]
			long.Name = "schedule2"
			world.Vaults[0].Policies = append(world.Vaults[0].Policies, long)
			r, sim := protectedShare(t, world)
			id, _ := shareItemID(t, sim)
			r.succeeds("stop-protection", object{"itemId": id})
			r.protectElsewhere(sim, id, "schedule2")

			request := object{"itemId": id}
			if policy != "" {
				request["policy"] = policy
			}
			require.False(t, r.needsOperator(request), "the request itself looks harmless")
			n := len(sim.Requests())
			r.failsWith("PolicyNotRecorded", "resume-protection", request)
			require.Empty(t, sent(sim, n))
			require.NotEmpty(t, r.exclusions, "automatic protection still ignores it")
			named := object{"itemId": id, "policy": "schedule1"}
			require.True(t, r.needsOperator(named), "the record is forgotten, so any policy is guarded")
			r.succeeds("resume-protection", named)
		})
	}
}

// Two requests with the recorded policy are accepted before the first one finds that
// the record is outdated. The second one must not take the policy that is no longer
// recorded: its permission was not checked.
func TestResumePolicy_ForgottenAfterTheRequestIsNotTaken(t *testing.T) {
	t.Parallel()
	r, sim := protectedShare(t, armsim.DemoWorld())
	id, _ := shareItemID(t, sim)
	r.succeeds("stop-protection", object{"itemId": id})
	r.protectElsewhere(sim, id, "schedule1")

	request := object{"itemId": id, "policy": "schedule1"}
	require.False(t, r.needsOperator(request))
	first := r.begin("resume-protection", request)
	r.clock.Advance(time.Second)
	second := r.begin("resume-protection", request)
	r.clock.Advance(time.Second)
	r.finish(first)
	for _, op := range []operation.Operation{r.operation(first), r.operation(second)} {
		require.Equal(t, operation.Failed, op.Status, "%v", r.story(op.ID))
		require.Equal(t, "PolicyNotRecorded", op.LastError.Code)
	}
	require.True(t, r.needsOperator(request))
	_, err := r.engine.Retry(t.Context(), second, operation.Cause{})
	require.NoError(t, err)
	require.Equal(t, operation.Succeeded, r.finish(second).Status, "the retry was checked again: %v", r.story(second))
}

// The flow undelete resumes with a policy, too, and has a parameter more.
func TestResumePolicy_OfUndeleteIsGuardedLikeThatOfAResume(t *testing.T) {
	t.Parallel()
	r, sim := protectedShare(t, armsim.DemoWorld())
	id, _ := shareItemID(t, sim)
	r.succeeds("stop-protection", object{"itemId": id})
	for _, target := range []object{{"itemId": id}, {"fileShare": namedShare()}} {
		with := func(policy string) object {
			p := object{"resume": true, "policy": policy}
			maps.Copy(p, target)
			return p
		}
		require.False(t, r.flowNeedsOperator("undelete", target))
		require.False(t, r.flowNeedsOperator("undelete", with("schedule1")))
		require.True(t, r.flowNeedsOperator("undelete", with("schedule2")), "another policy")
	}
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

// Something else may write the item between the request and its confirmation.
func TestResumePolicy_AnotherPolicyThanTheRequestedOneIsNoSuccess(t *testing.T) {
	t.Parallel()
	op := onItem(t, "resume-protection")
	op.Learned["resumedPolicyId"] = demoVault + "/backupPolicies/SCHEDULE1"
	out, err := onItems(t, "Protected").run("resume-protection", "confirm-resumed", op)
	require.NoError(t, err)
	require.Equal(t, "Advance include: protected again, under the policy schedule1", summary(out))

	op.Learned["resumedPolicyId"] = demoVault + "/backupPolicies/schedule2"
	_, err = onItems(t, "Protected").run("resume-protection", "confirm-resumed", op)
	requireError(t, err, "ProtectedByAnotherPolicy", operation.Fatal)
}
