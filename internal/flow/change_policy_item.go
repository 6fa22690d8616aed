package flow

import (
	"context"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// compareItemPolicyStep returns the step that compares the policy of a protected
// item with the requested one.
func (a azure) compareItemPolicyStep() step.Step {
	return step.Step{
		Name: "compare-item-policy", Effect: step.Read, Run: with(a.compareItemPolicy), Calls: []string{"ProtectionPolicies_Get"},
		Asks: "reads the new policy", Then: "a policy that does not exist is rejected",
	}
}

func (a azure) compareItemPolicy(ctx context.Context, c step.Call, p ChangePolicy) (operation.Outcome, error) {
	vault, err := itemVault(c)
	if err != nil {
		return operation.Outcome{}, err
	}
	to, err := a.recoveryServices(c).GetPolicy(ctx, vault, p.Policy)
	if azerr.IsNotFound(err) {
		return operation.Outcome{}, policyNotFound(p.Policy, vault)
	}
	if err != nil {
		return operation.Outcome{}, err
	}
	return policyChanges(p, resourceid.LastName(c.Operation.Learned[learnedPolicy]), to.Name, vault.PolicyID(to.Name), nil)
}

func (a azure) changeItemPolicy(ctx context.Context, c step.Call, item recoveryservices.ProtectedItem, _ treatment) (lro.Submission, *operation.Outcome, error) {
	want := c.Operation.Learned[learnedNewPolicy]
	if resourceid.Equal(item.PolicyID, want) {
		return nothingToDo("confirm-changed", "the item already has the policy")
	}
	submitted, err := a.recoveryServices(c).ResumeProtection(ctx, item, want)
	return submitted, nil, err
}

// itemHasPolicy reports whether the item is protected by the new policy.
func itemHasPolicy(c step.Call, i recoveryservices.ProtectedItem) (note string, ok bool, err error) {
	if isStopped(i) || !resourceid.Equal(i.PolicyID, c.Operation.Learned[learnedNewPolicy]) {
		return "", false, nil
	}
	return "protected with the policy " + resourceid.LastName(i.PolicyID), true, nil
}
