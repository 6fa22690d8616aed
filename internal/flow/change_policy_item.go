package flow

import (
	"context"
	"fmt"
	"strings"

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
		Asks: "reads the new policy and the present one", Then: "a policy that does not exist, or is for another type of items, is rejected; so is one that keeps backups for a shorter time, unless the request allows it",
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
	present := resourceid.LastName(c.Operation.Learned[learnedPolicy])
	from, err := a.recoveryServices(c).GetPolicy(ctx, vault, present)
	if err != nil && !azerr.IsNotFound(err) {
		return operation.Outcome{}, err
	}
	if err == nil && (!strings.EqualFold(from.BackupManagementType, to.BackupManagementType) || !strings.EqualFold(from.WorkloadType, to.WorkloadType)) {
		return operation.Outcome{}, fatal("PolicyDoesNotFit", fmt.Sprintf("policy %s is for %s %s, the item's policy %s for %s %s", to.Name, to.BackupManagementType, to.WorkloadType, from.Name, from.BackupManagementType, from.WorkloadType),
			"Name a policy for the type of the item.")
	}
	shorter := []string{"the retention of the present policy " + present + " is unknown"}
	if err == nil {
		shorter = shorterItemRetention(from.Retention, to.Retention)
	}
	return policyChanges(p, fmt.Sprintf("%s (%s)", present, from.Retention), fmt.Sprintf("%s (%s)", to.Name, to.Retention), vault.PolicyID(to.Name), shorter)
}

// shorterItemRetention lists the schedules whose backups the new policy keeps for a
// shorter time, or not at all.
func shorterItemRetention(from, to recoveryservices.Retention) (all []string) {
	for _, name := range from.Shorter(to) {
		reason := strings.ToLower(name) + " backups were kept for " + from[name].String() + " and would not be kept"
		if period, kept := to[name]; kept {
			reason = strings.ToLower(name) + " backups were kept for " + from[name].String() + " and would be kept for " + period.String()
		}
		all = append(all, reason)
	}
	return all
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
