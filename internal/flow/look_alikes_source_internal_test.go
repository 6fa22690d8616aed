package flow

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

const (
	ownVault        = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/group1/providers/Microsoft.RecoveryServices/vaults/vault1"
	ownItem         = ownVault + "/backupFabrics/Azure/protectionContainers/StorageContainer;storage;g;a/protectedItems/AzureFileShare;i"
	ownPolicy       = ownVault + "/backupPolicies/daily"
	anotherPolicyID = ownVault + "/backupPolicies/weekly"
)

func learnedCall(facts map[string]string) step.Call {
	return step.Call{Operation: operation.Operation{Identity: operation.Identity{ID: "op"}, AzureState: operation.AzureState{Learned: facts}}}
}

func TestProtects_IsTheSameDatasourceOfTheSameType(t *testing.T) {
	t.Parallel()
	s := protectedSource{protection: protection{sourceID: allowedServer, kind: "T"}}
	for name, c := range map[string]struct {
		id, kind string
		want     bool
	}{
		"the same": {allowedServer, "T", true}, "without a type": {allowedServer, "", true}, "another type": {allowedServer, "U", false},
		"another server": {allowedServer + "2", "T", false}, "a part of the name": {allowedServer[:len(allowedServer)-1], "T", false}, "none": {"", "T", false},
	} {
		require.Equal(t, c.want, s.protects(dataprotection.Instance{DatasourceID: c.id, DatasourceType: c.kind}), name)
	}
}

func TestFromExisting_NeedsTheRequestedPolicy(t *testing.T) {
	t.Parallel()
	c := learnedCall(map[string]string{learnedPolicy: ownPolicy})
	i := dataprotection.Instance{Name: "i", CurrentProtectionState: dataprotection.StateProtectionConfigured, PolicyID: ownPolicy}
	out, err := fromExisting(c, i)
	require.NoError(t, err)
	require.Equal(t, operation.Finish, out.Kind)
	for _, other := range []string{anotherPolicyID, strings.Replace(ownPolicy, "vault1", "vault2", 1)} {
		i.PolicyID = other
		_, err = fromExisting(c, i)
		require.True(t, hasCode(err, "ProtectedByAnotherPolicy"), "%s: %v", other, err)
	}
	i.CurrentProtectionState = dataprotection.StateSoftDeleting
	_, err = fromExisting(c, i)
	require.True(t, hasCode(err, codeInstanceSoftDeleted), "%v", err)
}

func TestConfigureAgain_WritesOnlyItsOwnInstance(t *testing.T) {
	t.Parallel()
	s := protectedSource{instance: dataprotection.InstanceID{Name: "own"}}
	failed := dataprotection.Instance{Name: "OWN", CurrentProtectionState: dataprotection.StateProtectionError}
	require.Equal(t, operation.UserAction, s.configureAgain(failed).Err.Class)
	failed.Name = "other"
	require.Equal(t, operation.Fatal, s.configureAgain(failed).Err.Class)
}

func TestStates_OfWhatIsBeingDeletedRejectAll(t *testing.T) {
	t.Parallel()
	for _, state := range []string{dataprotection.StateSoftDeleting, dataprotection.StateSoftDeleted} {
		by := treatInstance(dataprotection.Instance{CurrentProtectionState: state})
		require.Equal(t, []treatment{reject, reject, reject, reject, reject, finished}, []treatment{by.protect, by.backup, by.restore, by.stop, by.resume, by.remove}, state)
	}
	by := treatItem(recoveryservices.ProtectedItem{SoftDeleted: true, ProtectionState: recoveryservices.StateProtected})
	require.Equal(t, []treatment{reject, reject, reject, reject, finished}, []treatment{by.protect, by.backup, by.stop, by.resume, by.remove})
	by = treatItem(recoveryservices.ProtectedItem{ProtectionState: recoveryservices.StateBackupsSuspended})
	require.Equal(t, []treatment{reject, reject, proceed}, []treatment{by.protect, by.backup, by.resume})
}

func TestItemHasPolicy_IfItIsProtectedByIt(t *testing.T) {
	t.Parallel()
	c := learnedCall(map[string]string{learnedNewPolicy: ownPolicy})
	i := recoveryservices.ProtectedItem{PolicyID: ownPolicy, ProtectionState: recoveryservices.StateProtected}
	_, ok, err := itemHasPolicy(c, i)
	require.NoError(t, err)
	require.True(t, ok)
	i.ProtectionState = recoveryservices.StateProtectionStopped
	_, ok, _ = itemHasPolicy(c, i)
	require.False(t, ok)
	i.ProtectionState, i.PolicyID = recoveryservices.StateProtected, anotherPolicyID
	_, ok, _ = itemHasPolicy(c, i)
	require.False(t, ok)
	i.PolicyID = ownPolicy
	_, instead, err := azure{}.changeItemPolicy(t.Context(), c, i, proceed)
	require.NoError(t, err)
	require.NotNil(t, instead, "the item has the policy already")
}

// excluding returns an azure over a table of exclusions.
func excluding(table map[string]Exclusion, err error) azure {
	return azure{Config: Config{
		Exclude: func(_ context.Context, x Exclusion) error { table[x.ResourceID] = x; return err },
		Excluded: func(_ context.Context, id string) (Exclusion, bool, error) {
			x, found := table[id]
			return x, found, err
		},
	}}
}

func TestRecordedPolicy_IsTheFirstThatIsKnown(t *testing.T) {
	t.Parallel()
	table := map[string]Exclusion{"a": {ResourceID: "a"}, "b": {ResourceID: "b", PolicyID: ownPolicy}}
	policy, err := excluding(table, nil).recordedPolicy(t.Context(), "", "a", "b")
	require.NoError(t, err)
	require.Equal(t, ownPolicy, policy.id, "an exclusion without a policy does not hide another one")
	_, err = excluding(table, errors.New("away")).recordedPolicy(t.Context(), "a")
	require.True(t, hasCode(err, "ExclusionNotReadable"), "%v", err)
}

func TestRecordPolicy_DryRunRecordsNothing(t *testing.T) {
	t.Parallel()
	table := map[string]Exclusion{}
	a := excluding(table, nil)
	c := learnedCall(map[string]string{learnedItem: ownItem})
	item := recoveryservices.ProtectedItem{PolicyID: ownPolicy}
	c.DryRun = &step.DryRun{}
	require.NoError(t, a.recordPolicy(t.Context(), c, item))
	require.NoError(t, a.recordExclusion(t.Context(), c))
	require.Empty(t, table)
	c.DryRun = nil
	require.NoError(t, a.recordPolicy(t.Context(), c, item))
	require.Equal(t, ownPolicy, table[ownItem].PolicyID)
}

// A shorter policy deletes recovery points. While the recorded one is unknown, any
// policy may be a shorter one.
func TestResumeIsGuarded_UnlessThePolicyIsTheRecordedOne(t *testing.T) {
	t.Parallel()
	table := map[string]Exclusion{ownItem: {ResourceID: ownItem, PolicyID: ownPolicy}}
	for name, c := range map[string]struct {
		policy  string
		err     error
		guarded bool
	}{
		"no policy": {"", nil, false}, "the recorded one": {"daily", nil, false}, "another one": {"weekly", nil, true}, "unknown": {"daily", errors.New("away"), true},
	} {
		raw, err := json.Marshal(map[string]string{"itemId": ownItem, "policy": c.policy})
		require.NoError(t, err)
		guarded, err := excluding(table, c.err).resumeIsGuarded(check(checkResumeProtection))(t.Context(), raw)
		require.Equal(t, c.guarded, guarded, name)
		require.Equal(t, c.err != nil, err != nil, name)
	}
}
