package flow

import (
	"context"

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
	if err := a.Exclude(ctx, datasource(c), c.Operation.ID, c.Now); err != nil {
		return exclusionFailure(err)
	}
	return nil
}

func (a azure) include(ctx context.Context, c step.Call) (operation.Outcome, error) {
	source := datasource(c)
	if c.DryRun != nil {
		return finish(source + " would no longer be excluded from automatic protection"), nil
	}
	if err := a.Include(ctx, source); err != nil {
		return operation.Outcome{}, exclusionFailure(err)
	}
	return finish(source + " is protected, and no longer excluded from automatic protection"), nil
}

func exclusionFailure(err error) error {
	return &operation.Error{Code: "ExclusionNotRecorded", Class: operation.Transient, Message: err.Error()}
}
