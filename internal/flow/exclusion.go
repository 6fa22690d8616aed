package flow

import (
	"cmp"
	"context"
	"time"

	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// excludeStep returns the last step of flows that end protection: it excludes
// the datasource from automatic protection. Otherwise the next event would undo
// the decision of the request.
func (a azure) excludeStep() step.Step {
	return step.Step{Name: "exclude", Effect: step.Idempotent, Run: a.exclude, Asks: "calls nothing; records the exclusion from automatic protection"}
}

// includeStep returns the last step of resume-protection: the request decided
// that the datasource is to be protected.
func (a azure) includeStep() step.Step {
	return step.Step{Name: "include", Effect: step.Idempotent, Run: a.include, Asks: "calls nothing; deletes the exclusion from automatic protection"}
}

func (a azure) exclude(ctx context.Context, c step.Call) (operation.Outcome, error) {
	source := datasource(c)
	if c.DryRun != nil {
		return finish("automatic protection would ignore " + source + " from then on"), nil
	}
	if err := a.recordExclusion(ctx, c); err != nil {
		return operation.Outcome{}, err
	}
	return finish("automatic protection ignores " + source + " from now on"), nil
}

// recordExclusion also runs before a deletion is sent: if the operation is
// canceled or times out after that, automatic protection must not protect again
// what Azure has deleted.
func (a azure) recordExclusion(ctx context.Context, c step.Call) error {
	if c.DryRun != nil {
		return nil
	}
	policy, err := a.formerPolicy(ctx, c)
	if err != nil {
		return err
	}
	return a.saveExclusion(ctx, c, datasource(c), policy)
}

// policyRecord is the policy of an item and when the item was seen to have it.
type policyRecord struct {
	id string
	at time.Time
}

func (a azure) saveExclusion(ctx context.Context, c step.Call, resourceID string, policy policyRecord) error {
	x := Exclusion{ResourceID: resourceID, OperationID: c.Operation.ID, At: c.Now, PolicyID: policy.id, PolicyAt: policy.at}
	if err := a.Exclude(ctx, x); err != nil {
		return exclusionFailure(err)
	}
	return nil
}

// recordPolicy stores the policy of an item before its protection is stopped:
// Azure forgets it. Several items may have one datasource, such as the databases
// of a virtual machine, so the policy is stored with the item's own ID.
func (a azure) recordPolicy(ctx context.Context, c step.Call, item recoveryservices.ProtectedItem) error {
	if c.DryRun != nil || item.PolicyID == "" {
		return nil
	}
	return a.saveExclusion(ctx, c, c.Operation.Learned[learnedItem], policyRecord{item.PolicyID, c.Now})
}

// formerPolicy returns the policy that the item had when the operation read it,
// or when an earlier operation stopped it; the zero value if both are unknown.
func (a azure) formerPolicy(ctx context.Context, c step.Call) (policyRecord, error) {
	learned := c.Operation.Learned
	if learned[learnedPolicy] != "" {
		return policyRecord{learned[learnedPolicy], c.Now}, nil
	}
	return a.recordedPolicy(ctx, learned[learnedItem], learned[learnedExcluded])
}

// recordedPolicy returns the policy that was recorded with the first of the
// resources that has one; the zero value if none has.
func (a azure) recordedPolicy(ctx context.Context, resourceIDs ...string) (policyRecord, error) {
	for _, id := range resourceIDs {
		x, err := a.excluded(ctx, id)
		if err != nil {
			return policyRecord{}, err
		}
		if x.PolicyID != "" {
			return policyRecord{x.PolicyID, cmp.Or(x.PolicyAt, x.At)}, nil
		}
	}
	return policyRecord{}, nil
}

// forgetPolicy removes the recorded policy of the resources, and keeps their
// exclusions.
func (a azure) forgetPolicy(ctx context.Context, c step.Call, resourceIDs ...string) error {
	if c.DryRun != nil {
		return nil
	}
	for _, id := range resourceIDs {
		x, err := a.excluded(ctx, id)
		if err != nil {
			return err
		}
		if x.PolicyID == "" {
			continue
		}
		if err := a.saveExclusion(ctx, c, id, policyRecord{}); err != nil {
			return err
		}
	}
	return nil
}

// excluded returns the exclusion of a resource; the zero value if there is none.
func (a azure) excluded(ctx context.Context, resourceID string) (Exclusion, error) {
	if resourceID == "" {
		return Exclusion{}, nil
	}
	x, _, err := a.Excluded(ctx, resourceID)
	if err != nil {
		return Exclusion{}, &operation.Error{Code: "ExclusionNotReadable", Class: operation.Transient, Message: err.Error()}
	}
	return x, nil
}

func (a azure) include(ctx context.Context, c step.Call) (operation.Outcome, error) {
	source := datasource(c)
	if c.DryRun != nil {
		return finish(source + " would no longer be excluded from automatic protection"), nil
	}
	for _, id := range []string{c.Operation.Learned[learnedItem], source} {
		if id == "" {
			continue
		}
		if err := a.Include(ctx, id); err != nil {
			return operation.Outcome{}, exclusionFailure(err)
		}
	}
	return finish(source + " is protected, and no longer excluded from automatic protection"), nil
}

func exclusionFailure(err error) error {
	return &operation.Error{Code: "ExclusionNotRecorded", Class: operation.Transient, Message: err.Error()}
}
