package flow

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/arm/lro"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// compareInstancePolicyStep returns the step that compares the policy of a backup
// instance with the requested one.
func (a azure) compareInstancePolicyStep() step.Step {
	return step.Step{
		Name: "compare-instance-policy", Effect: step.Read, Run: with(a.compareInstancePolicy), Calls: []string{"BackupPolicies_Get"},
		Asks: "reads the current and the new policy",
		Then: "a policy that does not exist, is not for the datasource, or keeps backups for a shorter time is rejected",
	}
}

func (a azure) compareInstancePolicy(ctx context.Context, c step.Call, p ChangePolicy) (operation.Outcome, error) {
	id, err := foundInstance(c)
	if err != nil {
		return operation.Outcome{}, err
	}
	to, err := a.readInstancePolicy(ctx, c, id.Vault, p.Policy)
	if err != nil {
		return operation.Outcome{}, err
	}
	if err := policyFits(to, c.Operation.Learned[learnedDatasourceType]); err != nil {
		return operation.Outcome{}, err
	}
	from, err := a.dataProtection(c).GetPolicy(ctx, id.Vault, resourceid.LastName(c.Operation.Learned[learnedPolicy]))
	if azerr.IsNotFound(err) {
		// Nothing shows how long the backups were to be kept.
		return policyChanges(p, "a policy that the vault no longer has", describePolicy(to), to.ID, []string{"the current policy cannot be read"})
	}
	if err != nil {
		return operation.Outcome{}, err
	}
	return policyChanges(p, describePolicy(from), describePolicy(to), to.ID, shorterRetention(from, to))
}

// policyFits returns the error of a policy for another type of datasource.
func policyFits(policy dataprotection.Policy, datasourceType string) *operation.Error {
	if slices.ContainsFunc(policy.DatasourceTypes, func(t string) bool { return strings.EqualFold(t, datasourceType) }) {
		return nil
	}
	return fatal("PolicyDoesNotFit", fmt.Sprintf("policy %s is for %s, not for %s", policy.Name, strings.Join(policy.DatasourceTypes, ", "), kinds.NameOf(datasourceType)),
		"Name a policy whose datasource type is "+datasourceType+".")
}

// describePolicy returns a policy with its retention, for people.
func describePolicy(p dataprotection.Policy) string {
	var kept []string
	for _, r := range p.RetentionRules {
		kept = append(kept, fmt.Sprintf("%s %s in %s", r.Name, r.Duration, r.DataStoreType))
	}
	if len(kept) == 0 {
		return p.Name
	}
	return p.Name + " (" + strings.Join(kept, ", ") + ")"
}

// shorterRetention returns what the new policy keeps for a shorter time than the
// old one: each retention rule counts in each data store.
func shorterRetention(from, to dataprotection.Policy) (shorter []string) {
	for _, old := range from.RetentionRules {
		at := slices.IndexFunc(to.RetentionRules, old.SamePlace)
		switch {
		case at < 0:
			shorter = append(shorter, fmt.Sprintf("%s has no rule %s for %s", to.Name, old.Name, old.DataStoreType))
		case to.RetentionRules[at].Shorter(old):
			shorter = append(shorter, fmt.Sprintf("%s in %s: %s instead of %s", old.Name, old.DataStoreType, to.RetentionRules[at].Duration, old.Duration))
		}
	}
	return shorter
}

func joinReasons(reasons []string) string { return strings.Join(reasons, "; ") }

// changeInstancePolicy writes the instance as it was read, with the new policy.
func (a azure) changeInstancePolicy(ctx context.Context, c step.Call, id dataprotection.InstanceID, by treatment) (lro.Submission, *operation.Outcome, error) {
	want := c.Operation.Learned[learnedNewPolicy]
	if by == await {
		out := waitAtJobPace("the instance is being changed by another operation")
		return lro.Submission{}, &out, nil
	}
	body, err := a.dataProtection(c).GetInstanceBody(ctx, id)
	if err != nil {
		return lro.Submission{}, nil, err
	}
	if !resourceid.Equal(body.DatasourceID(), c.Operation.Learned[learnedSource]) {
		return lro.Submission{}, nil, fatal("ChangedMeanwhile", c.Operation.Learned[learnedName]+" protects another datasource since this operation read it; nothing was changed",
			"Look at the backup instance. If it is still to be changed, send the request again.")
	}
	if resourceid.Equal(body.PolicyID(), want) {
		return nothingToDo("confirm-instance-changed", "the instance already has the policy")
	}
	submitted, err := a.dataProtection(c).PutInstanceBody(ctx, id, body.WithPolicy(want))
	return submitted, nil, err
}

// instanceHasPolicy reports whether the instance is protected by the new policy.
func instanceHasPolicy(c step.Call, i dataprotection.Instance) (note string, ok bool, err error) {
	by := treatInstance(i)
	switch {
	case by.change == reject:
		return "", false, rejectedInstance(i, reject)
	case by.protect == repair:
		return "", false, final(protectionFailure(i))
	case by.protect != finished, !resourceid.Equal(i.PolicyID, c.Operation.Learned[learnedNewPolicy]):
		return "", false, nil
	}
	return "protected with the policy " + resourceid.LastName(i.PolicyID), true, nil
}
